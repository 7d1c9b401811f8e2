# No process but the keyholder has a byte of a private key in its memory.
# needs: root filter
# timeout: 90

must "the server starts" server_start
must "an agent connects" enrolled worker-1
check "and reconnects once, so that keys were used" daemon_stop worker-1
agent_start worker-1
must "it is back" wait_connected worker-1

secrets="$T/s/data/cluster/ca-key.pem $T/s/data/cluster/hmac-key.bin
    $T/worker-1/data/cluster/agent-key.pem"
for k in $secrets; do
	check "there is $(basename "$k")" test -s "$k"
done

scan="/usr/bin/python3 regress/lab/memscan.py"
# The search itself must be able to find something.
for n in s worker-1; do
	pid=$(child_of $n keyholder)
	# shellcheck disable=SC2086
	check_rc "$n: the keyholder has a key" 1 $scan "$pid" $secrets
	for pid in $(pid_of $n) $(children "$(pid_of $n)"); do
		[ "$pid" = "$(child_of $n keyholder)" ] && continue
		title=$(tr '\0' ' ' <"/proc/$pid/cmdline")
		# shellcheck disable=SC2086
		check "no key bytes in: $title" $scan "$pid" $secrets
	done
done
