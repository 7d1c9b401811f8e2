# A data directory changes hands, both ways: what the server has not got goes
# into offline_journal.json when the agent stops, is replayed by whoever comes
# next, and is imported once; whatever is replayed twice is one row.  The
# engine is this scenario's own: what others do would be journaled, too.
# needs: root
# timeout: 90

a=jf-$$
trap 'scenario_end; lab_stop "$T/lab"' EXIT
must "an engine of its own" lab_start "$T/lab"
LAB_DIR=$T/lab
must "its image" lab_image demo:1 1
lab_docker run -d --name "$a" "$LAB_REGISTRY/demo:1" >/dev/null || exit 1
cluster=$T/worker-1/data/cluster
file=$cluster/offline_journal.json

actl()
{
	timeout 20 "$B/sentinelctl" -s "$T/worker-1/run/sentinel-agentd.sock" \
	    "$@"
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
agent_conf worker-1 "grace_period_offline: 1s"
sed -i 's/heartbeat_interval: 1s/&\n    list_interval: 200ms/' \
    "$T/worker-1.conf"
must "the agent enrols" enrolled worker-1
daemon_stop s
must "without its server it is autonomous" wait_log worker-1 \
    "autonomous mode: " 15
lab_docker stop -t 0 "$a" >/dev/null
check "it journals" wait_for 5 entries 'length == 1'
check_not "there is no file" test -e "$file"

# By hand.
check "journal export" actl journal export
check "an array in the keys of the other implementation" jq -e --arg c "$a" \
    'length == 1 and (.[0] | .container == $c and .action == "state" and
    .outcome == "exited" and .duration == 0 and
    (keys - ["id", "timestamp", "action", "container", "old_image",
    "new_image", "old_digest", "new_digest", "outcome", "error",
    "duration"] == []) and (.id | length) > 0 and
    (.timestamp | test("^20[0-9-]*T[0-9:]*\\.[0-9]{9}Z$")))' "$file"
check_eq "for nobody else" 600 "$(stat -c %a "$file")"
check "the entry is still the agent's" entries 'length == 1'
id=$(jq -r '.[0].id' "$file")

# A crash with the file in place: imported, and not doubled.
daemon_stop worker-1 KILL
agent_start worker-1
check "after kill -9 it is imported" wait_log worker-1 \
    "offline_journal.json: 0 entries imported"
check "and removed" wait_for 5 test ! -e "$file"
check "the entry is there once" entries --arg i "$id" \
    'length == 1 and .[0].id == $i'

# An orderly stop moves the journal there.
daemon_stop worker-1
check "stopping writes the file" jq -e --arg i "$id" \
    'length == 1 and .[0].id == $i' "$file"
check_eq "and the journal is empty" 0 \
    "$(stat -c %s "$T/worker-1/data/state/journal.log")"
check_not "nothing half done is left" test -e "$file.new"
cp "$file" "$T/kept.json"

# Another implementation in the same directory replays it, twice, and clears.
must "the server is back" server_start
$PEER/agent.py run --ca "$cluster/ca.pem" --dir "$cluster" --seconds 3 \
    --journal "$file" --journal "$file" >"$T/foreign.log" 2>&1
check "another agent with this directory replays it" has "$T/foreign.log" \
    '"replay".*"entries": 1'
check "it is one row" rows --arg i "$id" 'length == 1 and
    (.[0] | .id == $i and .origin == "offline" and .action == "state")'
rm -f "$file"

# And back, with a file of its own, and with the old one once more.
jq '. + [{id: "", timestamp: "2026-01-02T03:04:05.000000006+01:00",
    action: "update", container: "db", old_image: "db:1", new_image: "db:2",
    outcome: "success", duration: 1500000000, future: [1, {a: 2}]},
    {id: 7}]' <"$T/kept.json" >"$file"
agent_start worker-1
must "our agent takes over" wait_log worker-1 "2 entries imported"
check "what is broken is counted" has "$T/worker-1.log" \
    "1 broken entries ignored"
check "its entry is a row, the old one is none" wait_for 10 rows \
    'length == 2 and any(.[]; .container == "db" and
    .time == "2026-01-02T02:04:05Z" and .duration_ms == 1500)'
check "nothing waits" wait_for 5 entries 'length == 0'
check "the file has gone" test ! -e "$file"
daemon_stop worker-1
check "no entries, no file" test ! -e "$file"

# Rubbish keeps no agent from starting, and is not thrown away.
echo '[{"id": "half"' >"$file"
: >"$T/worker-1.log"
agent_start worker-1
check "a broken file is told" wait_log worker-1 \
    "not a JSON array from some place on.*the file stays"
check "the agent connects" wait_connected worker-1
check "the file is there" test -e "$file"
daemon_stop worker-1
rm -f "$file"
ln -s /etc/passwd "$file"
agent_start worker-1
check "a symbolic link is not followed" wait_log worker-1 "not imported"
check "and the agent connects" wait_connected worker-1
