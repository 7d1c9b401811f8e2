#!/bin/sh
# What "make bench" runs: the server beside the bare libraries, in one run on
# one machine.  Servers are kept on the first core and clients on the last,
# where there are two.  Prints figures as ratios; decides nothing.
set -u
B=${B:-build}
N=${BENCH_AGENTS:-1000}
SECONDS_EACH=${BENCH_SECONDS:-5}
T=$(mktemp -d "${TMPDIR:-/tmp}/sentinel-bench.XXXXXX") || exit 1
PORT=19443
BARE_PORT=19444
CORES=$(nproc)
CTL=$T/run/sentineld.sock
LAST=$((CORES - 1))
# Clients of the storm and of the handshakes.
PROCESSES=4

. regress/lab/lib.sh
. regress/bench/live.sh

cleanup()
{
	for f in "$T"/*.pid; do
		[ -f "$f" ] && kill "$(cat "$f")" 2>/dev/null
	done
	[ ! -d "$T/lab" ] || lab_stop "$T/lab"
	wait
	rm -rf "$T"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

die()
{
	echo "bench: $*" >&2
	tail -n 5 "$T"/*.log >&2
	exit 1
}

ON_SERVER="taskset -c 0"
ON_CLIENT="taskset -c $LAST"

# --- processes ---------------------------------------------------------------

# tree PID: it and its children.
tree()
{
	echo "$1" "$(cat "/proc/$1/task/$1/children" 2>/dev/null)"
}

# ticks PID: of processor time, its whole tree, in 1/100 s.
ticks()
{
	for t_pid in $(tree "$1"); do
		sed 's/.*) //' "/proc/$t_pid/stat"
	done 2>/dev/null | awk '{ n += $12 + $13 } END { print n }'
}

# pss PID: its whole tree, in KiB.
pss()
{
	for p_pid in $(tree "$1"); do
		cat "/proc/$p_pid/smaps_rollup"
	done 2>/dev/null | awk '/^Pss:/ { n += $2 } END { print n }'
}

server_conf()
{
	privileges=drop
	[ "$(id -u)" -eq 0 ] || privileges=keep
	cat >"$T/s.conf" <<-EOT
	privileges: $privileges
	run_dir: $T/run
	server:
	  data_dir: $T/data
	  docker: none
	  timers: { heartbeat_timeout: 1h }
	  cluster:
	    enabled: true
	    listen: "127.0.0.1:$PORT"
	    issue_burst: 20000
	EOT
}

server_start()
{
	$ON_SERVER "$B/sentineld" -d -f "$T/s.conf" >"$T/s.log" 2>&1 \
	    </dev/null &
	echo $! >"$T/s.pid"
	wait_for 20 "$B/sentinelctl" -s "$CTL" status ||
	    die "the server does not start"
	wait_for 20 grep -q "listening for agents" "$T/s.log" ||
	    die "the server does not listen"
}

server_stop()
{
	kill "$(cat "$T/s.pid")"
	wait_for 20 gone "$(cat "$T/s.pid")" || die "the server does not end"
	wait "$(cat "$T/s.pid")" 2>/dev/null
}

# bare MODE
bare_start()
{
	$ON_SERVER "$B/bench/bare" "$1" $BARE_PORT "$T/data/cluster/ca.pem" \
	    "$T/bare.pem" "$T/bare-key.pem" >"$T/bare.log" 2>&1 &
	echo $! >"$T/bare.pid"
	wait_for 5 sh -c "ss -Hltn 'sport = :$BARE_PORT' | grep -q ." ||
	    die "the bare server does not listen"
}

bare_stop()
{
	kill "$(cat "$T/bare.pid")"
	wait "$(cat "$T/bare.pid")" 2>/dev/null
	rm -f "$T/bare.pid"
}

# A certificate like the server's: P-256, with its CA in the chain.
bare_cert()
{
	(
	cd "$T" || exit 1
	openssl ecparam -name prime256v1 -genkey -noout -out bare-ca.key
	openssl req -x509 -new -key bare-ca.key -days 2 -subj /CN=bare-ca \
	    -out bare-ca.pem
	openssl ecparam -name prime256v1 -genkey -noout -out bare.key
	openssl pkcs8 -topk8 -nocrypt -in bare.key -out bare-key.pem
	openssl req -new -key bare.key -subj /CN=bare -out bare.csr
	openssl x509 -req -in bare.csr -CA bare-ca.pem -CAkey bare-ca.key \
	    -CAcreateserial -days 2 -out bare-leaf.pem
	cat bare-leaf.pem bare-ca.pem >bare.pem
	) >"$T/openssl.log" 2>&1 || die "openssl"
}

# load COMMAND...: tell the agents, and read the answer.
load()
{
	echo "$*" >&3
	read -r load_answer <&4 || die "the agents failed at: $*"
}

load_start()
{
	mkfifo "$T/in" "$T/out"
	$ON_CLIENT "$B/bench/load" 127.0.0.1 $PORT "$CTL" <"$T/in" >"$T/out" \
	    2>"$T/load.log" &
	echo $! >"$T/load.pid"
	exec 3>"$T/in" 4<"$T/out"
}

# --- what is measured ---------------------------------------------------------

# rate PID PORT: $rate per second, $cost in ms of processor time each.
rate()
{
	r_before=$(ticks "$1")
	r_n=$($ON_CLIENT "$B/bench/client" handshakes "$2" "$T/cert.pem" \
	    "$T/key.pem" "$SECONDS_EACH" $PROCESSES) || die "handshakes"
	sleep 0.5
	r_after=$(ticks "$1")
	rate=$((r_n / SECONDS_EACH))
	cost=$(awk "BEGIN { print ($r_after - $r_before) * 10 / $r_n }")
}

calc() { awk "BEGIN { printf \"%.${2:-2}f\", $1 }"; }

# idle PID: $idle in KiB for each of N agents that are about to connect.
idle()
{
	i_before=$(pss "$1")
	load prepare
	load connect
	took=${load_answer#connected }
	sleep 11	# the server gives memory of the storm back
	i_after=$(pss "$1")
	idle=$(calc "($i_after - $i_before) / $N" 1)
}

server_conf
bare_cert
server_start
load_start
echo "# $N agents, $CORES cores, $(uname -m), $(date +%F)"
load enrol "$N"
load dump "$T"

bare_start tls
rate "$(cat "$T/bare.pid")" $BARE_PORT
bare_rate=$rate bare_cost=$cost
rate "$(cat "$T/s.pid")" $PORT
server_rate=$rate server_cost=$cost
bare_stop
echo "handshakes: $server_rate/s, bare libtls loop $bare_rate/s:" \
    "ratio $(calc "$server_rate / $bare_rate") (goal 0.95);" \
    "processor time each $(calc "$server_cost") ms, bare" \
    "$(calc "$bare_cost") ms: ratio $(calc "$bare_cost / $server_cost")"

bare_start h2
load to $BARE_PORT
idle "$(cat "$T/bare.pid")"
bare_idle=$idle bare_storm=$took
load close
bare_stop
load to $PORT
# A fresh one: memory that the handshakes left free would hide some.
server_stop
server_start
idle "$(cat "$T/s.pid")"
echo "idle agent: $idle KiB (PSS of all processes), bare libraries" \
    "$bare_idle KiB: ratio $(calc "$idle / $bare_idle") (goal 40 KiB)"

read -r p50 p99 <<-EOT
$($ON_CLIENT "$B/bench/ask" "$CTL" 2000 || echo "0 0")
EOT
[ "$p50" -gt 0 ] || die "the round trip failed"
bare_start echo
read -r echo50 echo99 <<-EOT
$($ON_CLIENT "$B/bench/client" echo $BARE_PORT "$T/cert.pem" "$T/key.pem" 2000)
EOT
bare_stop
echo "no-op command at $N agents: p50 $(calc "$p50 / 1000") ms," \
    "p99 $(calc "$p99 / 1000") ms (goal 5 ms), bare TLS echo" \
    "$(calc "$echo50 / 1000") ms, $(calc "$echo99 / 1000") ms:" \
    "ratio $(calc "$p50 / $echo50" 1), $(calc "$p99 / $echo99" 1)"

load close
server_stop
load prepare
server_start
load connect
storm=${load_answer#connected }
echo "storm: $N agents are back in $storm ms," \
    "handshakes alone take $(calc "$N * 1000 / $server_rate" 0) ms:" \
    "ratio $(calc "$storm / ($N * 1000 / $server_rate)") (goal 1.5);" \
    "the same clients at the bare libraries $bare_storm ms:" \
    "ratio $(calc "$storm / $bare_storm")"
load close

server_stop
live
