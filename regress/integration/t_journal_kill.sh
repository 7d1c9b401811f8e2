# kill -9 at random points, of the whole agent and of its engine, while the
# journal is imported, added to and replayed: at the end every entry is a row,
# and none is two.
# needs: root
# timeout: 120

a=jk-$$
trap 'scenario_end; lab_stop "$T/lab"' EXIT
# The engine is this scenario's own: what others do would be journaled, too.
must "an engine of its own" lab_start "$T/lab"
LAB_DIR=$T/lab
must "its image" lab_image demo:1 1
lab_docker run -d --name "$a" "$LAB_REGISTRY/demo:1" >/dev/null || exit 1
seed=$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')
echo "# seed $seed"
state=$seed
rounds=8
[ "$FULL" = 1 ] && rounds=40
file=$T/worker-1/data/cluster/offline_journal.json

# random N: 0 to N-1, the same for the same seed.
random()
{
	state=$(((state * 1103515245 + 12345) % 2147483648))
	echo $((state / 65536 % $1))
}

actl()
{
	timeout 20 "$B/sentinelctl" -s "$T/worker-1/run/sentinel-agentd.sock" \
	    "$@"
}

entries()
{
	actl journal list --limit 10000 --json >"$T/json" &&
	    jq -e "$@" <"$T/json"
}

# strike: kill -9 the agent or its engine, and wait until all of it has gone.
strike()
{
	if [ "$(random 2)" -eq 0 ]; then
		kill -9 "$(pid_of worker-1)"
	else
		kill -9 "$(child_of worker-1 engine || pid_of worker-1)"
	fi
	wait "$(pid_of worker-1)" 2>/dev/null
	wait_for 8 none_left sentinel-agentd || fail "processes are left"
}

# pause MSEC: for up to so many.
pause()
{
	sleep "$(printf '0.%03d' "$(random "$1")")"
}

AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "the server starts" server_start
agent_conf worker-1 "grace_period_offline: 1s"
sed -i 's/heartbeat_interval: 1s/&\n    list_interval: 100ms/' \
    "$T/worker-1.conf"
must "the agent enrols" enrolled worker-1
strike

# Import and replay: files of 300 entries, one a round.
i=0
while [ $i -lt "$rounds" ]; do
	if [ ! -e "$file" ]; then
		jq -n --arg r "$i" '[range(300) | {id: "file\($r)-\(.)",
		    timestamp: "2026-01-01T00:00:00Z", action: "update",
		    container: "c\(.)", outcome: "success", duration: 0}]' \
		    >"$T/new.json"
		mv "$T/new.json" "$file"
		echo "$i" >>"$T/given"
	fi
	agent_start worker-1
	pause 999
	strike
	i=$((i + 1))
done

# Additions: a container that comes and goes while there is no server.
daemon_stop s
: >"$T/worker-1.log"
agent_start worker-1
must "it is autonomous" wait_log worker-1 "autonomous mode: " 15
i=0
: >"$T/seen"
while [ $i -lt 4 ]; do
	lab_docker kill "$a" >/dev/null
	pause 400
	lab_docker start "$a" >/dev/null
	pause 300
	entries -r '.[].id' >>"$T/seen"
	strike
	: >"$T/worker-1.log"
	agent_start worker-1
	must "round $i: autonomous again" wait_log worker-1 \
	    "autonomous mode: " 15
	must "round $i: it shows its journal" entries 'type == "array"'
	jq -r '.[].id' "$T/json" >"$T/now"
	sort -u "$T/seen" >"$T/seen.sorted"
	sort "$T/now" >"$T/now.sorted"
	check_empty "round $i: nothing that was shown is lost" \
	    comm -23 "$T/seen.sorted" "$T/now.sorted"
	check_empty "round $i: and nothing is doubled" uniq -d "$T/now.sorted"
	i=$((i + 1))
done
check "there were entries" test -s "$T/seen"

# All of it arrives.
must "the server is back" server_start
must "the agent too" wait_connected worker-1
check "nothing waits in the end" wait_for 30 entries 'length == 0'
ctl history list worker-1 --limit 10000 --json >"$T/rows.json"
jq -r '.[].id' <"$T/rows.json" | sort >"$T/rows"
check_empty "no entry is two rows" uniq -d "$T/rows"
while read -r r; do
	jq -n -r --arg r "$r" 'range(300) | "file\($r)-\(.)"'
done <"$T/given" | cat - "$T/seen" | sort -u >"$T/want"
check_empty "and every entry is one" comm -23 "$T/want" "$T/rows"
check "files were given" test -s "$T/given"
