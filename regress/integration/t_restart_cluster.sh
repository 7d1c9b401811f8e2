# The cluster process dies in every way that leaves the daemon alive, with
# operations under way: it comes back confined as before, agents follow at
# once, nothing leaks, and each death costs a longer wait than the last.
# needs: docker
# timeout: 90

c=restart-cluster
lab_docker run -d --name $c --stop-timeout 4 "$LAB_REGISTRY/demo:1" \
    sh -c 'trap "" TERM; while :; do sleep 1; done' >/dev/null || exit 1
trap 'lab_docker rm -f $c >/dev/null 2>&1; scenario_end' EXIT
must "the server starts" server_start
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "an agent connects" enrolled worker-1
AGENT_DOCKER=none
must "and another one" enrolled worker-2

# restarts: of cluster, as status tells it.
restarts()
{
	ctl status --json | jq '.processes[] | select(.name == "cluster") |
	    .restarts'
}

restarted()
{
	[ "$(restarts)" = "$1" ]
}

# field PID NAME: a line of its status.
field()
{
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# cage PID: what confines it.
cage()
{
	field "$1" Uid
	field "$1" Gid
	field "$1" Groups
	field "$1" Seccomp
	field "$1" NoNewPrivs
	field "$1" CapBnd
	stat -Lc %d:%i "/proc/$1/root"
	[ "$(readlink "/proc/$1/ns/net")" != \
	    "$(readlink /proc/self/ns/net)" ] && echo "own network"
	sed -n '/^Max \(open files\|file size\|core file\|processes\)/p' \
	    "/proc/$1/limits"
	tr -d '\0' <"/proc/$1/environ" | wc -c
}

# fds: descriptors of those who stay.
fds()
{
	for f_pid in "$(pid_of s)" "$(child_of s engine)" \
	    "$(child_of s keyholder)" "$(child_of s control)"; do
		find "/proc/$f_pid/fd" -mindepth 1 | wc -l
	done
}

msec()
{
	echo $(($(date +%s%N) / 1000000))
}

back()
{
	restarted "$1" && host_connected worker-1 && host_connected worker-2
}

# dies SIGNAL N LOG: cluster gets it for the n-th time.
dies()
{
	d_pid=$(child_of s cluster)
	: >"$T/s.log"
	d_from=$(msec)
	kill "-$1" "$d_pid"
	check "$1: all are back" wait_for 20 back "$2"
	echo "# $1: everybody was back after $(($(msec) - d_from)) ms"
	check "$1: the log says it" has "$T/s.log" "cluster, pid $d_pid: $3"
	check_eq "$1: confined as before" "$confined" \
	    "$(cage "$(child_of s cluster)")"
}

confined=$(cage "$(child_of s cluster)")
check "it is not root" test "$(field "$(child_of s cluster)" Uid |
    cut -f 1)" -gt 0
before=$(fds)
server=$(pid_of s)

ctl container stop worker-1/$c >"$T/stop.out" 2>&1 &
stop=$!
sleep 1
dies KILL 1 "killed by signal 9"
wait $stop
check_eq "the operation under way: exit status" 5 $?
check "its state is unknown" has "$T/stop.out" "state is unknown"
check "the agent carried it out all the same" wait_for 10 sh -c \
    "[ \"\$(docker -H unix://$LAB_DIR/docker.sock inspect -f \
    '{{.State.Status}}' $c)\" = exited ]"
check "and its result came in" wait_for 10 sh -c "$B/sentinelctl -s \
    $CTL_SOCK events | grep -q 'stop $c: success'"
check "an event tells of the death" sh -c "$B/sentinelctl -s $CTL_SOCK \
    events | grep -q 'cluster process: killed by signal 9'"
check_not "who is not to blame is not held off" has "$T/s.log" "held off"
check "a new operation works" ctl container start worker-1/$c

dies SEGV 2 "killed by signal 11"
dies ABRT 3 "killed by signal 6"
check "the third wait is longer" has "$T/s.log" "cluster: starts again in 2000"
check_eq "nobody has kept a descriptor of the dead" "$before" "$(fds)"
check_eq "the daemon is the same" "$server" "$(pid_of s)"
check_eq "no agent had to enrol again" 1 \
    "$(grep -c 'enrolled at' "$T/worker-2.log")"
check_rc "status shows it" 0 ctl status
said "with the count" "cluster .* 3 "

: >"$T/s.log"
kill -SYS "$(child_of s cluster)"
check "SIGSYS ends the daemon" wait_for 8 gone "$server"
wait "$server"
check_eq "with status 1" 1 $?
check "as a sandbox violation" has "$T/s.log" "cluster.*sandbox violation"
