# The agent updates the container that it runs in, and at a record of the
# journal the helper, the agent or dockerd is killed: in the end there is one
# agent, the old or the new one, connected, and no helper, and the outcome is
# told once.  A sample with a printed seed in make check (SEED=n repeats one),
# every record with FULL=1.  The engine is this scenario's own.
# needs: root
# timeout: 300
# full: 7200

trap 'lab_stop "$T/lab"' EXIT
# Otherwise a dockerd that was killed sends SIGTERM to all and starts them
# before they have ended, which fails: nobody would be left to go on.
mkdir -p "$T/lab/etc-docker"
echo '{ "live-restore": true }' >"$T/lab/etc-docker/daemon.json"
must "an engine of its own" lab_start "$T/lab"
LAB_DIR=$T/lab
. regress/lab/selfimage.sh
v=$LAB_REGISTRY/sentinel-kill
a=sentinel-agent
must "make image" self_image
must "version 2" self_variant 2 'ENV VERSION=2'
must "version 3" self_variant 3 'ENV VERSION=3'
# Addresses, and a way to its socket, that outlive the engine.
must "a network" lab_docker network create --subnet 10.78.1.0/24 self
must "a server" lab_docker run -d --name sentinel-server --restart always \
    --network self --ip 10.78.1.2 -v sentinel-data:/data \
    -e SENTINEL_CLUSTER=true "$v:1" -d -o server.docker=none
in_server() { lab_docker exec sentinel-server sentinelctl "$@"; }
must "it answers" wait_for 20 in_server status
must "an agent" lab_docker run -d --name $a --restart unless-stopped \
    --network self --ip 10.78.1.3 --stop-timeout 60 \
    -v "$LAB_DIR:/lab:ro" \
    -v sentinel-agent-data:/data -e SENTINEL_MODE=agent \
    -e SENTINEL_SERVER_ADDR=10.78.1.2:9443 -e SENTINEL_HOST_NAME=worker-1 \
    -e SENTINEL_ENROLL_TOKEN="$(in_server token create --json |
    jq -r .token)" "$v:2" -d -o agent.timers.self_update=20s \
    -o agent.docker=unix:///lab/docker.sock
journal=$LAB_DIR/data/volumes/sentinel-agent-data/_data/update.journal
kill9="/usr/bin/python3 regress/lab/journalkill.py $journal"

image_now() { lab_docker inspect -f '{{.Config.Image}}' $a; }

connected()
{
	in_server host list --json |
	    jq -se '.[0] | any(.[]; .name == "worker-1" and .connected)'
}

settled()
{
	[ "$(lab_docker ps -a --filter name=$a \
	    --format '{{.Names}} {{.State}}')" = "$a running" ] &&
	    [ ! -s "$journal" ] && connected
}

# rows: how many updates of it the history has.
rows()
{
	in_server history list --limit 10000 --json | jq -rs '[.[0][] |
	    select(.container == "'$a'" and .action == "update")] | length'
}

grown() { [ "$(rows)" = "$1" ]; }

# other: the image that it is not on now.
other()
{
	case $(image_now) in
	*:2)	echo "$v:3" ;;
	*)	echo "$v:2" ;;
	esac
}

# update IMAGE: in the background; one that was rolled back before, too.
update()
{
	timeout 120 docker -H "unix://$LAB_DIR/docker.sock" exec \
	    sentinel-server sentinelctl container update worker-1/$a \
	    --image "$1" --force >>"$T/update.log" 2>&1 &
}

points=0
held=0
missed=0
# once WHO RECORD: an update, hit at that record.
once()
{
	on_old=$(image_now)
	on_new=$(other)
	on_rows=$(rows)
	on_rc=$SCENARIO_RC
	SCENARIO_RC=0
	$kill9 "$2" KILL "@$1" >"$T/record" 2>&1 &
	on_watch=$!
	update "$on_new"
	on_update=$!
	# The last record is there for a moment only.
	wait $on_watch || missed=$((missed + 1))
	on_text="$1 killed at record $2 ($(cat "$T/record"))"
	points=$((points + 1))
	if ! wait_for 120 settled; then
		fail "$on_text: not settled"
		lab_docker ps -a | sed 's/^/# /'
		tail -n 5 "$T/update.log" | sed 's/^/# /'
		lab_docker logs --tail 20 $a 2>&1 | sed 's/^/# /'
		exit 1
	fi
	case $(image_now) in
	"$on_old"|"$on_new")
		pass "$on_text: $(image_now | sed 's/.*://')" ;;
	*)	fail "$on_text: the image is $(image_now)" ;;
	esac
	check_eq "$on_text: its policy" unless-stopped \
	    "$(lab_docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' $a)"
	check "$on_text: told once" wait_for 30 grown $((on_rows + 1)) ||
	    echo "# $on_rows rows before, $(rows) now"
	kill $on_update 2>/dev/null
	wait $on_update 2>/dev/null
	[ $SCENARIO_RC -eq 0 ] && held=$((held + 1))
	SCENARIO_RC=$((SCENARIO_RC + on_rc))
}

must "the agent is there" wait_for 30 settled
$kill9 0 KILL >"$T/record" &
watch=$!
update "$(other)"
wait $watch
must "an update" wait_for 60 settled
echo "# $(cat "$T/record")"
n=$(sed 's/:.*//' "$T/record")
# Before it there is no helper.
hand=$(sed 's/^[0-9]*: //' "$T/record" | tr , '\n' |
    grep -n 'step handover' | cut -d : -f 1)
must "the journal tells of it" test "$n" -gt 10 -a "${hand:-0}" -gt 2

seed=${SEED:-$(date +%s)}
i=1
while [ $i -lt "$n" ]; do
	[ $i -ge "$hand" ] && echo helper $i
	echo agent $i
	echo dockerd $i
	i=$((i + 1))
done >"$T/all"
total=$(wc -l <"$T/all")
awk -v seed="$seed" 'BEGIN { srand(seed) } { print rand(), $0 }' "$T/all" |
    sort -n | cut -d ' ' -f 2- >"$T/sample"
[ "$FULL" = 1 ] || sed -i 2q "$T/sample"
while read -r who record; do
	once "$who" "$record" </dev/null
done <"$T/sample"
echo "# matrix: $points points of $total, $held held ($missed came to their" \
    "end unhurt), SEED=$seed"
check "most of them were hit" test $((missed * 3)) -le $((points + 2))
exit $SCENARIO_RC
