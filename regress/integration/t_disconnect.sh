# Why a host is away: every way to lose one, and what host show says then.
# The categories are those of the page: network, cert, server.
# needs: root
# timeout: 120

. regress/lab/cable.sh

host()
{
	ctl host show "$1" --json | jq -r "$2"
}

# away HOST CATEGORY TEXT WHAT: it is, for this reason.
away()
{
	check "$4" wait_for 10 host_disconnected "$1"
	check_eq "$4: $2" "$2" "$(host "$1" .disconnect_cat)"
	host "$1" .disconnect_err >"$T/check.out"
	said "$4: why" "^($3)\$"
	check_not "$4: when" [ "$(host "$1" .disconnect_at)" = \
	    0001-01-01T00:00:00Z ]
}

# session [OPTIONS]: the foreign agent's, in the background.
session()
{
	$PEER/agent.py run $conn --seconds 60 --container web "$@" \
	    >"$T/foreign.log" 2>&1 &
	foreign=$!
	wait_connected foreign
}

session_end()
{
	kill -CONT $foreign 2>/dev/null
	kill -9 $foreign 2>/dev/null
	wait $foreign 2>/dev/null
}

server_conf
sed -i -e "s/heartbeat_timeout: .*/heartbeat_timeout: 3s/" \
    -e "s/ping_interval: .*/ping_interval: 500ms/" \
    -e "s/ping_timeout: .*/ping_timeout: 1s/" "$T/s.conf"
must "the server starts" server_start
must "our agent connects" enrolled worker-1
mkdir "$T/a"
conn="--server 127.0.0.1:$PORT --ca $T/s/data/cluster/ca.pem --dir $T/a"
must "a foreign agent enrols" $PEER/agent.py enroll $conn \
    --token "$(token)" --name foreign
