# A server that is not ours, by grpcio and openssl: our agent enrols there,
# demands the proof of the CA first, obeys plain commands when that was asked
# for, and comes back whatever the server does to it.
# needs: docker
# timeout: 120

name=fs-$$
lab_docker run -d --name "$name" "$LAB_REGISTRY/demo:1" >/dev/null || exit 1
trap 'lab_docker rm -f "$name" >/dev/null 2>&1; scenario_end' EXIT

# serve OPTIONS...: its token is in $token.
serve()
{
	rm -f "$T/in"
	mkfifo "$T/in"
	: >"$T/server.log"
	$PEER/server.py --listen "127.0.0.1:$PORT" --dir "$T/ca" "$@" \
	    <"$T/in" >>"$T/server.log" 2>&1 &
	echo $! >"$T/server.pid"
	exec 7>"$T/in"
	wait_for 15 has "$T/server.log" ready || return 1
	token=$(jq -r 'select(.event == "ready").token' "$T/server.log" |
	    head -n 1)
}

serve_end()
{
	echo quit >&7
	exec 7>&-
	wait "$(pid_of server)" 2>/dev/null
}

AGENT_DOCKER=unix://$LAB_DIR/docker.sock
agent_conf worker-1

# Leaf only, as the Go server: refused unless told otherwise.
must "a server that shows no CA" serve --leaf-only
(umask 077; echo "$token" >"$T/worker-1.token")
agent_start worker-1
check "the agent says what would allow it" wait_log worker-1 \
    "trust_first_use"
check_not "and has not sent the token" has "$T/server.log" '"enroll"'
daemon_stop worker-1 || :
echo "  trust_first_use: true" >>"$T/worker-1.conf"
agent_start worker-1
must "with trust_first_use it enrols" wait_log server '"enroll"'
check "and opens a session" wait_log server '"channel"'
daemon_stop worker-1
serve_end
rm -rf "$T/worker-1/data"
sed -i '/trust_first_use/d' "$T/worker-1.conf"

# An answer that is not for its key is not kept.
must "a server that certifies another key" serve --wrong-key
(umask 077; echo "$token" >"$T/worker-1.token")
: >"$T/worker-1.log"
agent_start worker-1
check "the agent refuses the certificate" wait_log worker-1 \
    "not to be believed.*: the certificate is not over our key"
check_not "and keeps nothing of it" test -e \
    "$T/worker-1/data/cluster/agent.pem"
daemon_stop worker-1 || :
serve_end

must "a proper server" serve
(umask 077; echo "$token" >"$T/worker-1.token")
agent_start worker-1
must "the agent enrols and reports" wait_log server '"report"'
must "and opens a session" wait_log server '"channel"'

# The token named the CA, so it is one of our servers, and those sign: one that
# never says so may be somebody who keeps that back.
check "the agent says what it expects" wait_log worker-1 \
    "does not say that it signs commands.*signed_commands: off"
echo "stop $name" >&7
check "a plain command is refused with the reason" wait_log server \
    '"container_action_result".*"stop".*"failed".*unsigned commands'
check "and the log has it" wait_log worker-1 "unsigned commands are refused"
check_eq "nothing was done" true \
    "$(lab_docker inspect -f '{{.State.Running}}' "$name")"
daemon_stop worker-1 || :
echo again >>"$T/worker-1.log"
agent_start worker-1
check "also after a restart" wait_for 10 sh -c "sed '1,/^again/d' \
    $T/worker-1.log | grep -q 'does not say that it signs'"
daemon_stop worker-1 || :

: >"$T/server.log"
echo "  signed_commands: off" >>"$T/worker-1.conf"
agent_start worker-1
must "the agent reports" wait_log server '"report"'
check "it reports the container" has "$T/server.log" "\"report\".*$name"
check "and the engine" has "$T/server.log" '"engine_id": "[A-Z0-9]{4}:'
check "heartbeats come" wait_log server '"heartbeat"'

echo list >&7
check "list" wait_log server \
    "\"container_list\", \"request_id\": \"[0-9a-f]{16}.*\"$name\": \"running\""
echo "stop $name" >&7
check "stop" wait_log server '"container_action_result".*"stop".*"success"' 20
echo again >&7
echo "start $name" >&7
check "start" wait_log server '"container_action_result".*"start".*"success"' 20
check_eq "the command sent twice was carried out once" 1 \
    "$(grep -c '"container_action_result".*"stop"' "$T/server.log")"
