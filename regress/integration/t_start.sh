# What must stop the server from starting does, with the reason, and changes
# nothing on disk.
# timeout: 120

# refuses TEXT REGEX: the server does not start and says why.
refuses()
{
	: >"$T/s.log"
	server_run
	if wait_for 15 gone "$(pid_of s)"; then
		wait "$(pid_of s)" && fail "$1: exit status 0"
	else
		fail "$1: it started"
		daemon_stop s
		return
	fi
	check "$1" has "$T/s.log" "$2" || sed "s,^,# ," "$T/s.log"
	check_empty "$1: nobody is left" left sentineld
}

must "the server starts" server_start
check_rc "a second one does not" 1 timeout 15 "$B/sentineld" -d -f "$T/s.conf"
said "because of the first" "lock|running|in use"
check "the first does not mind" ctl status
check "it stops" daemon_stop s
d=$T/s/data/cluster
cp -a "$d" "$T/good"

/usr/bin/python3 -c "
import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', $PORT))
s.listen()
time.sleep(60)" &
echo $! >"$T/squatter.pid"
must "somebody has the port" wait_for 5 sh -c "ss -ltn | grep -q ':$PORT '"
refuses "the port is in use" "127\.0\.0\.1]?:$PORT.*in use"
kill "$(pid_of squatter)"
wait "$(pid_of squatter)" 2>/dev/null

chmod 640 "$d/ca-key.pem"
refuses "a key that the group may read" "ca-key.pem.*(group|mode|permission)"
chmod 600 "$d/ca-key.pem"

chmod 644 "$d/hmac-key.bin"
refuses "an HMAC key that others may read" "hmac-key.bin"
chmod 600 "$d/hmac-key.bin"

mv "$d/ca-key.pem" "$T/aside"
ln -s "$T/aside" "$d/ca-key.pem"
refuses "a key behind a symbolic link" "ca-key.pem"
rm "$d/ca-key.pem"
mv "$T/aside" "$d/ca-key.pem"

echo garbage >"$d/ca-key.pem"
refuses "a key that is none" "ca-key.pem|CA key"
cp -p "$T/good/ca-key.pem" "$d/ca-key.pem"

openssl ecparam -name prime256v1 -genkey -noout >"$d/ca-key.pem" 2>/dev/null
refuses "a key of another CA" "ca-key.pem|CA key"
cp -p "$T/good/ca-key.pem" "$d/ca-key.pem"

head -c 300 "$T/good/ca.pem" >"$d/ca.pem"
refuses "half a CA certificate" "ca.pem|CA certificate"
cp -p "$T/good/ca.pem" "$d/ca.pem"

rm "$d/ca-key.pem"
refuses "a CA certificate without its key" "ca-key.pem|CA key"
check_not "no new CA key was made" test -e "$d/ca-key.pem"
cp -p "$T/good/ca-key.pem" "$d/ca-key.pem"

for f in ca.pem ca-key.pem hmac-key.bin; do
	check "$f is as it was" cmp "$d/$f" "$T/good/$f"
done
must "with everything in order it starts" server_start
daemon_stop s

agent_conf worker-1
sed -i "s,$T/worker-1/data,$T/s/data," "$T/worker-1.conf"
timeout 15 "$B/sentinel-agentd" -d -f "$T/worker-1.conf" \
    >"$T/worker-1.log" 2>&1
check_eq "an agent in the server's directory ends" 0 $(($? == 0 || $? == 124))
check "and says why" has "$T/worker-1.log" "belongs to the other daemon"

echo "  nonsense: 1" >>"$T/s.conf"
check_rc "an unknown key: exit status 65" 65 timeout 10 "$B/sentineld" -d \
    -f "$T/s.conf"
said "with file, line and column" "s.conf:[0-9]+:[0-9]+: .*nonsense"
check_rc "a missing file: exit status 78" 78 timeout 10 "$B/sentineld" -d \
    -f "$T/nothing.conf"
check_rc "an unknown flag: exit status 64" 64 timeout 10 "$B/sentineld" -Z
