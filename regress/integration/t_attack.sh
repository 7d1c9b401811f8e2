# Under attack by an agent that is enrolled and means harm: what it can do with
# frames and with messages hurts only itself.  After each kind of attack the
# server answers, the other agent is in the session it had, memory is bounded,
# and the log has a few lines, not a line for each blow.
# timeout: 180

MEMORY_KB=65536		# that all processes of the server may grow by
LINES=60		# of the log, for one attack

must "the server starts" server_start
must "an agent connects" enrolled worker-1
mkdir "$T/a"
must "another one is not ours" $PEER/agent.py enroll \
    --server "127.0.0.1:$PORT" --ca "$T/s/data/cluster/ca.pem" \
    --dir "$T/a" --token "$(token)" --name attacker
cluster=$(child_of s cluster)

memory()
{
	for m_pid in $(pid_of s) $(children "$(pid_of s)"); do
		cat "/proc/$m_pid/smaps_rollup" 2>/dev/null
	done | awk '/^Pss:/ { n += $2 } END { print n }'
}

# Without debug lines, which a log of its own has for this test.
lines()
{
	grep -vc ' debug ' "$T/s.log"
}

unharmed()
{
	check "$1: the server answers" ctl status
	check "$1: the other agent is there" host_connected worker-1
	ua_grown=$(($(memory) - before))
	check "$1: memory is bounded (grown by $ua_grown KiB)" \
	    test "$ua_grown" -lt $MEMORY_KB
	ua_lines=$(($(lines) - lines))
	check "$1: the log is short ($ua_lines lines)" \
	    test "$ua_lines" -le $LINES
}

before=$(memory)

# attack KIND REGEX: it must end so.
attack()
{
	lines=$(lines)
	$PEER/attack.py "$1" --server "127.0.0.1:$PORT" --dir "$T/a" \
	    --seconds "${3:-2}" >"$T/check.out" 2>&1
	said "$1: ends as it must" "$2"
	sed 's/^/# /' "$T/check.out"
	unharmed "$1"
}

# flood KIND: the server ends the connection, and says why in its log.
flood()
{
	attack "$1" '"how": "(goaway|reset|eof)'
	check "$1: the log tells" test $(($(lines) - lines)) -ge 1
}

# The connection ends: GOAWAY with a reason, or at once.
flood ping-flood
flood settings-flood
flood priority-flood
flood window-flood
flood empty-data
flood rst-flood
flood rapid-reset
flood continuation
# One request is refused; the connection may live.
attack big-headers '"over"'
attack stalled-reader '"over"'
attack slow-writer '"over"'
# The messages of a session.
attack empty-items '"how": "(goaway|reset|eof)|"streams": [12]' 6
attack list-flood '"over"' 3
attack journal-flood '"over"' 3
attack renewal-flood '"over"' 3
attack result-flood '"over"' 3
attack beat-flood '"over"' 3

check_eq "the cluster process is the same as before" "$cluster" \
    "$(child_of s cluster)"
check_not "the other agent had one session" has "$T/worker-1.log" \
    "session ended|disconnected"
