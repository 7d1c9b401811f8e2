# A certificate that has expired: within the grace period it is good for its
# renewal and for nothing else; after that it is refused with the reason.
# timeout: 60

server_conf "agent_lifetime: 2s
    renewal_grace: 10s"
must "the server starts" server_start
cp "$T/s/data/cluster/ca.pem" "$T/ca.pem"
agent="$PEER/agent.py"
conn="--server 127.0.0.1:$PORT --ca $T/ca.pem"
for n in late go; do
	mkdir "$T/$n"
	must "$n is enrolled" $agent enroll $conn --dir "$T/$n" \
	    --token "$(token)" --name $n
done

# aged NAME SECONDS: so old is its certificate.
aged()
{
	[ "$(($(date +%s) - $(stat -c %Y "$T/$1/agent.pem")))" -ge "$2" ]
}
must "time passes" wait_for 5 aged go 4

# One that cannot ask.
$agent run $conn --dir "$T/go" --seconds 20 --container forged \
    --heartbeat 0.1 >"$T/go.log" 2>&1 &
echo $! >"$T/go.pid"
check "an expired one is let in, to renew" wait_log go \
    '"session".*may only be renewed'
check "and gets it, since it cannot ask" wait_log go '"renewed".*"fits": true'
check_not "it is not connected for that" host_connected go
check_rc "no command goes to it" 5 ctl container logs go/forged
check_eq "and its list counts for nothing" 0 "$(ctl container list --json |
    jq '[.[] | select(.name == "forged")] | length')"
check "then it is ended" wait_log go '"end".*it may only be renewed' 8
check_eq "one message came, and no more" 1 "$(grep -c '"command"' "$T/go.log")"
check "the server says why it came" has "$T/s.log" \
    "certificate has expired [0-9]+s ago: it may only be renewed"

# The other one is older than the grace period.
must "time passes" wait_for 14 aged late 14
check_rc "later it is refused" 1 $agent run $conn --dir "$T/late" --seconds 1
said "with the reason" \
    "certificate has expired [0-9]+s ago \(or clock skew of [0-9]+s\?\): enrol"
