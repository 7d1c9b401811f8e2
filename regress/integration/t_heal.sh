# A change of a container that never came to the server: the sum in the agent's
# heartbeat differs, the server asks for the whole list, and is right again; it
# does not ask for ever when the sum is never right.
# timeout: 60

must "the server starts" server_start
mkdir "$T/a"
conn="--server 127.0.0.1:$PORT --ca $T/s/data/cluster/ca.pem --dir $T/a"
agent="$PEER/agent.py"
must "it enrols" $agent enroll $conn --token "$(token)" --name foreign

# session OPTIONS...: in the background, log foreign.log.
session()
{
	$agent run $conn --seconds 50 --heartbeat 0.5 --container web \
	    --container db --feature container-delta "$@" \
	    >"$T/foreign.log" 2>&1 &
	echo $! >"$T/foreign.pid"
	wait_connected foreign
}

session_end()
{
	kill "$(pid_of foreign)" 2>/dev/null
	wait "$(pid_of foreign)" 2>/dev/null
	wait_for 10 host_disconnected foreign
}

# state NAME STATE: as the server has it; while the sums agree it does not ask
# for this.
state()
{
	ctl container list --host foreign --json | jq -e --arg n "$1" \
	    --arg s "$2" 'any(.[]; .name == $n and .state == $s)'
}

asked()
{
	grep -c '"kind": "list_containers"' "$T/foreign.log"
}

must "a session that will lose a change" session --lose 3
sleep 1.2	# two heartbeats
check "before it" state web running
check_eq "the sums agree, nothing was asked for" 0 "$(asked)"
must "a change is lost, and the whole list is asked for" wait_for 10 \
    has "$T/foreign.log" '"kind": "list_containers"'
check_eq "after one question for the whole list" 1 "$(asked)"
check_eq "the log says why" 1 "$(grep -c "differs from ours: asked for" \
    "$T/s.log")"
sleep 2.5	# longer than the first wait until it would ask again
check "it is listed so" state web exited
check "and the other one as it was" state db running
check_eq "healed, it asks no more" 1 "$(asked)"
session_end

must "a session whose sum is never right" session --misbehave wrong-hash
sleep 7		# fourteen heartbeats; it asks after 0, 2 and 6 s
n=$(asked)
check "it is asked $n times: again, but not with each heartbeat" test \
    "$n" -ge 2 -a "$n" -le 4
check "and the session goes on" host_connected foreign
check "with its containers" state db running
session_end
