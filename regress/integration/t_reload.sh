# Another configuration at run time, by signal and by sentinelctl: a bad one
# changes nothing, a good one counts at once and nobody is disconnected.
# timeout: 90

NEW=$((PORT + 1))
ro=$T/s/run/ro.sock
server_conf
sed -i -e "s/level: debug/level: info/" \
    -e "s,^  docker: none,&\n  control_ro: $ro," "$T/s.conf"
must "the server starts" server_start
must "an agent connects" enrolled worker-1
actl="$B/sentinelctl -s $T/worker-1/run/sentinel-agentd.sock"
server=$(pid_of s)
kids=$(children "$server")
agent=$(pid_of worker-1)

# change NAME EXPRESSION: of sed, on its configuration.
change()
{
	sed -i "$2" "$T/$1.conf"
}

sessions()
{
	grep -c 'session with .* established' "$T/worker-1.log"
}

# more N: a session since there were N.
more()
{
	[ "$(sessions)" -gt "$1" ]
}

listens()
{
	ss -Hltn "sport = :$1" | grep -q .
}

names()
{
	echo | timeout 5 openssl s_client -connect "127.0.0.1:$1" -alpn h2 \
	    2>/dev/null | openssl x509 -noout -ext subjectAltName
}

has_name()
{
	names "$1" | grep -q "$2"
}

held=$(sessions)

# Bad ones.
cp "$T/s.conf" "$T/s.good"
change s 's/ping_interval: 1s/ping_interval: soon/'
check_rc "a bad value is refused: 1" 1 ctl reload
said "with file, line and column" "$T/s.conf:[0-9]+:[0-9]+:.*ping_interval"
said "and nothing has changed" "nothing has changed"
check "the log says so" wait_log s "not reloaded, nothing has changed"
check "the server goes on" host_connected worker-1
printf 'mode: [\n' >"$T/s.conf"
check_rc "what is no YAML is refused: 1" 1 ctl reload
said "with file, line and column" "$T/s.conf:[0-9]+:[0-9]+"
cp "$T/s.good" "$T/s.conf"
/usr/bin/python3 -c "
import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', $NEW))
s.listen()
time.sleep(60)" &
echo $! >"$T/squatter.pid"
must "somebody has the port" wait_for 5 listens "$NEW"
change s "s/127.0.0.1:$PORT/127.0.0.1:$NEW/"
check_rc "a port in use is refused: 1" 1 ctl reload
said "with the reason" "$NEW.*in use"
kill "$(pid_of squatter)"
wait "$(pid_of squatter)" 2>/dev/null
check "it listens where it did" listens "$PORT"
cp "$T/s.good" "$T/s.conf"

# One that changes nothing, and one that cannot.
check_rc "the same again" 0 ctl reload
check "is no change" wait_log s "configuration reloaded: no change"
change s 's/^privileges:.*/&\nuid_base: 70000/'
check_rc "a key that needs a restart" 0 ctl reload
said "is named" "restart is needed for: uid_base"
cp "$T/s.good" "$T/s.conf"

# Good ones.  By signal.
check_not "no debug lines yet" has "$T/s.log" " debug "
change s 's/level: info/level: debug/'
kill -HUP "$server"
check "SIGHUP reloads" wait_log s "configuration reloaded: changed log.level"
ctl reload >/dev/null
kill -9 "$(child_of s cluster)"
check "debug lines come" wait_log s " debug "
check "after a restart cluster has the configuration" wait_for 15 \
    host_connected worker-1
kids=$(children "$server")
check "with a new session" wait_for 5 more "$held"
held=$(sessions)

change s "s/127.0.0.1:$PORT/127.0.0.1:$NEW/"
check_rc "another port" 0 ctl reload
check "the server listens there" wait_for 5 listens "$NEW"
check "and no more at the old one" wait_for 5 sh -c \
    "! ss -Hltn 'sport = :$PORT' | grep -q ."
check "status shows it" wait_for 5 sh -c "$B/sentinelctl -s $CTL_SOCK \
    status | grep -q 127.0.0.1:$NEW"
sleep 2
check "the agent did not notice" host_connected worker-1
check_eq "in the same session" "$held" "$(sessions)"

change s "s/listen: .*/&\n    advertise: [ sentinel.example, 192.0.2.44 ]/"
check_not "the name is not in the certificate" has_name "$NEW" \
    sentinel.example
check_rc "another advertise list" 0 ctl reload
check "makes another certificate" wait_for 10 has_name "$NEW" \
    sentinel.example
check "with the address" has_name "$NEW" 192.0.2.44
check_eq "in the same session" "$held" "$(sessions)"
check "no process was replaced" test "$kids" = "$(children "$server")"
check_rc "not on the read-only socket" 4 "$B/sentinelctl" -s "$ro" reload

# The agent.
change worker-1 "s/127.0.0.1:$PORT/nowhere/"
check_rc "agent: a server without a port is refused: 1" 1 $actl reload
said "with file, line and column" "$T/worker-1.conf:[0-9]+:[0-9]+:.*server"
change worker-1 "s/\"nowhere\"/\"localhost:$NEW\"/"
check_rc "agent: another address" 0 $actl reload
check "a new session with it" wait_log worker-1 \
    "session with localhost:$NEW established"
check "the server sees it" wait_for 10 host_connected worker-1
check "status shows it" sh -c "$actl status | grep -q localhost:$NEW"
change worker-1 's/heartbeat_interval: 1s/heartbeat_interval: 300ms/'
kill -HUP "$agent"
check "agent: SIGHUP reloads" wait_log worker-1 \
    "reloaded: changed agent.timers.heartbeat_interval"
held=$(sessions)
sleep 1
check_eq "which ends no session" "$held" "$(sessions)"
kill -9 "$(child_of worker-1 uplink)"
check "a new uplink has the new configuration" wait_for 10 sh -c \
    "[ \$(grep -c 'session with localhost:$NEW est' $T/worker-1.log) -ge 2 ]"
check "and is connected" wait_for 10 host_connected worker-1
check_eq "the daemons are the same" "$server $agent" \
    "$(pid_of s) $(pid_of worker-1)"
# recorded ACTOR OUTCOME TEXT: by a reload of the server.
recorded()
{
	ctl audit list --json | jq -e --arg a "$1" --arg o "$2" --arg t "$3" \
	    'any(.[]; .action == "config.reload" and .actor == $a and
	    .outcome == $o and (.text | test($t)))'
}

change s 's/heartbeat_timeout: 5s/heartbeat_timeout: 6s/'
kill -HUP "$server"
check "an audit record tells of a signal, and what it changed" wait_for 10 \
    recorded "signal HUP" ok "^changed server.timers.heartbeat_timeout$"
change s 's/heartbeat_timeout: 6s/heartbeat_timeout: 6 fortnights/'
kill -HUP "$server"
check "one that was refused as well" wait_for 10 recorded "signal HUP" \
    refused "s.conf:[0-9]+:[0-9]+: .*heartbeat_timeout"
change s 's/heartbeat_timeout: 6 fortnights/heartbeat_timeout: 7s/'
check_rc "sentinelctl reload" 0 ctl reload
check "is in it with the user" recorded "uid $(id -u)" ok \
    "^changed server.timers.heartbeat_timeout$"
check_rc "nothing new" 0 ctl reload
check "is in it too" recorded "uid $(id -u)" ok "^no change$"
check_rc "and the trail holds" 0 ctl audit verify
