# Settings at run time: bounds and locks, on their way to our agent and to a
# foreign one within a second, through restarts of both; the names of the
# server's certificate; heartbeats of the server.
# timeout: 90

server_conf
ro=$T/s/run/ro.sock
sed -i -e "s,^  docker: none,&\n  control_ro: $ro\n  settings:\n    rollback_policy: pinned," \
    -e "s,^    ping_interval: .*,&\n    heartbeat_interval: 500ms," "$T/s.conf"
line=$(grep -n 'rollback_policy: pinned' "$T/s.conf" | cut -d: -f1)
SENTINEL_HOOKS=yes
export SENTINEL_HOOKS
must "the server starts" server_start
must "our agent connects" enrolled worker-1
mkdir "$T/a"
conn="--server 127.0.0.1:$PORT --ca $T/s/data/cluster/ca.pem --dir $T/a"
agent="$PEER/agent.py"
must "a foreign one enrols" $agent enroll $conn --token "$(token)" \
    --name foreign

foreign_run()
{
	$agent run $conn --seconds 80 --container web >"$T/$1.log" 2>&1 &
	echo $! >"$T/foreign.pid"
	wait_connected foreign
}

# A jq filter over a setting as the server, or our agent, shows it.
setting()
{
	ctl settings get "$1" --json | jq -s -e ".[0][0] | $2"
}

theirs()
{
	"$B/sentinelctl" -s "$T/worker-1/run/sentinel-agentd.sock" \
	    settings get "$1" --json | jq -s -e ".[0][0] | $2"
}

# got NAME FILTER: the newest message of this name that the foreign one got.
got()
{
	grep "\"event\": \"$1\"" "$T/foreign.log" | tail -1 | jq -s -e ".[0] | $2"
}

now()
{
	date +%s%3N
}

must "its session" foreign_run foreign
check "it gets settings when it connects" wait_for 3 got settings \
    '.poll == 21600000 and .grace == 30000 and .cleanup and .deps and
    .hooks and (.latest | not) and .rollback == "pinned" and .revision == 0'
check "and policies" wait_for 3 got policies '.default == "manual"'
check "our agent too" wait_for 3 theirs hooks_enabled \
    '.value == "true" and .origin == "server"'

check "a default is one" setting poll_interval \
    '.value == "6h" and .origin == "default" and (.locked | not)'
