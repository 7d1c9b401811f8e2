# One certificate on two machines: the host is frozen until an operator says
# so; an agent that moves or comes back quickly is not.
# needs: root
# timeout: 120

ip addr add 10.9.0.1/32 dev lo
server_conf
sed -i 's,listen: ".*",listen: "0.0.0.0:9443",' "$T/s.conf"
must "the server starts" server_start
conn="--ca $T/s/data/cluster/ca.pem --dir $T/f"
agent="$PEER/agent.py"

# host NAME FILTER
host()
{
	ctl host show "$1" --json | jq -e "$2"
}

# A foreign agent that goes to and fro, each time after it has ended its
# stream, and comes back at once.
mkdir "$T/f"
must "a foreign agent enrols" $agent enroll $conn --server 127.0.0.1:9443 \
    --token "$(token)" --name nomad
for from in 127.0.0.1 10.9.0.1 127.0.0.1 10.9.0.1 127.0.0.1; do
	$agent run $conn --server "$from:9443" --seconds 0.3 \
	    >>"$T/nomad.log" 2>&1
done
check_eq "it had five sessions" 5 "$(grep -c '"session"' "$T/nomad.log")"
check "from both addresses" sh -c "grep -c 'connected from 127.0.0.1' \
    '$T/s.log' && grep -c 'connected from 10.9.0.1' '$T/s.log'"
check "and is not frozen" host nomad '.state == "active"'

# The data directory of an agent is copied to another machine.
must "our agent connects" enrolled web
check "and is restarted" daemon_stop web
agent_start web
must "it is back" wait_connected web
check "not frozen" host web '.state == "active"'
AGENT_SERVER=10.9.0.1:9443
agent_conf copy "server_name: localhost"
cp -a "$T/web/data" "$T/copy/data"
rm -f "$T/copy/data/lock"
agent_start copy
check "both at the same time: frozen" wait_for 30 host web \
    '.state == "frozen"'
check "the log names both, and what to do" has "$T/s.log" "frozen: its \
certificate is in use at (127.0.0.1 and at 10.9.0.1|10.9.0.1 and at 127.0.0.1) \
at the same time: .*sentinelctl host unfreeze web"
check "so does the host" sh -c "$B/sentinelctl -s $CTL_SOCK host show web |
    grep -E 'frozen +its certificate is in use at .*10.9.0.1'"
check "and the list" sh -c "$B/sentinelctl -s $CTL_SOCK host list |
    grep -E '^web +frozen'"
check "and the events" sh -c "$B/sentinelctl -s $CTL_SOCK events |
    grep -E 'frozen: its certificate is in use'"
check "and the audit trail" sh -c "$B/sentinelctl -s $CTL_SOCK audit list \
    --json | jq -e 'any(.[]; .actor == \"sentineld\" and
    .action == \"host.freeze\" and (.subject | startswith(\"host web (\")))'"
for n in web copy; do
	check "$n is told why" wait_log $n "host is frozen: two machines use its certificate"
done
sleep 2
check "neither gets in" host web '.connected == false'
check_rc "nothing can be done there: 5" 5 ctl container stop web/x
daemon_stop s KILL
must "and starts" server_start
sleep 2
check "it is frozen still" host web '.state == "frozen" and (.connected | not)'

# The copy goes, the operator says so.
daemon_stop copy
check "unfreeze" ctl host unfreeze web
check "it comes back" wait_connected web
check "as it was" host web '.state == "active" and (has("frozen") | not)'
check "unfreeze twice is once" ctl host unfreeze web
check "recorded" sh -c "$B/sentinelctl -s $CTL_SOCK audit list --json |
    jq -e '[.[] | select(.action == \"host.unfreeze\")] | length == 1'"

# The copy comes again, and now a new machine takes the place of both.
agent_start copy
check "frozen again" wait_for 30 host web '.state == "frozen"'
AGENT_SERVER=127.0.0.1:9443
(umask 077; token --replace web >"$T/fresh.token")
agent_start fresh
check "a machine with a key of its own gets in" wait_for 15 host web \
    '.state == "active" and .connected'
for n in web copy; do
	check "$n is told" wait_log $n "certificate has been revoked"
done
check "the trail is whole" ctl audit verify
