# The server is killed again and again while a host renews its certificate:
# the host always comes in with one of its two.
# timeout: 60

seed=${SEED:-$(date +%s)}
echo "# SEED=$seed"
server_conf "agent_lifetime: 60s
    server_lifetime: 2s"
must "the server starts" server_start
cp "$T/s/data/cluster/ca.pem" "$T/ca.pem"
mkdir "$T/a"
conn="--server 127.0.0.1:$PORT --ca $T/ca.pem --dir $T/a"
must "a host is enrolled" $PEER/agent.py enroll $conn --token "$(token)" \
    --name fred
$PEER/agent.py renewals $conn --seconds 12 >"$T/fred.log" 2>&1 &
peer=$!
echo $peer >"$T/fred.pid"
sleep 1
for wait in $(awk -v s="$seed" 'BEGIN {
    srand(s); for (i = 0; i < 8; i++) print 0.1 + rand() * 0.7 }'); do
	sleep "$wait"
	daemon_stop s KILL || :
	server_start || fail "the server does not come back"
done
wait $peer
check_eq "the host was never locked out (SEED=$seed)" 0 $?
check "it renewed in between" sh -c "tail -n 1 $T/fred.log |
    jq -e '.event == \"done\" and .renewed >= 5'"
sed 's/^/# /' "$T/fred.log" | tail -n 3
check_eq "its record has one current certificate" 1 "$(ctl cert list --json |
    jq '[.[] | select(.host_name == "fred" and .state == "current")] | length')"
current=$(ctl cert list --json |
    jq -r '.[] | select(.host_name == "fred" and .state == "current").serial')
check "which is one that it has" sh -c "tail -n 1 $T/fred.log |
    jq -e '.serials | any(. == \"$current\")'"
