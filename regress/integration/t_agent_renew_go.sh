# An agent that does not know how to ask gets its certificate unasked; one
# that asks gets it over its new key.  Both certificates are good until the new
# one is used, then the old one is revoked.
# timeout: 60

server_conf "agent_lifetime: 8s"
must "the server starts" server_start
cp "$T/s/data/cluster/ca.pem" "$T/ca.pem"
agent="$PEER/agent.py"
conn="--server 127.0.0.1:$PORT --ca $T/ca.pem"

# cert NAME STATE: serial of a host's certificate in this state.
cert()
{
	ctl cert list --json | jq -re --arg n "$1" --arg s "$2" \
	    '[.[] | select(.host_name == $n and .state == $s)][0].serial // "none"'
}

serial_of()
{
	openssl x509 -noout -serial -in "$1" | sed 's/.*=0*//' |
	    tr '[:upper:]' '[:lower:]'
}

mkdir "$T/go" "$T/csr"
ours="--feature progress"
must "fred is enrolled" $agent enroll $conn --dir "$T/go" \
    --token "$(token)" --name fred
cp -r "$T/go" "$T/old"
old=$(serial_of "$T/go/agent.pem")
$agent run $conn --dir "$T/go" --seconds 30 >"$T/fred.log" 2>&1 &
echo $! >"$T/fred.pid"

check "fred gets one without asking" wait_log fred '"renewed".*"fits": true' 10
check_eq "it is pending" "$(serial_of "$T/go/agent.pem")" \
    "$(cert fred pending)"
check "fred is connected still" host_connected fred

# One that knows how to ask.
must "dora is enrolled" $agent enroll $conn --dir "$T/csr" \
    --token "$(token)" --name dora
dora=$(serial_of "$T/csr/agent.pem")
cp -r "$T/csr" "$T/csr.old"
check_rc "a request with a broken signature" 0 $agent run $conn \
    --dir "$T/csr" $ours --renew --csr broken-signature --seconds 0.5
check_eq "is not answered" none "$(cert dora pending)"
check_rc "a good one" 0 $agent run $conn \
    --dir "$T/csr" $ours --renew --seconds 1.5
said "is answered for its key" '"event": "renewed".*"fits": true'
new=$(serial_of "$T/csr/agent.pem")
check_eq "the new one is pending" "$new" "$(cert dora pending)"
check_eq "the old one current" "$dora" "$(cert dora current)"
check_rc "the old one still opens" 0 $agent run $conn --dir "$T/csr.old" \
    $ours --seconds 0.2
check_rc "the new one is used" 0 $agent run $conn --dir "$T/csr" $ours \
    --seconds 0.2
check_eq "and current" "$new" "$(cert dora current)"
check_eq "the old one is revoked" "$dora" "$(cert dora revoked)"
check_rc "and refused" 1 $agent run $conn --dir "$T/csr.old" $ours \
    --seconds 1
said "with these words" "PERMISSION_DENIED: certificate has been revoked"

check "his stream ends with the old certificate" wait_log fred \
    '"end".*certificate has expired meanwhile' 8
check_rc "he comes back with the new one" 0 $agent run $conn --dir "$T/go" \
    --seconds 0.2
check_eq "the old one is revoked" "$old" "$(cert fred revoked)"
check_rc "and refused" 1 $agent run $conn --dir "$T/old" --seconds 1
said "with these words" "PERMISSION_DENIED: certificate has been revoked"
