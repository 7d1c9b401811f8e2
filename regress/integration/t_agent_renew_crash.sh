# The agent is killed again and again while it renews its certificate, at
# random moments and at each file it writes: it always comes back as the same
# host, with a key and a certificate that belong together.
# needs: root
# timeout: 90

seed=${SEED:-$(date +%s)}
echo "# SEED=$seed"
dir=$T/worker-1/data/cluster

is_pair()
{
	[ "$(openssl x509 -in "$dir/agent.pem" -noout -pubkey)" = \
	    "$(openssl ec -in "$dir/agent-key.pem" -pubout 2>/dev/null)" ]
}

sessions()
{
	grep -c "session with .* established" "$T/worker-1.log"
}

# more N: a session since there were N.
more()
{
	[ "$(sessions)" -gt "$1" ]
}

kill_it()
{
	daemon_stop worker-1 KILL || :
	wait_for 5 none_left sentinel-agentd || fail "processes are left"
}

server_conf "agent_lifetime: 2s"
must "the server starts" server_start
agent_conf worker-1
(umask 077; token --name worker-1 >"$T/worker-1.token")
agent_start worker-1
must "the agent enrols" wait_connected worker-1
kill_it

# Its certificate is due at each start, or nearly.
for wait in $(awk -v s="$seed" 'BEGIN {
    srand(s); for (i = 0; i < 15; i++) print 0.1 + rand() * 0.6 }'); do
	agent_start worker-1
	sleep "$wait"
	kill_it
done
n=$(sessions)
agent_start worker-1
check "killed at random, it is back" wait_for 10 more "$n"
kill_it

for file in agent-key.pem.new agent.pem.new; do
	for last in 1 2; do
		/usr/bin/python3 regress/lab/killwhen.py "$dir/$file" \
		    "$dir/never" sentinel-agentd &
		watch=$!
		agent_start worker-1
		check "$file: it was seen" wait $watch
		kill_it
	done
	n=$(sessions)
	agent_start worker-1
	check "$file: it is back" wait_for 10 more "$n"
	kill_it
done

n=$(grep -c "certificate renewed:" "$T/worker-1.log")
agent_start worker-1
check "and renews its certificate" wait_for 10 sh -c \
    "[ \$(grep -c 'certificate renewed:' $T/worker-1.log) -gt $n ]"
check "it is connected" wait_connected worker-1
daemon_stop worker-1
check "key and certificate belong together (SEED=$seed)" is_pair
check_eq "it is one host" 1 "$(hosts length)"
check_not "it was never refused" has "$T/worker-1.log" \
    "the server refuses this host"
