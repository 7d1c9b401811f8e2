# What scenarios use: tests that print TAP, daemons, and questions to them.
# To be sourced after lib.sh, with T (the scenario's directory) and B set.
#
# Daemons run in the foreground as children of the scenario; their logs are
# $T/NAME.log and their pids $T/NAME.pid.  NAME is "s" for the server, and
# what the scenario likes for an agent.

SCENARIO_RC=0
PEER="/usr/bin/python3 -B regress/peer"
PORT=9443
CTL_SOCK=$T/s/run/sentineld.sock

if [ "$(id -u)" -eq 0 ]; then
	PRIVILEGES=drop
else
	# No namespace of its own: two scenarios may run on this machine.
	PRIVILEGES=keep
	PORT=$((20000 + $$ % 20000))
fi

# --- tests ------------------------------------------------------------------

pass()
{
	echo "ok - $*"
}

fail()
{
	echo "not ok - $*"
	SCENARIO_RC=1
}

# tried COMMAND...: its output becomes that of the last check; only then, for
# the command may read the one before.
tried()
{
	"$@" >"$T/check.new" 2>&1
	tr_rc=$?
	mv "$T/check.new" "$T/check.out"
	return $tr_rc
}

# failed TEXT: and what was printed.
failed()
{
	fail "$1"
	sed 's/^/# /' "$T/check.out" | tail -n 20
	return 1
}

# check TEXT COMMAND...: it must succeed.
check()
{
	ck_text=$1
	shift
	tried "$@" || failed "$ck_text" || return
	pass "$ck_text"
}

# check_not TEXT COMMAND...: it must say no, which is exit status 1.  With
# another one (no file, no answer, no such command) it could not tell.
check_not()
{
	ck_text=$1
	shift
	tried "$@"
	ck_rc=$?
	case $ck_rc in
	1)	pass "$ck_text" ;;
	0)	failed "$ck_text" ;;
	*)	failed "$ck_text: not answered, exit status $ck_rc" ;;
	esac
}

# check_rc TEXT STATUS COMMAND...: the exit status must be that one.
check_rc()
{
	ck_text=$1
	ck_want=$2
	shift 2
	tried "$@"
	ck_rc=$?
	[ "$ck_rc" -eq "$ck_want" ] ||
	    failed "$ck_text: exit status $ck_rc, not $ck_want" || return
	pass "$ck_text"
}

# check_empty TEXT COMMAND...: it must succeed and print nothing.
check_empty()
{
	ck_text=$1
	shift
	tried "$@" || failed "$ck_text: exit status $?" || return
	[ ! -s "$T/check.out" ] || failed "$ck_text" || return
	pass "$ck_text"
}

# said TEXT REGEX: the output of the last check has such a line.
said()
{
	grep -Eq -- "$2" "$T/check.out" || failed "$1: no '$2' in" || return
	pass "$1"
}

# check_eq TEXT WANT GOT: something, and the same.
check_eq()
{
	if [ -z "$2$3" ]; then
		fail "$1: nothing to compare; check_empty is for that"
		return 1
	fi
	if [ "$2" = "$3" ]; then
		pass "$1"
		return 0
	fi
	fail "$1: '$3', not '$2'"
	return 1
}

# Nothing after it makes sense without this.
must()
{
	check "$@" || exit 1
}

# has FILE REGEX: some line does; status 2 if there is nothing to look at.
has()
{
	[ -s "$1" ] || return 2
	grep -Eq -- "$2" "$1"
}

# wait_log NAME REGEX [SECONDS]: a line of a daemon's log.
wait_log()
{
	wait_for "${3:-10}" has "$T/$1.log" "$2"
}

# --- configuration ----------------------------------------------------------

# server_conf [LINES]: $T/s.conf; LINES go below "cluster:".
server_conf()
{
	mkdir -p "$T/s"
	cat >"$T/s.conf" <<-EOT
	privileges: $PRIVILEGES
	run_dir: $T/s/run
	log: { level: debug }
	server:
	  data_dir: $T/s/data
	  docker: none
	  timers:
	    ping_interval: 1s
	    ping_timeout: 2s
	    heartbeat_timeout: 5s
	    logs_timeout: 3s
	    handshake_timeout: 3s
	    action_timeout: 20s
	    gate_running: 2s
	  cluster:
	    enabled: true
	    listen: "127.0.0.1:$PORT"
	    enroll_failures: 1000
	${1:+    $1}
	EOT
}

