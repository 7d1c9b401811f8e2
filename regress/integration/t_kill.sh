# kill -9 of any child ends the daemon with a line that names it, and leaves
# neither a process nor a stale socket.
# needs: root
# timeout: 180

must "the server starts" server_start
must "an agent connects" enrolled worker-1

for role in keyholder engine control; do
	victim=$(child_of s $role)
	: >"$T/s.log"
	must "there is a process $role" test -n "$victim"
	kill -9 "$victim"
	check "server: without $role it ends" wait_for 8 gone "$(pid_of s)"
	wait "$(pid_of s)"
	check_eq "server: exit status" 1 $?
	check "server: the log names $role and the signal" has "$T/s.log" \
	    "$role.*(signal 9|[Kk]illed|SIGKILL)"
	check_empty "server: nobody is left" left sentineld
	check_not "server: nor its socket" test -e "$CTL_SOCK"
	must "server: it starts again" server_start
	check "the agent comes back" wait_connected worker-1
done

for role in keyholder engine control; do
	victim=$(child_of worker-1 $role)
	: >"$T/worker-1.log"
	must "there is a process $role" test -n "$victim"
	kill -9 "$victim"
	check "agent: without $role it ends" wait_for 8 gone \
	    "$(pid_of worker-1)"
	wait "$(pid_of worker-1)"
	check_eq "agent: exit status" 1 $?
	check "agent: the log names $role and the signal" \
	    has "$T/worker-1.log" "$role.*(signal 9|[Kk]illed|SIGKILL)"
	check_empty "agent: nobody is left" left sentinel-agentd
	check_not "agent: nor its socket" test -e \
	    "$T/worker-1/run/sentinel-agentd.sock"
	agent_start worker-1
	must "it connects again" wait_connected worker-1
done

# The parent: children must not outlive it.
kill -9 "$(pid_of s)"
check "server: no child outlives the parent" wait_for 8 none_left sentineld
wait "$(pid_of s)" 2>/dev/null
must "it starts again" server_start
kill -9 "$(pid_of worker-1)"
check "agent: no child outlives the parent" wait_for 8 none_left sentinel-agentd
wait "$(pid_of worker-1)" 2>/dev/null

# A sandbox violation is told apart: SIGSYS.
agent_start worker-1
must "it connects again" wait_connected worker-1
: >"$T/worker-1.log"
kill -SYS "$(child_of worker-1 uplink)"
check "SIGSYS ends the daemon" wait_for 8 gone "$(pid_of worker-1)"
wait "$(pid_of worker-1)" 2>/dev/null
check "as a sandbox violation" has "$T/worker-1.log" \
    "uplink.*sandbox violation|sandbox violation.*uplink"
