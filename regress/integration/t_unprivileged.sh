# In the foreground as a user without rights, with privileges: keep: the same
# processes, filtered, without users and roots of their own.
# needs: filter
# timeout: 60

# as COMMAND...: as that user.
if [ "$(id -u)" -eq 0 ]; then
	mkdir "$T/u"
	chown 65534:65534 "$T/u"
	as="setpriv --reuid 65534 --regid 65534 --clear-groups"
	printf 'privileges: keep\nserver: { data_dir: %s }\n' "$T/r" >"$T/r.conf"
	check_rc "root may not keep its privileges" 77 timeout 10 \
	    "$B/sentineld" -d -f "$T/r.conf"
	said "and is told so" "privileges: keep"
	check_not "and nothing was made" test -d "$T/r/db"
else
	mkdir "$T/u"
	as=
fi

CTL_SOCK=$T/u/sentineld.sock
cat >"$T/u/sentinel.conf" <<EOT
privileges: keep
run_dir: $T/u/run
server:
  data_dir: $T/u/server
  control: $CTL_SOCK
  cluster: { enabled: true, listen: "127.0.0.1:$PORT" }
agent:
  server: "127.0.0.1:$PORT"
  name: plain
  enroll_token_file: $T/u/token
  data_dir: $T/u/agent
  control: $T/u/sentinel-agentd.sock
  docker: none
EOT

$as "$B/sentineld" -d -f "$T/u/sentinel.conf" >"$T/s.log" 2>&1 &
echo $! >"$T/s.pid"
must "the server starts" wait_for 15 $as "$B/sentinelctl" -s "$CTL_SOCK" status
$as sh -c "umask 077; $B/sentinelctl -s $CTL_SOCK token create --json |
    jq -r .token >$T/u/token"
$as "$B/sentinel-agentd" -d -f "$T/u/sentinel.conf" >"$T/plain.log" 2>&1 &
echo $! >"$T/plain.pid"
must "the agent enrols and connects" wait_for 15 sh -c "$as $B/sentinelctl \
    -s $CTL_SOCK host list --json | jq -e '.[0].connected'"

for n in s plain; do
	check "$n has children" test -n "$(children "$(pid_of $n)")"
	for pid in $(children "$(pid_of $n)"); do
		title=$(tr '\0' ' ' <"/proc/$pid/cmdline")
		check "Seccomp: $title" grep -q '^Seccomp:[[:space:]]*2' \
		    "/proc/$pid/status"
		check "NoNewPrivs: $title" grep -q '^NoNewPrivs:[[:space:]]*1' \
		    "/proc/$pid/status"
	done
done
for n in plain s; do
	kill "$(pid_of $n)"
	check "$n stops" wait_for 6 gone "$(pid_of $n)"
	wait "$(pid_of $n)"
	check_eq "$n: exit status" 0 $?
done