must "and connects" session
check_eq "a connected host has no reason" "true " \
    "$(host foreign '"\(.connected) \(.disconnect_cat // "")"')"

# --- network ------------------------------------------------------------------

must "the cable is cut" cable_cut $PORT both
away worker-1 network "connection timed out" "cut, ours"
away foreign network "connection timed out" "cut, foreign"
cable_mend
session_end
check "ours is back" wait_connected worker-1

must "a session" session
must "resets from the middle" cable_reset $PORT
away worker-1 network "connection (reset by peer|lost.*)" "reset, ours"
away foreign network "connection (reset by peer|lost.*)" "reset, foreign"
cable_mend
session_end
check "ours is back" wait_connected worker-1

must "a session" session
kill -9 $foreign
wait $foreign 2>/dev/null
away foreign network "connection (lost \(EOF\)|reset by peer)" \
    "agent killed, foreign"
pids="$(pid_of worker-1) $(children "$(pid_of worker-1)")"
kill -9 $pids
wait "$(pid_of worker-1)" 2>/dev/null
away worker-1 network "connection (lost \(EOF\)|reset by peer)" \
    "agent killed, ours"
agent_start worker-1
check "ours is back" wait_connected worker-1

daemon_stop worker-1
away worker-1 network "agent stopped" "agent stopped, ours"
agent_start worker-1
check "ours is back" wait_connected worker-1

must "a session" session
kill -STOP $foreign
away foreign network "connection timed out" "agent hangs"
session_end
must "a session without heartbeats" session --heartbeat 50
away foreign network "connection timed out: no heartbeat" "agent is silent"
session_end

# --- server ---------------------------------------------------------------------

must "a session" session
$PEER/agent.py run $conn --seconds 4 --container web >"$T/second.log" 2>&1 &
second=$!
check "the older of two is ended" wait_for 5 has "$T/foreign.log" \
    '"end".*replaced by a newer stream'
check "the log says so" has "$T/s.log" "foreign\): replaced stale stream"
check_eq "which is no reason for the newer" "true " \
    "$(host foreign '"\(.connected) \(.disconnect_cat // "")"')"
wait $second
away foreign network "agent stopped" "the newer ended"
session_end

$PEER/agent.py run $conn --seconds 20 --misbehave garbage \
    >"$T/foreign.log" 2>&1 &
foreign=$!
check "a broken message" wait_for 10 has "$T/foreign.log" '"end"'
away foreign server "grpc: failed to unmarshal .*" "agent breaks rules"
session_end

# A certificate of another CA never gets as far as to be a host's.
mkdir "$T/c"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -keyout "$T/c/agent-key.pem" -out "$T/c/agent.pem" -days 3 \
    -subj "/CN=$(cat "$T/a/host-id")" 2>/dev/null
cp "$T/a/host-id" "$T/c/host-id"
check_rc "a certificate of another CA" 1 $PEER/agent.py run $conn \
    --dir "$T/c" --seconds 5
check "is one line in the log" has "$T/s.log" \
    "127.0.0.1: refused: .*(certificate|unknown ca)"
away foreign server "grpc: failed to unmarshal .*" "and no reason of the host"

must "a session" session
id=$(host foreign .id)
check "remove" ctl host remove foreign --yes
check_eq "removed: server" server "$(host "$id" .disconnect_cat)"
check_eq "removed: why" "host ID not registered" \
    "$(host "$id" .disconnect_err)"
session_end
must "it enrols again" $PEER/agent.py enroll $conn --token "$(token)" \
    --name foreign
must "a session" session
id=$(host foreign .id)
check "revoke" ctl host revoke foreign --yes
check_eq "revoked: server" server "$(host "$id" .disconnect_cat)"
check_eq "revoked: why" "certificate has been revoked" \
    "$(host "$id" .disconnect_err)"
session_end
check_rc "it comes back" 1 $PEER/agent.py run $conn --seconds 5
said "and is refused" "certificate has been revoked"
check_eq "still: server" server "$(host "$id" .disconnect_cat)"

# The server itself; our agent stays away meanwhile.
kill -STOP $(children "$(pid_of worker-1)")
daemon_stop s
must "the server starts" server_start
away worker-1 server "server (is stopping|stopped)" "server stopped"
kill -CONT $(children "$(pid_of worker-1)")
check "ours is back" wait_connected worker-1
sleep 1.2				# its record is written
kill -STOP $(children "$(pid_of worker-1)")
kill -9 "$(pid_of s)" $(children "$(pid_of s)")
wait "$(pid_of s)" 2>/dev/null
rm -f "$T/s/run/sentineld.sock"
sed -i -e "s/^    enabled: true/&\n    agent_lifetime: 6s\n\
    renewal_grace: 1s/" "$T/s.conf"
must "the server starts" server_start
away worker-1 server "server was killed" "server killed"
kill -CONT $(children "$(pid_of worker-1)")
check "ours is back" wait_connected worker-1

# --- cert -----------------------------------------------------------------------

# One that stays until its certificate ends, one that comes back after that.
must "one with a short life enrols" $PEER/agent.py enroll $conn \
    --token "$(token)" --name stays
$PEER/agent.py run $conn --seconds 60 --misbehave silent \
    >"$T/foreign.log" 2>&1 &
foreign=$!
must "and connects" wait_connected stays
mkdir "$T/d"
conn="--server 127.0.0.1:$PORT --ca $T/s/data/cluster/ca.pem --dir $T/d"
must "another one enrols" $PEER/agent.py enroll $conn --token "$(token)" \
    --name comes
check "and connects" $PEER/agent.py run $conn --misbehave silent --seconds 1
away comes network "agent stopped" "and stops"
check "a certificate ends" wait_for 10 has "$T/foreign.log" \
    '"end".*certificate has expired'
away stays cert "certificate has expired .*" "expired under way"
session_end
refused()
{
	$PEER/agent.py run $conn --seconds 1 --misbehave silent \
	    >"$T/second.log" 2>&1
	has "$T/second.log" "PERMISSION_DENIED: certificate has expired .* ago"
}
check "the other comes back too late" wait_for 10 refused
away comes cert "certificate has expired .*" "expired at the door"
