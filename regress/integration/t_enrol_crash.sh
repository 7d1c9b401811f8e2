# The agent is killed in the middle of its enrolment, at each file it writes:
# the same token still brings it in, and as one host.
# needs: root
# timeout: 120

must "the server starts" server_start
n=0
for file in agent-key.pem.new host-id.new ca.pem.new agent.pem.new host-id \
    ca.pem agent-key.pem agent.pem token-spent; do
	n=$((n + 1))
	a=worker-$n
	agent_conf $a
	(umask 077; token --name $a >"$T/$a.token")
	/usr/bin/python3 regress/lab/killwhen.py \
	    "$T/$a/data/cluster/$file" "$T/$a/data/cluster/token-spent" \
	    sentinel-agentd &
	watch=$!
	agent_start $a
	check "$file: it was seen" wait $watch
	check "$file: the agent is dead" wait_for 5 gone "$(pid_of $a)"
	wait "$(pid_of $a)" 2>/dev/null
	must "$file: all of it" wait_for 5 none_left sentinel-agentd
	agent_start $a
	check "$file: with the same token it comes in" wait_connected $a
	check_empty "$file: no file is left half way" \
	    find "$T/$a/data/cluster" -name '*.new'
	daemon_stop $a || :
done
check_eq "as one host each" $n "$(hosts length)"
