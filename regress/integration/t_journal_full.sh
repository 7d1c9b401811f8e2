# A full disk: the agent lives, says so, keeps results in the room that was
# reserved, also through kill -9, and counts what it could not keep.
# needs: root
# timeout: 90

a=jd-$$
trap 'scenario_end; lab_stop "$T/lab"' EXIT
# The engine is this scenario's own: what others do would be journaled, too.
must "an engine of its own" lab_start "$T/lab"
LAB_DIR=$T/lab
must "its image" lab_image demo:1 1
lab_docker run -d --name "$a" "$LAB_REGISTRY/demo:1" >/dev/null || exit 1

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

fill()
{
	dd if=/dev/zero of="$data/ballast" bs=4k 2>/dev/null
	dd if=/dev/zero of="$data/ballast2" bs=1 2>/dev/null
	[ "$(stat -f -c %f "$data")" -eq 0 ]
}

AGENT_DOCKER=unix://$LAB_DIR/docker.sock
data=$T/worker-1/data
must "the server starts" server_start
agent_conf worker-1 "grace_period_offline: 1s"
sed -i 's/heartbeat_interval: 1s/&\n    list_interval: 200ms/' \
    "$T/worker-1.conf"
mkdir -p "$data"
must "a small disk" mount -t tmpfs -o size=2m,mode=711 tmpfs "$data"
must "the agent enrols" enrolled worker-1
must "the disk is full" fill

check "a command is carried out" ctl container restart "worker-1/$a"
check "and its result is a row" rows 'length == 1 and
    .[0].action == "restart"'

# A result that finds no server.
requests()
{
	cksum <"$data/state/requests"
}
before=$(requests)
asked()
{
	[ "$(requests)" != "$before" ]
}
ctl container restart "worker-1/$a" >/dev/null 2>&1 &
op=$!
must "a command is under way" wait_for 10 asked
daemon_stop s KILL
wait $op
check "its result is kept" wait_for 20 entries \
    'any(.[]; .action == "restart" and (.id | startswith("request:")))'
id=$(entries -r '.[0].id')

# Changes have no room: lost, counted, told.
must "it is autonomous" wait_log worker-1 "autonomous mode: " 15
lab_docker stop -t 0 "$a" >/dev/null
check "what cannot be kept is told" wait_log worker-1 \
    "journal.log: entries are lost: No space left" 10
check "and counted" sh -c "$B/sentinelctl -s \
    $T/worker-1/run/sentinel-agentd.sock status --json |
    jq -e '.journal_lost >= 1'"
daemon_stop worker-1 KILL
: >"$T/worker-1.log"
agent_start worker-1
check "it starts on a full disk" wait_for 10 entries --arg i "$id" \
    'any(.[]; .id == $i)'
must "it is autonomous" wait_log worker-1 "autonomous mode: " 15
lab_docker start "$a" >/dev/null
check "more is lost" wait_log worker-1 "entries are lost" 10

# Room again: the gap is on record, the result arrives.
rm -f "$data/ballast" "$data/ballast2"
check "how many are missing is kept" wait_for 15 entries \
    'any(.[]; .action == "gap" and .outcome == "lost" and
    (.error | test("^[1-9][0-9]* entries are missing")))'
must "the server is back" server_start
check "the result is one row" wait_for 15 rows --arg i "$id" \
    '[.[] | select(.id == $i)] | length == 1'
check "and so is the gap" wait_for 10 rows 'any(.[]; .action == "gap")'
check "nothing waits" wait_for 10 entries 'length == 0'
