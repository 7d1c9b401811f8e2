#!/bin/sh
# What "make bench" runs for updates: sentinelctl container update beside the
# hand-made commands, on one engine, in one run.  Needs root and Docker.
set -u
B=${B:-build}
ROUNDS=${BENCH_ROUNDS:-5}
GATE=1		# seconds that a new container must run
T=$(mktemp -d "${TMPDIR:-/tmp}/sentinel-bench.XXXXXX") || exit 1
PORT=19445
CTL=$T/run/sentineld.sock

. regress/lab/lib.sh
LAB_DIR=$T/lab

cleanup()
{
	for f in "$T"/*.pid; do
		[ -f "$f" ] && kill "$(cat "$f")" 2>/dev/null
	done
	wait
	lab_stop "$LAB_DIR"
	rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

die()
{
	echo "bench: $*" >&2
	exit 1
}

[ "$(id -u)" -eq 0 ] && command -v dockerd >/dev/null || {
	echo "# updates: need root and Docker, left out"
	exit 0
}

ctl() { "$B/sentinelctl" -s "$CTL" "$@"; }
msec() { echo $(($(date +%s%N) / 1000000)); }
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# down NAME SINCE: milliseconds between the last end of a container of that
# name and the next start, as the engine saw it.
down()
{
	lab_docker events --since "$2" --until $(($(date +%s) + 1)) --filter \
	    type=container --filter event=die --filter event=start \
	    --format '{{.TimeNano}} {{.Action}} {{.Actor.Attributes.name}}' |
	    awk -v n="$1" '$3 ~ "^" n { if ($2 == "die" && !d) d = $1
	        if ($2 == "start") s = $1 } END { printf "%d\n", (s - d) / 1e6 }'
}

lab_start "$LAB_DIR" && lab_image demo:1 1 && lab_image demo:2 2 ||
    die "no lab"
cat >"$T/s.conf" <<-EOT
run_dir: $T/run
server:
  data_dir: $T/data
  docker: unix://$LAB_DIR/docker.sock
  timers: { gate_running: ${GATE}s }
  cluster: { enabled: true, listen: "127.0.0.1:$PORT" }
EOT
"$B/sentineld" -d -f "$T/s.conf" >"$T/s.log" 2>&1 </dev/null &
echo $! >"$T/s.pid"
wait_for 20 ctl status || die "the server does not start"
wait_for 10 sh -c "'$B/sentinelctl' -s '$CTL' status --json |
    jq -se '.[0].docker'" || die "Docker does not answer"

image() { echo "$LAB_REGISTRY/demo:$1"; }
make_one()
{
	lab_docker rm -f "$1" >/dev/null 2>&1
	lab_docker run -d --init --name "$1" "$(image 1)" >/dev/null
}
# As nobody has it: the pull counts.
forget() { lab_docker rmi "$(image 2)" >/dev/null 2>&1; }

echo "# updates, $ROUNDS rounds, medians; the gate of $GATE s is taken off"
n=0
while [ $n -lt "$ROUNDS" ]; do
	n=$((n + 1))
	make_one hand && make_one ours && make_one again || die "docker run"
	sleep 1

	forget
	since=$(date +%s)
	t=$(msec)
	{ lab_docker pull -q "$(image 2)" && lab_docker stop hand &&
	    lab_docker rename hand hand-old &&
	    lab_docker create --init --name hand "$(image 2)" &&
	    lab_docker start hand; } >/dev/null || die "by hand"
	echo $(($(msec) - t)) >>"$T/hand"
	down hand "$since" >>"$T/hand.down"
	lab_docker rm -f hand hand-old >/dev/null 2>&1

	forget
	since=$(date +%s)
	t=$(msec)
	{ lab_docker pull -q "$(image 2)" && lab_docker rm -f again &&
	    lab_docker run -d --init --name again "$(image 2)"; } >/dev/null ||
	    die "rm and run"
	echo $(($(msec) - t)) >>"$T/again"
	down again "$since" >>"$T/again.down"
	lab_docker rm -f again >/dev/null 2>&1

	forget
	since=$(date +%s)
	t=$(msec)
	ctl container update ours --image "$(image 2)" >"$T/ours.out" 2>&1 ||
	    die "update: $(cat "$T/ours.out")"
	echo $(($(msec) - t - GATE * 1000)) >>"$T/ours"
	down ours "$since" >>"$T/ours.down"
	lab_docker rm -f ours >/dev/null 2>&1
done

show()
{
	echo "$1: $2 ms, by hand (pull, stop, create, start) $3 ms, rm -f and" \
	    "run $4 ms: ratio $(awk "BEGIN { printf \"%.2f, %.2f\", \
	    $2 / $3, $2 / $4 }")$5"
}
ours=$(median "$T/ours") hand=$(median "$T/hand")
show "update" "$ours" "$hand" "$(median "$T/again")" \
    "; beyond the hand-made one $((ours - hand)) ms (goal 150 ms)"
show "container down" "$(median "$T/ours.down")" "$(median "$T/hand.down")" \
    "$(median "$T/again.down")" ""
