# SIGTERM ends every process within 5 s; kill -9 of everything loses nothing.
# timeout: 90

must "the server starts" server_start
must "an agent connects" enrolled worker-1
must "another one" enrolled worker-2

for n in worker-1 s; do
	kids=$(children "$(pid_of $n)")
	check "$n has processes" test -n "$kids"
	begin=$(date +%s)
	kill -TERM "$(pid_of $n)"
	check "$n ends within 5 s" wait_for 5 gone "$(pid_of $n)"
	wait "$(pid_of $n)"
	check_eq "$n: exit status" 0 $?
	left=0
	for kid in $kids; do
		alive "$kid" && left=$((left + 1))
	done
	check_eq "$n: no process is left" 0 $left
	check_not "$n: nothing had to be killed" has "$T/$n.log" \
	    "SIGKILL|signal 9"
done
check_empty "the control sockets are gone" find "$T/s" "$T/worker-1" \
    -name "*.sock"

must "the server starts" server_start
agent_start worker-1
check "both are back" wait_for 20 hosts '[.[] | select(.connected)] | length == 2'

# Everything at once, as when the power fails.
for n in s worker-1 worker-2; do
	for pid in $(pid_of $n) $(children "$(pid_of $n)"); do
		kill -9 "$pid" 2>/dev/null
	done
done
for n in s worker-1 worker-2; do
	must "$n is gone" wait_for 5 gone "$(pid_of $n)"
	wait "$(pid_of $n)" 2>/dev/null
done
must "the server starts" server_start
agent_start worker-1
agent_start worker-2
check "every host is back" wait_for 20 hosts \
    '[.[] | select(.connected)] | length == 2'
check_eq "and no other" 2 "$(hosts length)"