echo "stop no-such-container" >&7
check "an unknown container" wait_log server \
    'no-such-container.*"failed".*not found'
echo "logs $name 5" >&7
check "logs" wait_log server '"fetch_logs_result".*version 1'
echo "update $name $LAB_REGISTRY/demo:2" >&7
check "update" wait_log server '"update_result".*"outcome": "success"' 30
check_eq "the container is on version 2" "$LAB_REGISTRY/demo:2" \
    "$(lab_docker inspect -f '{{.Config.Image}}' "$name")"

# A journal: nothing acknowledges it, so it leaves after further heartbeats.
actl()
{
	timeout 20 "$B/sentinelctl" -s "$T/worker-1/run/sentinel-agentd.sock" \
	    "$@"
}
entries()
{
	actl journal list --json >"$T/json" && jq -e "$@" <"$T/json"
}
check "results have left the journal" wait_for 10 entries 'length == 0'
daemon_stop worker-1
: >"$T/server.log"
cat >"$T/worker-1/data/cluster/offline_journal.json" <<EOT
[{"id": "old-1", "timestamp": "2026-01-02T03:04:05Z", "action": "update",
  "container": "db", "outcome": "success", "duration": 1000000000},
 {"id": "old-2", "timestamp": "2026-01-02T03:04:06Z", "action": "update",
  "container": "db", "outcome": "failed", "error": "no", "duration": 0}]
EOT
agent_start worker-1
check "the journal is sent" wait_log server \
    '"offline_journal".*"old-1".*"success".*"old-2".*"failed", "no"'
check "and kept for the moment" entries 'length == 2'
check "until heartbeats have followed" wait_for 10 entries 'length == 0'
check "they have" sh -c "sed '1,/\"offline_journal\"/d' $T/server.log |
    grep -c '\"heartbeat\"' | grep -qvx '[01]'"
daemon_stop worker-1
: >"$T/server.log"
agent_start worker-1
must "in the next session" wait_log server '"heartbeat"'
sleep 4
check_not "it is not sent again" has "$T/server.log" '"offline_journal"'

# Rubbish: bytes that are no message, no payload, a wrong type.
echo "raw 0a0461626364" >&7
echo "raw 07070707" >&7
echo list >&7
check "rubbish was sent" wait_log server '"what": "list"'
echo rubbish >>"$T/server.log"
check "after rubbish the agent is back or still there" wait_for 10 sh -c \
    "sed '1,/^rubbish/d' $T/server.log | grep -c '\"heartbeat\"' |
    grep -qvx '[01]'"

# The server ends streams.
for code in UNAVAILABLE INTERNAL PERMISSION_DENIED; do
	n=$(grep -c '"channel"' "$T/server.log")
	echo "end $code by the test" >&7
	check "after $code it comes back" wait_for 20 sh -c \
	    "[ \$(grep -c '\"channel\"' $T/server.log) -gt $n ]"
done
serve_end

# The same CA, now with a demand for a certificate.
must "the server demands a certificate" serve --mtls
check "the agent shows its own" wait_log server \
    "\"identity\": \[\"$(cat "$T/worker-1/data/cluster/host-id")\"\]" 15
serve_end

# The name it dials must be in the certificate, and the dates must be right.
: >"$T/worker-1.log"
must "a certificate for another name" serve --san DNS:elsewhere
check "the agent says so" wait_log worker-1 \
    "127\.0\.0\.1 was dialled, but .*elsewhere" 15
check_not "and reports nothing" has "$T/server.log" '"report"'
serve_end
: >"$T/worker-1.log"
must "an expired certificate" serve --days -1
check "the agent says so" wait_log worker-1 "expired" 15
check_not "and reports nothing" has "$T/server.log" '"report"'
serve_end
: >"$T/worker-1.log"
must "a certificate that is not for servers" serve --purpose clientAuth
check "the agent says so" wait_log worker-1 "wrong purpose" 15
check_not "and reports nothing" has "$T/server.log" '"report"'
serve_end

# Refused identities get their text into the log.
: >"$T/worker-1.log"
must "a server that does not know it" serve --report-status NOT_FOUND \
    --report-text "host ID not registered"
check "the agent says so" wait_log worker-1 "host ID not registered" 15
serve_end
must "a proper server again" serve
check "the agent is back" wait_log server '"channel"' 15
