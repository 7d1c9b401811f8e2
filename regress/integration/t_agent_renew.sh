# An agent renews its own certificate over a fresh key, with its server and
# with one of another implementation, and comes back to the old pair when the
# new one is not taken.

server_conf "agent_lifetime: 8s"
dir=$T/worker-1/data/cluster

# The key a certificate is over, and that of the key file.
point_of()
{
	openssl x509 -in "$1" -noout -pubkey 2>/dev/null | sha256sum
}

key_of()
{
	openssl ec -in "$1" -pubout 2>/dev/null | sha256sum
}

serial()
{
	openssl x509 -in "$dir/agent.pem" -noout -serial
}

is_pair()
{
	[ "$(point_of "$dir/agent.pem")" = "$(key_of "$dir/agent-key.pem")" ] &&
	    openssl x509 -in "$dir/agent.pem" -noout
}

renewals()
{
	grep -c "certificate renewed:" "$T/worker-1.log"
}

renewed()
{
	[ "$(renewals)" -ge "$1" ]
}

must "the server starts" server_start
agent_conf worker-1
(umask 077; token --name worker-1 >"$T/worker-1.token")
agent_start worker-1
must "the agent enrols" wait_connected worker-1
first=$(serial)
key=$(key_of "$dir/agent-key.pem")

check "within its life the certificate is renewed" wait_for 8 renewed 1
check "each step has its line: key" has "$T/worker-1.log" \
    "a new key and its request are made"
check "request" has "$T/worker-1.log" "certificate: request sent"
check "answer" has "$T/worker-1.log" "certificate: a new one came"
check "on disk" has "$T/worker-1.log" "on disk beside the old one"
check "taken" has "$T/worker-1.log" "the server takes the new one"
check "the certificate is another one" [ "$(serial)" != "$first" ]
check "over a fresh key" [ "$(key_of "$dir/agent-key.pem")" != "$key" ]
check "key and certificate belong together" is_pair
check_empty "nothing is left beside them" find "$dir" -name '*.new'
check "the host is connected" wait_connected worker-1
check "and again" wait_for 10 renewed 2
check_eq "it is still the same host" 1 "$(hosts length)"

# Expired within the grace period: for a renewal it is admitted.
daemon_stop worker-1 || :
sleep 9
n=$(renewals)
echo back >>"$T/worker-1.log"
agent_start worker-1
check "expired while it was away, it is renewed at once" wait_for 8 \
    renewed $((n + 1))
check "and connected" wait_connected worker-1
check "key and certificate belong together" is_pair
daemon_stop worker-1
daemon_stop s
