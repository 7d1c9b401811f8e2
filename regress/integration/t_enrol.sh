# A token brings an agent in; the host comes back after every restart.
# timeout: 90

must "the server starts" server_start
must "the agent enrols and connects" enrolled worker-1
id=$(hosts -r '.[] | select(.name == "worker-1") | .id')
check_eq "a host id of 32 characters" 32 "${#id}"
check "host list says what the REST API will" hosts '.[0] |
    .state == "active" and .connected and .address != "" and
    (.enrolled_at | type == "string") and .agent_version != ""'
check "host show, by name and by id" sh -c "
    $B/sentinelctl -s $CTL_SOCK host show worker-1 --json | jq -e '.id == \"$id\"' &&
    $B/sentinelctl -s $CTL_SOCK host show $id --json | jq -e '.name == \"worker-1\"'"

d=$T/worker-1/data/cluster
for f in ca.pem agent.pem agent-key.pem host-id; do
	check_eq "$f is for its owner only" 600 "$(stat -c %a "$d/$f")"
done
check_eq "host-id" "$id" "$(cat "$d/host-id")"
check "the certificate is the CA's" openssl verify -CAfile "$d/ca.pem" \
    -purpose sslclient "$d/agent.pem"
check_empty "no key is left half way" find "$d" -name '*.new'

check "the token counts as used" sh -c "$B/sentinelctl -s $CTL_SOCK \
    token list --json | jq -e '.[0].used == 1 and .[0].state == \"used\"'"
check "the agent answers its own control socket" "$B/sentinelctl" \
    -s "$T/worker-1/run/sentinel-agentd.sock" status

check "the agent stops" daemon_stop worker-1
check "the server sees it go" wait_for 5 host_disconnected worker-1
agent_start worker-1
check "it connects again, its token spent" wait_connected worker-1

check "the server stops" daemon_stop s
must "the server starts again" server_start
check "the agent finds it" wait_connected worker-1
check_eq "as the same host" "$id" \
    "$(hosts -r '.[] | select(.name == "worker-1") | .id')"
check_eq "and the only one" 1 "$(hosts length)"

# A second agent with a name that is taken.
agent_conf other
sed -i 's/^  name: other/  name: worker-1/' "$T/other.conf"
(umask 077; token >"$T/other.token")
agent_start other
check "a clash of names gets -2" wait_connected worker-1-2

# The new key of the server's TLS at every start does not matter to agents;
# neither does a power cut.
daemon_stop s KILL
must "the server starts after kill -9" server_start
check "both hosts are back" wait_for 15 hosts \
    '[.[] | select(.connected)] | length == 2'
check "events tell it" sh -c "$B/sentinelctl -s $CTL_SOCK events --json |
    grep -q worker-1"