check "what the file sets is locked" setting rollback_policy \
    ".value == \"pinned\" and .origin == \"file\" and .locked and
    (.from | endswith(\"s.conf:$line\"))"
check "what a variable sets is" setting hooks_enabled \
    '.origin == "environment" and .locked and
    .from == "environment SENTINEL_HOOKS"'

begin=$(now)
check "a change" ctl settings set poll_interval 2h
check "reaches our agent" wait_for 3 theirs poll_interval '.value == "2h"'
took=$(($(now) - begin))
check "within a second: $took ms" test "$took" -lt 1000
check "and the foreign one" wait_for 3 got settings '.poll == 7200000'
check "it says who" setting poll_interval \
    '.origin == "database" and .from == "uid '"$(id -u)"'"'
for v in 1h 2h 3h 4h 5h 6h 7h 8h; do
	ctl settings set grace_period "${v%h}s" || fail "set $v"
done
check "of many fast ones the last" wait_for 3 got settings '.grace == 8000'
check "and so here" wait_for 3 theirs grace_period '.value == "8s"'

check_rc "a locked one: 1" 1 ctl settings set rollback_policy manual
said "names file and line" "is set by .*/s.conf:$line \\(server.settings.rollback_policy\\): change it there"
check_rc "unset as well: 1" 1 ctl settings unset hooks_enabled
said "names the variable" "is set by environment SENTINEL_HOOKS"
check_rc "out of bounds: 2" 2 ctl settings set poll_interval 31d
said "says the bounds" "want 1s to 30d"
check_rc "no duration: 2" 2 ctl settings set poll_interval soon
check_rc "no such setting: 3" 3 ctl settings set poll 1h
check_rc "read-only: 4" 4 "$B/sentinelctl" -s "$ro" settings set \
    poll_interval 1h
check "but shown there" "$B/sentinelctl" -s "$ro" settings get
said "as a table" "^poll_interval  *2h  *database, uid"
check "nothing of these counts" setting poll_interval '.value == "2h"'

# The server's certificate.
names()
{
	openssl s_client -connect "127.0.0.1:$PORT" -alpn h2 </dev/null \
	    2>/dev/null | openssl x509 -noout -ext subjectAltName |
	    grep -q "DNS:sentinel.example.com"
}
check_rc "no port: 2" 2 ctl settings set cluster.advertise a.example.com:1
check "advertise" ctl settings set cluster.advertise \
    "sentinel.example.com, 192.0.2.7"
check "is in the certificate" wait_for 10 names
check "our agent stays" host_connected worker-1

# kill -9 of both, right after a change.
check "a last change" ctl settings set grace_period_offline 90m
check "is there" wait_for 3 theirs grace_period_offline '.value == "1h30m"'
daemon_stop worker-1 KILL
daemon_stop s KILL
agent_start worker-1
check "without its server it knows the settings" wait_for 10 theirs poll_interval \
    '.value == "2h" and .origin == "server"'
check "all of them" theirs grace_period_offline '.value == "1h30m"'
must "the server starts" server_start
check "and knows them" setting poll_interval \
    '.value == "2h" and .origin == "database"'
check "the certificate has the name" wait_for 10 names
must "the agent comes back" wait_connected worker-1
check "unset" ctl settings unset poll_interval
check "is the default" setting poll_interval \
    '.value == "6h" and .origin == "default"'
check "there too" wait_for 3 theirs poll_interval '.value == "6h"'

# A file that was broken while it was away.
must "the agent stops" daemon_stop worker-1
echo '{"policies":' >"$T/worker-1/data/state/policy_cache.json"
agent_start worker-1
check "it says so" wait_log worker-1 \
    "state/policy_cache.json: .*the file does not count"
check "it gets the settings anew" wait_for 10 theirs \
    grace_period_offline '.value == "1h30m"'

beat()
{
	"$B/sentinelctl" -s "$T/worker-1/run/sentinel-agentd.sock" status \
	    --json | jq -e '.server_heard_at'
}
check "heartbeats of the server" wait_for 5 beat
first=$(beat)
later()
{
	[ "$(beat)" != "$first" ]
}
check "come again" wait_for 5 later
check_not "the foreign one is spared" grep -q '"heartbeat"' "$T/foreign.log"
check_not "and knows no more than it has to" \
    grep -E '"revision": [1-9]' "$T/foreign.log"
check_eq "policies came with the session only" 1 \
    "$(grep -c '"event": "policies"' "$T/foreign.log")"
check "every change has its audit record" sh -c "$B/sentinelctl -s $CTL_SOCK \
    audit list --json | jq -s -e '[.[0][] | select(.action == \"settings.set\")] |
    length == 11 and .[0].subject == \"setting poll_interval\" and
    .[0].text == \"2h\"'"
check "the trail is whole" ctl audit verify
check "and its event" sh -c "$B/sentinelctl -s $CTL_SOCK events --json |
    jq -s -e 'any(.[]; .type == \"settings_change\")'"

# What the file no longer says is free, what it says now is locked.
sed -i "s,^    rollback_policy: pinned,    poll_interval: 3h," "$T/s.conf"
check "a reload" kill -HUP "$(pid_of s)"
check "locks" wait_for 5 setting poll_interval \
    '.value == "3h" and .origin == "file"'
check "is told to agents" wait_for 3 theirs poll_interval '.value == "3h"'
check "and frees" setting rollback_policy \
    '.value == "none" and (.locked | not)'
check "so that it can be set" ctl settings set rollback_policy manual
