# kill -9 of the docker process, of the whole agent and of dockerd, and
# SIGTERM, at records of the update journal: afterwards exactly one container
# runs under the name, on the old or on the new image, and nothing of the
# update is left.  A sample of records in make check (SEED=n repeats one),
# every one in make check-full.  The engine is this scenario's own.
# needs: root
# timeout: 400

trap 'scenario_end; lab_stop "$T/lab"' EXIT
must "an engine of its own" lab_start "$T/lab"
LAB_DIR=$T/lab
must "its images" lab_images demo
c=crash
# dockerd starts it again after its own death; ours must keep that.
lab_docker run -d --name $c --restart always "$LAB_REGISTRY/demo:1" \
    >/dev/null || exit 1

AGENT_DOCKER=unix://$LAB_DIR/docker.sock
agent_conf worker-1
sed -i 's/gate_running:.*/gate_running: 300ms/' "$T/worker-1.conf"
must "the server starts" server_start
must "the agent connects" enrolled worker-1
journal=$T/worker-1/data/update.journal
kill9="/usr/bin/python3 regress/lab/journalkill.py $journal"

image_now()
{
	lab_docker inspect -f '{{.Config.Image}}' $c
}

settled()
{
	[ "$(lab_docker ps -a --format '{{.Names}} {{.State}}')" = \
	    "$c running" ] && [ ! -s "$journal" ] && host_connected worker-1
}

# update IMAGE: in the background.
update()
{
	timeout 60 "$B/sentinelctl" -s "$CTL_SOCK" container update \
	    "worker-1/$c" --image "$LAB_REGISTRY/demo:$1" \
	    >>"$T/update.log" 2>&1 &
}

victims()
{
	case $1 in
	docker)	child_of worker-1 docker ;;
	agent)	echo "$(pid_of worker-1)" "$(children "$(pid_of worker-1)")" ;;
	term)	pid_of worker-1 ;;
	dockerd) cat "$T/dockerd.outer" ;;
	esac
}

# dockerd's pid as this namespace sees it.
find_dockerd()
{
	pgrep -x dockerd >"$T/dockerd.outer"
}

# once VICTIM RECORD IMAGE: an update to IMAGE, hit at that record.
once()
{
	on_text="$1 at record $2, to demo:$3"
	on_old=$(image_now)
	[ "$1" = dockerd ] && ! wait_for 10 find_dockerd && {
		fail "$on_text: no dockerd"
		return
	}
	on_sig=KILL
	[ "$1" = term ] && on_sig=TERM
	# shellcheck disable=SC2046
	$kill9 "$2" $on_sig $(victims "$1") >"$T/record" 2>&1 &
	on_watch=$!
	update "$3"
	on_update=$!
	if ! wait $on_watch; then
		# The last record is there for a moment only.
		on_text="$on_text (ended before)"
		wait $on_update
		set -- none "$2" "$3"
	fi
	case $1 in
	agent|term)
		wait_for 8 gone "$(pid_of worker-1)" ||
		    fail "$on_text: the agent does not end"
		wait "$(pid_of worker-1)" 2>/dev/null
		agent_start worker-1
		;;
	esac
	on_text="$on_text ($(cat "$T/record"))"
	if ! wait_for 60 settled; then
		fail "$on_text: not settled"
		lab_docker ps -a | sed 's/^/# /'
		od -c "$journal" | head -n 20 | sed 's/^/# /'
		tail -n 5 "$T/update.log" | sed 's/^/# /'
		exit 1
	fi
	on_new=$(image_now)
	case $on_new in
	"$on_old"|"$LAB_REGISTRY/demo:$3")
		pass "$on_text: ${on_new##*:}"
		;;
	*)	fail "$on_text: the image is $on_new" ;;
	esac
	check_eq "$on_text: restart policy" always \
	    "$(lab_docker inspect -f '{{.HostConfig.RestartPolicy.Name}}' $c)"
	kill $on_update 2>/dev/null
	wait $on_update 2>/dev/null
	# Every death of the docker process doubles its next wait: forget them.
	if [ "$1" = docker ]; then
		daemon_stop worker-1
		agent_start worker-1
		must "$on_text: it is back" wait_connected worker-1
	fi
}

# How many records has a good update, and one that is undone?
$kill9 0 KILL >"$T/record" &
w=$!
update 2
wait $! && wait $w
good=$(cat "$T/record")
pass "a good update: $good"
$kill9 0 KILL >"$T/record" &
w=$!
update 3
wait $!
wait $w
bad=$(cat "$T/record")
pass "one that is undone: $bad"
good=${good%%:*}
bad=${bad%%:*}
must "the journal tells of both" test "$good" -ge 4 -a "$bad" -ge 4

# other: 1 or 2, whichever it is not on now.
other()
{
	case $(image_now) in
	*:1)	echo 2 ;;
	*)	echo 1 ;;
	esac
}

if [ "${FULL:-0}" = 1 ]; then
	for victim in docker agent term dockerd; do
		i=1
		while [ $i -le "$good" ]; do
			once $victim $i "$(other)"
			i=$((i + 1))
		done
		i=1
		while [ $i -le "$bad" ]; do
			once $victim $i 3
			i=$((i + 1))
		done
	done
	exit $SCENARIO_RC
fi

seed=${SEED:-$(date +%s)}
pass "seed $seed"
awk -v seed="$seed" -v good="$good" -v bad="$bad" 'BEGIN {
	srand(seed)
	split("docker agent docker dockerd agent term", v)
	for (i = 1; i <= 6; i++) {
		if (i % 3)
			print v[i], 1 + int(rand() * good), "other"
		else
			print v[i], 1 + int(rand() * bad), 3
	}
}' >"$T/sample"
while read -r victim record image; do
	[ "$image" = other ] && image=$(other)
	once "$victim" "$record" "$image" </dev/null
done <"$T/sample"
