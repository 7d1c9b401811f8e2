# The same with the periods of a configuration that names none: a silent cut
# is known within 45 s on both sides, and by an agent of a foreign server.
# needs: root full
# timeout: 150

. regress/lab/cable.sh

limit=45500			# and half a second for the looking

# defaults FILE: no timers but those of reconnecting.
defaults()
{
	sed -i -E '/^ +(ping_(interval|timeout)|heartbeat_(interval|timeout)):/d' \
	    "$1"
}

server_conf
defaults "$T/s.conf"
must "the server starts" server_start
agent_conf worker-1
defaults "$T/worker-1.conf"
must "the agent connects" enrolled worker-1

# A foreign server on another port, for an agent of its own.
mkfifo "$T/in"
$PEER/server.py --listen "127.0.0.1:$((PORT + 1))" --dir "$T/ca" <"$T/in" \
    >"$T/server.log" 2>&1 &
echo $! >"$T/server.pid"
exec 7>"$T/in"
must "a foreign server" wait_log server ready 15
(umask 077; jq -r 'select(.event == "ready").token' "$T/server.log" \
    >"$T/worker-2.token")
AGENT_SERVER=127.0.0.1:$((PORT + 1)) agent_conf worker-2
defaults "$T/worker-2.conf"
agent_start worker-2
must "its agent connects" wait_log server '"heartbeat"' 15

# Shortly before a heartbeat: the worst moment, since its bytes get a time of
# their own from the kernel.
sleep 27
begin=$(now)
must "one cable is cut" cable_cut $PORT both
must "and the other" sh -c "nft add rule inet cable in tcp dport \
    $((PORT + 1)) drop && nft add rule inet cable in tcp sport \
    $((PORT + 1)) drop"

# measured WHAT COMMAND...: it becomes true in time.
measured()
{
	me_what=$1
	shift
	check "$me_what" wait_for 60 "$@"
	took=$(($(now) - begin))
	check "in time: $took ms" test $took -lt $limit
}

(measured "the server notices" host_disconnected worker-1) >"$T/s.tap" &
a=$!
(measured "its agent notices" has "$T/worker-1.log" \
    "connection timed out: no sign") >"$T/a.tap" &
b=$!
measured "the agent of the foreign server notices" has "$T/worker-2.log" \
    "connection timed out: no sign"
wait $a $b
cat "$T/s.tap" "$T/a.tap"
! grep -q '^not ok' "$T/s.tap" "$T/a.tap" || SCENARIO_RC=1
echo quit >&7
exec 7>&-
