# Two thousand connections that never say a word, from many addresses: those
# who are connected notice nothing, and who comes gets in.
# needs: root
# timeout: 120

must "the server starts" server_start
must "an agent connects" enrolled worker-1
(umask 077; token --name worker-2 >"$T/worker-2.token")
lines=$(grep -vc ' debug ' "$T/s.log")

$PEER/attack.py half-open --server "127.0.0.1:$PORT" --seconds 8 \
    >"$T/attack.log" 2>&1 &
attack=$!
sleep 1
check "the server answers" ctl status
agent_start worker-2
check "a new agent enrols meanwhile" wait_connected worker-2 20
check "the other one is there" host_connected worker-1
wait $attack
check "most of them were ended by the server" sh -c \
    "jq -e '.ended > 1500' '$T/attack.log'"
check_not "the first agent had one session" has "$T/worker-1.log" \
    "session ended|disconnected"
grown=$(($(grep -vc ' debug ' "$T/s.log") - lines))
check "the log is short ($grown lines)" test $grown -le 60
check "no descriptor is left behind" wait_for 10 sh -c "
    [ \$(ls /proc/$(child_of s cluster)/fd | wc -l) -lt 60 ]"
