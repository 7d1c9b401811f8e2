# A cable that is cut without a word: both ends notice within their periods,
# towards foreign peers too, whether bytes are under way or not, and a peer
# that hangs is found by those that can ask.
# needs: root
# timeout: 120

. regress/lab/cable.sh

agent_timers="ping_interval: 700ms\n    ping_timeout: 1300ms"
# For a cut at any moment: period, time to answer, and a second of ours.
limit=3000

# agent_periods HEARTBEAT: worker-1 with short pings.
agent_periods()
{
	agent_conf worker-1
	sed -i -e "s/^    heartbeat_interval: .*/    heartbeat_interval: $1/" \
	    -e "s/^    connect_timeout: .*/    connect_timeout: 1s/" \
	    -e "s/^    reconnect_min:/    $agent_timers\n&/" "$T/worker-1.conf"
}

# mark: from here on the agent's log counts.
mark()
{
	marked=$(wc -l <"$T/worker-1.log")
}

logged()
{
	tail -n +$((marked + 1)) "$T/worker-1.log" | grep -Eq "$1"
}

agent_timed_out()
{
	logged "disconnected: .*connection timed out: no sign of the server"
}

agent_back()
{
	logged "session with"
}

host()
{
	ctl host show "$1" --json | jq -e "$2"
}

# --- both ours --------------------------------------------------------------

server_conf
sed -i -e "s/heartbeat_timeout: .*/heartbeat_timeout: 1h/" \
    -e "s/ping_interval: .*/ping_interval: 700ms/" \
    -e "s/ping_timeout: .*/ping_timeout: 1300ms/" "$T/s.conf"
must "the server starts" server_start
agent_periods 1h
must "the agent connects" enrolled worker-1

for dir in both to-server to-agent; do
	mark
	begin=$(now)
	must "the cable is cut, $dir" cable_cut $PORT $dir
	check "the server notices" wait_for 10 host_disconnected worker-1
	took_s=$(($(now) - begin))
	check "the agent notices" wait_for 10 agent_timed_out
	took_a=$(($(now) - begin))
	check "in time: $took_s ms" test $took_s -lt $limit
	check "in time: $took_a ms" test $took_a -lt $limit
	check "network, and why" host worker-1 \
	    '.disconnect_cat == "network" and
	    .disconnect_err == "connection timed out"'
	cable_mend
	check "mended, it comes back" wait_connected worker-1 10
done

mark
begin=$(now)
kill -STOP "$(child_of s cluster)"
check "a server that hangs is noticed" wait_for 10 agent_timed_out
took=$(($(now) - begin))
kill -CONT "$(child_of s cluster)"
check "in time: $took ms" test $took -lt $limit
check "and found again" wait_connected worker-1 10
mark
kill -STOP "$(child_of worker-1 uplink)"
begin=$(now)
check "an agent that hangs is noticed" wait_for 10 host_disconnected worker-1
took=$(($(now) - begin))
kill -CONT "$(child_of worker-1 uplink)"
check "in time: $took ms" test $took -lt $limit
check "network, too" host worker-1 '.disconnect_cat == "network"'
check "it comes back" wait_connected worker-1 10

# --- a foreign agent ----------------------------------------------------------

mkdir "$T/a"
conn="--server 127.0.0.1:$PORT --ca $T/s/data/cluster/ca.pem --dir $T/a"
must "a foreign agent enrols" $PEER/agent.py enroll $conn \
    --token "$(token)" --name foreign
$PEER/agent.py run $conn --seconds 60 --heartbeat 30 >"$T/foreign.log" 2>&1 &
foreign=$!
must "and connects" wait_connected foreign
begin=$(now)
must "its cable is cut" cable_cut $PORT both
check "the server notices" wait_for 10 host_disconnected foreign
took=$(($(now) - begin))
check "in time: $took ms" test $took -lt $limit
cable_mend
kill $foreign
wait $foreign 2>/dev/null
daemon_stop worker-1
daemon_stop s

# --- a foreign server -----------------------------------------------------------

rm -rf "$T/worker-1/data"
mkfifo "$T/in"
$PEER/server.py --listen "127.0.0.1:$PORT" --dir "$T/ca" <"$T/in" \
    >"$T/server.log" 2>&1 &
echo $! >"$T/server.pid"
exec 7>"$T/in"
must "a foreign server" wait_log server ready 15
(umask 077; jq -r 'select(.event == "ready").token' "$T/server.log" \
    >"$T/worker-1.token")
# With bytes that nobody acknowledges, and with none under way.
for beat in 500ms 1h; do
	agent_periods $beat
	touch "$T/worker-1.log"
	mark
	agent_start worker-1
	must "the agent connects, heartbeats each $beat" wait_for 10 agent_back
	mark
	sleep 2.5
	check_not "calm is no silence" agent_timed_out
	begin=$(now)
	must "the cable is cut" cable_cut $PORT both
	check "the agent notices" wait_for 10 agent_timed_out
	took=$(($(now) - begin))
	check "in time: $took ms" test $took -lt $limit
	mark
	cable_mend
	check "mended, it comes back" wait_for 10 agent_back
	daemon_stop worker-1
done
echo quit >&7
exec 7>&-
