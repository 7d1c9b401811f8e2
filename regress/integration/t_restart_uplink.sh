# The uplink process dies with a command under way: the command is finished,
# its result goes out in the next session, and the process is as confined as
# the one before.
# needs: docker
# timeout: 60

c=restart-uplink
lab_docker run -d --name $c --stop-timeout 4 "$LAB_REGISTRY/demo:1" \
    sh -c 'trap "" TERM; while :; do sleep 1; done' >/dev/null || exit 1
trap 'lab_docker rm -f $c >/dev/null 2>&1; scenario_end' EXIT
must "the server starts" server_start
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "an agent connects" enrolled worker-1
actl="$B/sentinelctl -s $T/worker-1/run/sentinel-agentd.sock"

restarted()
{
	[ "$($actl status --json | jq '.processes[] |
	    select(.name == "uplink") | .restarts')" = "$1" ]
}

back()
{
	restarted "$1" && host_connected worker-1 &&
	    $actl status --json | jq -e .connected
}

field()
{
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

cage()
{
	field "$1" Uid
	field "$1" Seccomp
	field "$1" CapBnd
	field "$1" NoNewPrivs
	stat -Lc %d:%i "/proc/$1/root"
	readlink "/proc/$1/ns/net"
	tr -d '\0' <"/proc/$1/environ" | wc -c
}

fds()
{
	for f_pid in "$(pid_of worker-1)" "$(child_of worker-1 engine)" \
	    "$(child_of worker-1 keyholder)"; do
		find "/proc/$f_pid/fd" -mindepth 1 | wc -l
	done
}

msec()
{
	echo $(($(date +%s%N) / 1000000))
}

# dies SIGNAL N LOG
dies()
{
	d_pid=$(child_of worker-1 uplink)
	: >"$T/worker-1.log"
	d_from=$(msec)
	kill "-$1" "$d_pid"
	check "$1: it is back" wait_for 20 back "$2"
	echo "# $1: back after $(($(msec) - d_from)) ms"
	check "$1: the log says it" has "$T/worker-1.log" \
	    "uplink, pid $d_pid: $3"
	check_eq "$1: confined as before" "$confined" \
	    "$(cage "$(child_of worker-1 uplink)")"
}

confined=$(cage "$(child_of worker-1 uplink)")
agent=$(pid_of worker-1)
ctl container stop worker-1/$c >"$T/stop.out" 2>&1 &
stop=$!
sleep 1
dies KILL 1 "killed by signal 9"
wait $stop
check_eq "the operation under way: exit status" 5 $?
check "its state is unknown to the server" has "$T/stop.out" \
    "state is unknown"
check "the agent goes on and tells the result" wait_for 15 sh -c \
    "$B/sentinelctl -s $CTL_SOCK events | grep -q 'stop $c: success'"
check_eq "which is true" exited \
    "$(lab_docker inspect -f '{{.State.Status}}' $c)"
# The engine has opened what it writes results into by now.
before=$(fds)
check "it tells why the session ended" has "$T/worker-1.log" \
    "the uplink process has ended"

dies SEGV 2 "killed by signal 11"
# While there is none, the agent waits for it.
kill -9 "$(child_of worker-1 uplink)"
check "without an uplink the agent answers" $actl status
check "a third time" wait_for 20 back 3
check_eq "nobody has kept a descriptor of the dead" "$before" "$(fds)"
check_eq "the daemon is the same" "$agent" "$(pid_of worker-1)"
check "names are resolved again by the new one" has "$T/worker-1.log" \
    "session with .* established"
