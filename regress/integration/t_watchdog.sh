# A process that hangs instead of dying: the parent notices, kills it and
# handles that as a death.  The sleep of the whole daemon is nobody's fault.
# needs: docker
# timeout: 90

c=watchdog
trap 'lab_docker rm -f $c >/dev/null 2>&1; scenario_end' EXIT
lab_docker run -d --name $c "$LAB_REGISTRY/demo:1" sleep 600 >/dev/null ||
    exit 1
server_conf
sed -i "s/^run_dir/watchdog: 3s\n&/; s,docker: none,docker: unix://$LAB_DIR/docker.sock," \
    "$T/s.conf"
must "the server starts" server_start
agent_conf worker-1
sed -i "s/^run_dir/watchdog: 3s\n&/" "$T/worker-1.conf"
must "an agent connects" enrolled worker-1
actl="$B/sentinelctl -s $T/worker-1/run/sentinel-agentd.sock"

# restarts CTL PROCESS: as its status tells them.
restarts()
{
	$1 status --json | jq --arg n "$2" \
	    '.processes[] | select(.name == $n) | .restarts'
}

is_back()
{
	[ "$(restarts "$1" "$2")" = 1 ] && host_connected worker-1
}

# hangs NAME PROCESS CTL: it is stopped, not killed.
hangs()
{
	h_pid=$(child_of "$1" "$2")
	# Its first answer may take ten times as long.
	check "$2 of $1 is watched" wait_log "$1" "$2, pid $h_pid: answers"
	kill -STOP "$h_pid"
	check "$2 of $1: it is back, and the agent connected" \
	    wait_for 20 is_back "$3" "$2"
	check "$2: the log says that it hung" has "$T/$1.log" \
	    "$2, pid $h_pid: hangs: no answer for [0-9]* s \(state T\), killed"
	check "$2: and how that ended" has "$T/$1.log" \
	    "$2, pid $h_pid: killed by signal 9 \(SIGKILL\): it did not answer"
	check "$2: the old one is gone" gone "$h_pid"
}

hangs s cluster "$B/sentinelctl -s $CTL_SOCK"
hangs s docker "$B/sentinelctl -s $CTL_SOCK"
lists_local()
{
	ctl container list --json | jq -e --arg n $c 'any(.[]; .name == $n)'
}

check "the server's own containers are listed again" wait_for 10 lists_local
hangs worker-1 uplink "$actl"

# Longer than the time for an answer: first the parent alone, then all.
server=$(pid_of s)
all="$(children "$server")"
restarts_all()
{
	ctl status --json | jq -c '[.processes[].restarts]'
}
before=$(restarts_all)
kill -STOP "$server"
sleep 5
kill -CONT "$server"
sleep 2
check_eq "a parent that slept blames nobody" "$all" "$(children "$server")"
# shellcheck disable=SC2086
kill -STOP "$server" $all
sleep 5
# shellcheck disable=SC2086
kill -CONT $all "$server"
check "after the sleep of all of it the agent is there" \
    wait_connected worker-1
sleep 2
check_eq "and nobody was killed" "$all" "$(children "$server")"
check_eq "nor started again" "$before" "$(restarts_all)"

# Those that are not started alone end the daemon.
agent=$(pid_of worker-1)
pid=$(child_of worker-1 engine)
check "the engine is watched" wait_log worker-1 "engine, pid $pid: answers"
kill -STOP "$pid"
check "an engine that hangs ends the daemon" wait_for 20 gone "$agent"
wait "$agent"
check_eq "with status 1" 1 $?
check "its log says why" has "$T/worker-1.log" \
    "engine, pid $pid: killed by signal 9 \(SIGKILL\): it did not answer; ending"
check "nobody is left behind" none_left sentinel-agentd
agent_start worker-1
check "and it starts again as systemd would do it" wait_connected worker-1