# agent_conf NAME [LINES]: $T/NAME.conf; LINES go below "agent:".  A token in
# $T/NAME.token is used.
agent_conf()
{
	mkdir -p "$T/$1"
	cat >"$T/$1.conf" <<-EOT
	mode: agent
	privileges: $PRIVILEGES
	run_dir: $T/$1/run
	log: { level: debug }
	agent:
	  server: "${AGENT_SERVER:-127.0.0.1:$PORT}"
	  name: $1
	  enroll_token_file: $T/$1.token
	  data_dir: $T/$1/data
	  docker: ${AGENT_DOCKER:-none}
	  timers:
	    heartbeat_interval: 1s
	    reconnect_min: 200ms
	    reconnect_max: 1s
	    connect_timeout: 5s
	    rpc_timeout: 10s
	    gate_running: 2s
	${2:+  $2}
	EOT
}

# --- daemons ----------------------------------------------------------------

pid_of()
{
	cat "$T/$1.pid" 2>/dev/null
}

server_run()
{
	"$B/sentineld" -d -f "$T/s.conf" >>"$T/s.log" 2>&1 </dev/null &
	echo $! >"$T/s.pid"
}

# server_start: and wait until it answers.
server_start()
{
	[ -f "$T/s.conf" ] || server_conf
	server_run
	wait_for 15 server_settled && server_answers >/dev/null
}

server_answers()
{
	alive "$(pid_of s)" && ctl status
}

# server_settled: it answers, or never will.
server_settled()
{
	! alive "$(pid_of s)" || server_answers
}

# agent_start NAME
agent_start()
{
	[ -f "$T/$1.conf" ] || agent_conf "$1"
	"$B/sentinel-agentd" -d -f "$T/$1.conf" >>"$T/$1.log" 2>&1 </dev/null &
	echo $! >"$T/$1.pid"
}

# daemon_stop NAME [SIGNAL]: end it and wait, also for what it leaves behind
# when it is killed; the status is the daemon's.
daemon_stop()
{
	ds_pid=$(pid_of "$1")
	ds_kids=$(children "$ds_pid")
	kill "-${2:-TERM}" "$ds_pid" 2>/dev/null
	wait_for 10 gone "$ds_pid" || {
		kill -9 "$ds_pid"
		fail "$1 had to be killed"
	}
	for ds_kid in $ds_kids; do
		wait_for 8 gone "$ds_kid" || fail "$1: process $ds_kid is left"
	done
	wait "$ds_pid" 2>/dev/null
}

# children PID: pids of its living children.
children()
{
	cat "/proc/$1/task/$1/children" 2>/dev/null
}

# child_of NAME ROLE: pid of a daemon's process, by its title.
child_of()
{
	for co_pid in $(children "$(pid_of "$1")"); do
		if tr '\0' ' ' <"/proc/$co_pid/cmdline" 2>/dev/null |
		    grep -q ": $2\( \|\$\)"; then
			echo "$co_pid"
			return 0
		fi
	done
	return 1
}

# left PROGRAM: living processes of it in the scenario's pid namespace, parent
# or child, by their titles.
left()
{
	[ "$(id -u)" -eq 0 ] || return 0
	ps -eo stat=,pid=,args= | awk -v t="$1:" '$1 !~ /^Z/ && $3 == t'
}

none_left()
{
	[ -z "$(left "$1")" ]
}

# Called when the scenario ends, as root only to end it in order: the
# namespace would not let anything live on.
scenario_end()
{
	for se_file in "$T"/*.pid; do
		[ -f "$se_file" ] || continue
		se_pid=$(cat "$se_file")
		alive "$se_pid" && kill "$se_pid" 2>/dev/null
	done
	for se_file in "$T"/*.pid; do
		[ -f "$se_file" ] || continue
		se_pid=$(cat "$se_file")
		wait_for 6 gone "$se_pid" || kill -9 "$se_pid" 2>/dev/null
	done
}

# --- questions --------------------------------------------------------------

ctl()
{
	timeout 60 "$B/sentinelctl" -s "$CTL_SOCK" "$@"
}

# token [OPTIONS]: a new one.
token()
{
	ctl token create --json "$@" | jq -r .token
}

# hosts FILTER: jq over the array of hosts.
hosts()
{
	ctl host list --json | jq -e "$@"
}

host_connected()
{
	hosts --arg n "$1" 'any(.[]; .name == $n and .connected)'
}

host_disconnected()
{
	hosts --arg n "$1" 'any(.[]; .name == $n and (.connected | not))'
}

wait_connected()
{
	wait_for "${2:-15}" host_connected "$1"
}

# enrolled NAME: a token, an agent and its first session.
enrolled()
{
	(umask 077; token --name "$1" >"$T/$1.token")
	agent_start "$1"
	wait_connected "$1"
}
