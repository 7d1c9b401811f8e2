# An agent that is not ours, by grpcio and openssl: enrols, is listed, gets
# plain commands and answers them; misbehaves in ways that hurt only itself.
# timeout: 120

must "the server starts" server_start
mkdir "$T/a"
conn="--server 127.0.0.1:$PORT --ca $T/s/data/cluster/ca.pem --dir $T/a"
agent="$PEER/agent.py"

must "it enrols" $agent enroll $conn --token "$(token)" --name "foreign"

# session OPTIONS...: in the background, log foreign.log.
session()
{
	$agent run $conn --seconds 60 "$@" >"$T/foreign.log" 2>&1 &
	echo $! >"$T/foreign.pid"
	wait_connected foreign
}

session_end()
{
	kill "$(pid_of foreign)" 2>/dev/null
	wait "$(pid_of foreign)" 2>/dev/null
	wait_for 10 host_disconnected foreign
}

must "its session" session --container web --container db
check "the state was received" has "$T/foreign.log" \
    '"accepted": true, "message": "state received"'
check "host list shows what it reports" hosts \
    '.[0].agent_version | startswith("v2.15.3")'
check "its containers are listed" sh -c "$B/sentinelctl -s $CTL_SOCK \
    container list --host foreign --json | jq -e 'map(.name) == [\"db\", \"web\"]
    or map(.name) == [\"web\", \"db\"]'"
check "a container is stopped" ctl container stop foreign/web
check "it was a plain command" has "$T/foreign.log" \
    '"kind": "container_action".*"name": "web"'
check "started" ctl container start foreign/web
check "restarted" ctl container restart foreign/web
check "its log" ctl container logs foreign/web --lines 5
said "is what the agent sent" "a line of web"
for opt in "--since 1m" "--until 1m" --stderr -t; do
	# shellcheck disable=SC2086
	check_rc "$opt is not for it" 1 ctl container logs foreign/web $opt
	said "which is said" "the agent on host foreign is too old for this"
done
check_rc "nor to be followed" 1 ctl container logs -f foreign/web
said "which is said" "the agent on host foreign is too old for this"
check "it is updated" ctl container update foreign/web --image example/web:2
check "by an update_container" has "$T/foreign.log" '"update_container"'
check_rc "an update that fails" 3 ctl container update foreign/none \
    --image example/web:2
check "is in the history" sh -c "$B/sentinelctl -s $CTL_SOCK history list --json |
    jq -e 'map(select(.action == \"update\" and .outcome == \"failed\")) |
    length == 1'"
check_rc "it is not asked for a rollback: it would never answer" 1 \
    ctl container rollback foreign/web
said "says so" "the agent on host foreign is too old for this"
check_not "nothing was sent" has "$T/foreign.log" '"kind": "rollback"'
check_rc "nor for a plan" 1 ctl container plan foreign/web
check "what is known of a container" ctl container show foreign/web
said "is its list, and says why" "no more  *the agent on host foreign is too old"
check_rc "an unknown container" 3 ctl container stop foreign/none
check_rc "an unknown host" 3 ctl container stop nobody/web
session_end

# One that knows rollbacks as the protocol has them, and nothing of ours.
must "a session with the word rollback" session --container web \
    --feature rollback
check "a rollback" ctl container rollback foreign/web
said "is a success" "foreign/web"
check "it was a plain command" has "$T/foreign.log" \
    '"kind": "rollback".*"name": "web"'
check_rc "of an unknown container" 3 ctl container rollback foreign/none
check "both are in the history" sh -c "$B/sentinelctl -s $CTL_SOCK history list \
    --json | jq -e 'map(select(.action == \"rollback\")) | length == 2'"
check "without a digest nothing is in quarantine" sh -c "[ \"\$($B/sentinelctl \
    -s $CTL_SOCK quarantine list --json)\" = '[]' ]"
session_end

check_rc "a host that is away" 5 ctl container stop foreign/web
check "is shown as away, with the reason" hosts \
    '.[0] | (.connected | not) and .disconnect_cat == "network"'

# It does not answer: the server's deadline does.
must "a session that never answers" session --container web \
    --misbehave silent
begin=$(date +%s)
check_rc "a command gets no answer: exit status 6" 6 ctl container logs \
    foreign/web
check "after the deadline of logs" test $(($(date +%s) - begin)) -lt 10
check "the session lives on" host_connected foreign
session_end

# No heartbeats: the session is ended.
$agent run $conn --seconds 60 --heartbeat 50 >"$T/foreign.log" 2>&1 &
echo $! >"$T/foreign.pid"
check "a session without heartbeats" wait_connected foreign
check "is ended" wait_for 20 host_disconnected foreign
session_end

# The stale session is replaced by the newer one.
must "a session" session --container web
cp "$T/foreign.log" "$T/first.log"
$agent run $conn --seconds 20 --container web --container new \
    >"$T/second.log" 2>&1 &
second=$!
check "the older of two is ended" wait_for 10 has "$T/foreign.log" '"end"'
check "the log says so" has "$T/s.log" "replaced stale stream"
check "the host is still connected" host_connected foreign
kill $second
wait $second 2>/dev/null
session_end

# Nothing but the certificate says who it is.
mkdir "$T/b"
must "a second host" $agent enroll $conn --dir "$T/b" --token "$(token)" \
    --name second
cp "$T/a/host-id" "$T/b/host-id"
$agent run $conn --dir "$T/b" --seconds 5 >"$T/second.log" 2>&1 &
check "which claims to be the first, is itself" wait_connected second
check "and the first is not connected" host_disconnected foreign
wait $!

# A certificate of another CA.
mkdir "$T/c"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$T/c/agent-key.pem" -out "$T/c/agent.pem" -days 3 \
    -subj "/CN=$(cat "$T/a/host-id")" 2>/dev/null
cp "$T/a/host-id" "$T/c/host-id"
check_rc "a certificate of another CA" 1 $agent run $conn --dir "$T/c"
said "is refused" "UNAVAILABLE|UNAUTHENTICATED|PERMISSION_DENIED"
