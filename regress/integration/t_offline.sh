# Offline life: without the server for the grace period the agent is
# autonomous, and journals what its containers do, whatever attempts to connect
# do meanwhile; on return each entry becomes one row.  A host that is let in
# and thrown out again is not back.
# needs: root
# timeout: 120

a=of-$$-a
b=of-$$-b
trap 'scenario_end; lab_stop "$T/lab"' EXIT
# The engine is this scenario's own: what others do would be journaled, too.
must "an engine of its own" lab_start "$T/lab"
LAB_DIR=$T/lab
must "its image" lab_image demo:1 1
lab_docker run -d --name "$a" "$LAB_REGISTRY/demo:1" >/dev/null || exit 1

# actl COMMAND...: sentinelctl on the agent's host.
actl()
{
	timeout 20 "$B/sentinelctl" -s "$T/worker-1/run/sentinel-agentd.sock" \
	    "$@"
}

# status FILTER; entries FILTER; rows FILTER: jq over what is shown, which has
# to be something.
status()
{
	actl status --json >"$T/json" && jq -e "$@" <"$T/json"
}

entries()
{
	actl journal list --json >"$T/json" && jq -e "$@" <"$T/json"
}

rows()
{
	ctl history list worker-1 --limit 1000 --json >"$T/json" &&
	    jq -e "$@" <"$T/json"
}

AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "the server starts" server_start
agent_conf worker-1 "grace_period_offline: 2s"
sed -i 's/heartbeat_interval: 1s/&\n    list_interval: 300ms\n    ping_interval: 1s\n    ping_timeout: 1s/' \
    "$T/worker-1.conf"
must "the agent enrols" enrolled worker-1
check "it is not autonomous" wait_for 5 status '.autonomous == false and
    (has("offline_since") | not) and .journal_entries == 0'

# Results while connected: a row each, and nothing is left in the journal.
check "a command" ctl container restart "worker-1/$a"
check "is a row" rows --arg c "$a" 'length == 1 and
    (.[0] | .action == "restart" and .outcome == "success" and
    .container == $c and .origin == "command")'
check "and acknowledged" wait_for 5 entries 'length == 0'

# The cable: the server is there and does not answer.
kill -STOP "$(pid_of s)" $(children "$(pid_of s)")
must "the agent notices" wait_log worker-1 "disconnected" 30
lab_docker run -d --name "$b" "$LAB_REGISTRY/demo:1" >/dev/null
check "and is autonomous after the grace period" wait_log worker-1 \
    "autonomous mode: .*no update is started" 10
check "status shows it" status '.autonomous and has("offline_since")'
check "what changed in the grace period is told" wait_for 5 entries \
    --arg c "$b" 'any(.[]; .container == $c and .action == "appeared")'
lab_docker stop -t 0 "$b" >/dev/null
check "a container that stops" wait_for 5 entries --arg c "$b" \
    'any(.[]; .container == $c and .action == "state" and
    .outcome == "exited")'
n=$(grep -c "autonomous mode: " "$T/worker-1.log")
check "attempts to connect end nothing" sh -c "
    sleep 2; [ \$(grep -c 'autonomous mode: ' $T/worker-1.log) -eq $n ]"
# Over before any list could tell.
lab_docker kill -s KILL "$a" >/dev/null && lab_docker start "$a" >/dev/null
check "one that ends and begins again at once" wait_for 5 entries \
    --arg c "$a" '[.[] | select(.container == $c and .action == "state") |
    .outcome] == ["exited", "running"]'
lab_docker rm "$b" >/dev/null
check "one that goes" wait_for 5 entries --arg c "$b" \
    'any(.[]; .container == $c and .action == "gone")'
check "each change is there once" entries --arg c "$b" \
    '[.[] | select(.container == $c) | [.action, .outcome]] |
    length >= 3 and length == (unique | length)'
want=$(jq -c --arg c "$b" '[.[] | select(.container == $c) |
    [.id, .action, .outcome, "offline"]]' <"$T/json")
check "its entries have ids of their own" entries \
    '([.[].id] | unique | length) == length'
check "in the order of their times" entries \
    '[.[].time] | . == sort'

# Back.
kill -CONT "$(pid_of s)" $(children "$(pid_of s)")
must "the server is back" wait_connected worker-1 30
check "the mode ends" wait_log worker-1 "autonomous mode ends" 10
check "the journal is empty" wait_for 15 entries 'length == 0'
check "every change is one row" rows --arg c "$b" --argjson want "$want" \
    '[.[] | select(.container == $c) |
    [.id, .action, .outcome, .origin]] == $want'
check "status is as before" status '.autonomous == false and
    (has("offline_since") | not)'
check "a short absence is not autonomous" sh -c "
    grep -c 'autonomous mode: ' $T/worker-1.log | grep -qx $n"
check_rc "history of a host that is not there: 3" 3 ctl history list nobody
check "of one container" sh -c "$B/sentinelctl -s $CTL_SOCK history list \
    worker-1/$b --json | jq -e 'length >= 3'"
check "for people" sh -c "$B/sentinelctl -s $CTL_SOCK history list |
    grep -q '$b.*gone'"

# Removed: the handshake works and every call is refused.  Not a session.
check "the host is removed" ctl host remove worker-1 --yes
check "so it becomes autonomous all the same" wait_for 20 status \
    '.autonomous'
