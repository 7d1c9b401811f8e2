# A broken machine is replaced under its old identity: new key, same host; the
# old certificate dies at the first contact of the new machine.
# timeout: 120

must "the server starts" server_start
must "the old machine connects" enrolled worker
id=$(ctl host show worker --json | jq -r .id)
old=$(ctl host show worker --json | jq -r .cert_serial)
check "it has a label" ctl host label worker env=prod
check "and is paused" ctl host pause worker
conn="--server 127.0.0.1:$PORT --ca $T/s/data/cluster/ca.pem"
agent="$PEER/agent.py"

# host FILTER: jq on the host.
host()
{
	ctl host show worker --json | jq -e "$1"
}

check_rc "no such host: 3" 3 ctl token create --replace nobody
check_rc "two uses: 2" 2 ctl token create --replace worker --uses 2
good=$(token --replace WORKER --label rack=9)
check "the token names the host" sh -c "$B/sentinelctl -s $CTL_SOCK token list |
    grep -q 'replaces worker'"

# Issued, but the new machine has not connected: the old one works on.
mkdir "$T/new"
must "the new machine enrols" $agent enroll $conn --dir "$T/new" \
    --token "$good" --name shiny
check_eq "as the same host" "$id" "$(cat "$T/new/host-id")"
check "the old one is connected" host ".connected and
    .cert_serial == \"$old\" and .name == \"worker\""
must "the answer was lost: again" $agent enroll $conn --dir "$T/new" \
    --token "$good" --name shiny --keep-key
mkdir "$T/thief"
check_rc "another key" 1 $agent enroll $conn --dir "$T/thief" \
    --token "$good" --name shiny
said "no" "PERMISSION_DENIED: token already used"
daemon_stop s KILL
must "and starts" server_start
must "the old one is back" wait_connected worker
check "with its certificate" host ".cert_serial == \"$old\""

# First contact.
begin=$(date +%s%3N)
$agent run $conn --dir "$T/new" --seconds 60 >"$T/new.log" 2>&1 &
new=$!
check "the old stream ends" wait_log worker "certificate has been revoked" 5
check "with the reason" wait_log worker "the server refuses this host" 3
took=$(($(date +%s%3N) - begin))
echo "# $took ms after the new machine was started"
check "the new one is connected" wait_for 5 host \
    ".connected and .cert_serial != \"$old\""
check "host, labels and pause are the old one's" host ".id == \"$id\" and
    .name == \"worker\" and .state == \"paused\" and
    .labels == {env: \"prod\", rack: \"9\"}"
check_eq "one host" 1 "$(hosts length)"
check "it can be worked with" ctl host resume worker
cp -a "$T/worker/data/cluster" "$T/gone"
sleep 2
check "the old one stays out" host ".connected and .cert_serial != \"$old\""
check_rc "it may try as it likes" 1 $agent run $conn --dir "$T/gone" --seconds 3
said "it is told why" "PERMISSION_DENIED: certificate has been revoked"
check_rc "the token is spent" 1 $agent enroll $conn --dir "$T/new" \
    --token "$good" --name shiny --keep-key
said "and says so" "PERMISSION_DENIED: token already used"
daemon_stop worker
must "the server stops" daemon_stop s
kill $new 2>/dev/null
wait $new 2>/dev/null
must "and starts" server_start
check_rc "the old one stays out after a restart" 1 $agent run $conn \
    --dir "$T/gone" --seconds 3
said "for the same reason" "PERMISSION_DENIED: certificate has been revoked"

# Our own agent on the new machine.
serial=$(ctl host show worker --json | jq -r .cert_serial)
(umask 077; token --replace worker >"$T/spare.token")
agent_start spare
check "ours takes the place" wait_for 15 host \
    ".connected and .cert_serial != \"$serial\""
check "of that host" host ".id == \"$id\" and .name == \"worker\""
check_eq "one host still" 1 "$(hosts length)"
check "recorded" sh -c "$B/sentinelctl -s $CTL_SOCK audit list --json |
    jq -e '[.[] | select(.action == \"host.take-over\")] | length == 2'"
check "the trail is whole" ctl audit verify
