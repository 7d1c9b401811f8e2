#!/bin/sh
# What "make bench" runs for updates: sentinelctl container update beside the
# hand-made commands, on one engine, in one run.  Needs root and Docker.
set -u
B=${B:-build}
ROUNDS=${BENCH_ROUNDS:-5}
GATE=1		# seconds that a new container must run
CROWD=200	# other containers on the engine, in the second half
T=$(mktemp -d "${TMPDIR:-/tmp}/sentinel-bench.XXXXXX") || exit 1
PORT=19445
CTL=$T/run/sentineld.sock

. regress/lab/lib.sh
LAB_DIR=$T/lab

cleanup()
{
	# Not for all: the lab is a child, too.
	for f in "$T"/*.pid; do
		[ -f "$f" ] && kill "$(cat "$f")" 2>/dev/null &&
		    wait "$(cat "$f")"
	done
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

# told NAME SINCE FROM: milliseconds from FROM (ns) until a container of that
# name was told to end.
told()
{
	lab_docker events --since "$2" --until $(($(date +%s) + 1)) --filter \
	    type=container --filter event=kill \
	    --format '{{.TimeNano}} {{.Actor.Attributes.name}}' |
	    awk -v n="$1" -v from="$3" '$2 == n && !d {
	        d = 1; printf "%d\n", ($1 - from) / 1e6 }'
}

# rounds DIR: what each way takes, in files there.
rounds()
{
	mkdir -p "$T/$1"
	r_n=0
	while [ $r_n -lt "$ROUNDS" ]; do
		r_n=$((r_n + 1))
		make_one hand && make_one ours && make_one again ||
		    die "docker run"
		sleep 1
		by_hand "$T/$1"
		by_rm "$T/$1"
		by_us "$T/$1"
	done
}

by_hand()
{
	forget
	since=$(date +%s)
	from=$(date +%s%N)
	{ lab_docker pull -q "$(image 2)" && lab_docker stop hand &&
	    lab_docker rename hand hand-old &&
	    lab_docker create --init --name hand "$(image 2)" &&
	    lab_docker start hand; } >/dev/null || die "by hand"
	echo $((($(date +%s%N) - from) / 1000000)) >>"$1/hand"
	down hand "$since" >>"$1/hand.down"
	told hand "$since" "$from" >>"$1/hand.told"
	lab_docker rm -f hand hand-old >/dev/null 2>&1
}

by_rm()
{
	forget
	since=$(date +%s)
	from=$(date +%s%N)
	{ lab_docker pull -q "$(image 2)" && lab_docker rm -f again &&
	    lab_docker run -d --init --name again "$(image 2)"; } >/dev/null ||
	    die "rm and run"
	echo $((($(date +%s%N) - from) / 1000000)) >>"$1/again"
	down again "$since" >>"$1/again.down"
	lab_docker rm -f again >/dev/null 2>&1
}

by_us()
{
	forget
	since=$(date +%s)
	from=$(date +%s%N)
	ctl container update ours --image "$(image 2)" >"$T/ours.out" 2>&1 ||
	    die "update: $(cat "$T/ours.out")"
	echo $((($(date +%s%N) - from) / 1000000 - GATE * 1000)) >>"$1/ours"
	down ours "$since" >>"$1/ours.down"
	told ours "$since" "$from" >>"$1/ours.told"
	lab_docker rm -f ours >/dev/null 2>&1
}

ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }

# show TEXT DIR
show()
{
	s_ours=$(median "$T/$2/ours") s_hand=$(median "$T/$2/hand")
	s_rm=$(median "$T/$2/again")
	echo "update$1: $s_ours ms, by hand (pull, stop, create, start)" \
	    "$s_hand ms, rm -f and run $s_rm ms: ratio" \
	    "$(ratio "$s_ours" "$s_hand"), $(ratio "$s_ours" "$s_rm");" \
	    "beyond the hand-made one $((s_ours - s_hand)) ms (goal 150 ms)"
	s_ours=$(median "$T/$2/ours.told") s_hand=$(median "$T/$2/hand.told")
	echo "from the command to the stop$1: $s_ours ms, by hand (pull," \
	    "stop) $s_hand ms: ratio $(ratio "$s_ours" "$s_hand")"
	s_ours=$(median "$T/$2/ours.down") s_hand=$(median "$T/$2/hand.down")
	s_rm=$(median "$T/$2/again.down")
	echo "container down$1: $s_ours ms, by hand $s_hand ms, rm -f and run" \
	    "$s_rm ms: ratio $(ratio "$s_ours" "$s_hand")," \
	    "$(ratio "$s_ours" "$s_rm")"
}

echo "# updates, $ROUNDS rounds, medians; the gate of $GATE s is taken off"
rounds alone
show "" alone
seq $CROWD | xargs -P 4 -I {} docker -H "unix://$LAB_DIR/docker.sock" \
    create --name crowd-{} -l app=crowd "$(image 1)" >/dev/null ||
    die "a crowd of $CROWD containers"
rounds crowd
show " among $CROWD containers" crowd
