# What comes to the port and is not an agent of ours: refused, and nothing of
# it hurts the host that is connected.
# timeout: 120

must "the server starts" server_start
must "an agent connects" enrolled worker-1
ca=$T/s/data/cluster/ca.pem
mkdir "$T/a"
conn="--server 127.0.0.1:$PORT --ca $ca --dir $T/a"
cluster=$(child_of s cluster)

# shake OPTIONS...: a TLS handshake by openssl; the output says how it went.
shake()
{
	echo | timeout 10 openssl s_client -connect "127.0.0.1:$PORT" \
	    -CAfile "$ca" "$@" 2>&1
}

# ended OPTIONS...: the server closes the connection by itself, within the
# time of a handshake; what openssl would have read goes on being open.
ended()
{
	timeout 6 openssl s_client -connect "127.0.0.1:$PORT" -CAfile "$ca" \
	    "$@" <"$T/silence"
	en_rc=$?
	[ $en_rc -ne 124 ] || return 1
	return 0
}
mkfifo "$T/silence"
exec 6<>"$T/silence"

shake -tls1_2 -alpn h2 >"$T/check.out"
said "TLS 1.2 gets an alert" "alert protocol version|alert number 70"
shake -tls1_3 -alpn h2 >"$T/check.out"
said "TLS 1.3 gets in" "Verify return code: 0"
said "with h2" "ALPN protocol: h2"
check_eq "and the chain has leaf and CA" 2 \
    "$(shake -tls1_3 -alpn h2 -showcerts | grep -c 'BEGIN CERT')"
check "no ALPN: closed" ended -tls1_3
said "by the server" "CONNECTED"
check "ALPN http/1.1: closed" ended -tls1_3 -alpn http/1.1
said "by the server" "CONNECTED"
check_rc "plain HTTP gets nothing" 52 curl -s -m 6 "http://127.0.0.1:$PORT/"
check "silence is ended by the handshake deadline" /usr/bin/python3 -c "
import socket
s = socket.create_connection(('127.0.0.1', $PORT))
s.settimeout(6)
s.recv(1)"

# refused TEXT REGEX OPTIONS...
refused()
{
	rf_text=$1
	rf_want=$2
	shift 2
	check_rc "$rf_text" 1 $PEER/agent.py "$@" && said "$rf_text: $rf_want" \
	    "\"$rf_want"
}

refused "an unknown method" UNIMPLEMENTED call $conn \
    --method /sentinel.cluster.AgentService/Nothing
refused "an unknown service" UNIMPLEMENTED call $conn --method /x.Y/Z
refused "ReportState without a certificate" UNAUTHENTICATED call $conn \
    --method /sentinel.cluster.AgentService/ReportState
refused "Enroll of 1 MiB" RESOURCE_EXHAUSTED call $conn --size 1000000 \
    --method /sentinel.cluster.EnrollmentService/Enroll
refused "Enroll of garbage" "INTERNAL|\"INVALID_ARGUMENT" call $conn \
    --data 07070707 --method /sentinel.cluster.EnrollmentService/Enroll

must "a foreign agent enrols" $PEER/agent.py enroll $conn \
    --token "$(token)" --name foreign
refused "a report of 5 MiB" RESOURCE_EXHAUSTED call $conn --cert \
    --size 5000000 --method /sentinel.cluster.AgentService/ReportState
# field 4 is a string: bytes ff fe
refused "a report that is not UTF-8" "INTERNAL|\"INVALID_ARGUMENT" call \
    $conn --cert --data 2202fffe \
    --method /sentinel.cluster.AgentService/ReportState
refused "a report with a NUL" "INTERNAL|\"INVALID_ARGUMENT" call $conn \
    --cert --data 2203610062 \
    --method /sentinel.cluster.AgentService/ReportState

for bad in bad-utf8 nul oversize garbage bomb; do
	$PEER/agent.py run $conn --misbehave $bad --seconds 10 \
	    >"$T/check.out" 2>&1
	said "a stream with $bad ends" \
	    '"end".*(INTERNAL|INVALID_ARGUMENT|RESOURCE_EXHAUSTED)'
done
for odd in unknown-field empty late; do
	$PEER/agent.py run $conn --misbehave $odd --seconds 2 \
	    >"$T/check.out" 2>&1
	said "a stream with $odd goes on" '"end".*CANCELLED'
done

if [ -x /usr/bin/h2load ]; then
	h2load -n 2000 -c 4 -m 20 "https://127.0.0.1:$PORT/x.Y/Z" \
	    >"$T/h2load.log" 2>&1
	check "after a burst of requests the server answers" ctl status
fi

check_eq "the cluster process is the same as before" "$cluster" \
    "$(child_of s cluster)"
check "and the agent never left" host_connected worker-1
check_not "in one session" has "$T/worker-1.log" "session ended|disconnected"
