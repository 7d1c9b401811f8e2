# Each row of the manual's troubleshooting tables, provoked, and found in the
# agent's log with its fix.
# timeout: 120

dir=$T/worker-1/data/cluster

# serve OPTIONS...: a server of which certificate and answers can be chosen.
serve()
{
	rm -f "$T/in"
	mkfifo "$T/in"
	: >"$T/server.log"
	$PEER/server.py --listen "127.0.0.1:$PORT" --dir "$T/ca" "$@" \
	    <"$T/in" >>"$T/server.log" 2>>"$T/server.err" &
	echo $! >"$T/server.pid"
	exec 7>"$T/in"
	wait_for 15 has "$T/server.log" ready || return 1
	token=$(jq -r 'select(.event == "ready").token' "$T/server.log" |
	    head -n 1)
}

serve_end()
{
	echo quit >&7
	exec 7>&-
	wait "$(pid_of server)" 2>/dev/null
}

# trouble TEXT PHRASE FIX [SECONDS]: one line has both.
trouble()
{
	if wait_log worker-1 "$2.*fix: .*$3" "${4:-10}"; then
		pass "$1"
	else
		fail "$1: no '$2' with '$3'"
		grep warn "$T/worker-1.log" | tail -n 5 | sed 's/^/# /'
	fi
}

# Tokens, before there is an identity.
agent_conf worker-1 "signed_commands: off"
(umask 077; echo 0123456789 >"$T/worker-1.token")
agent_start worker-1
check "token too short: it does not start" wait_for 5 gone "$(pid_of worker-1)"
check "and says why and what to do" has "$T/worker-1.log" \
    "enrolment token too short: .*copy it whole"
must "a server of ours" server_start
(umask 077; token --ttl 1s >"$T/worker-1.token"; sleep 2)
agent_start worker-1
trouble "token expired" "token expired" "generate a new token"
daemon_stop worker-1 || :
used=$(token)
(umask 077; echo "$used" >"$T/other.token")
agent_conf other
agent_start other
must "another host uses a token" wait_connected other
daemon_stop other
(umask 077; echo "$used" >"$T/worker-1.token")
agent_start worker-1
trouble "token already used" "token already used" \
    "each token is single-use: generate a new one"
daemon_stop worker-1 || :

# Certificates and registry, at that server.
(umask 077; token --name worker-1 >"$T/worker-1.token")
agent_start worker-1
must "the agent enrols" wait_connected worker-1
must "the host is revoked" ctl host revoke worker-1 --yes
trouble "revoked" "certificate has been revoked" "re-enroll with a new token"
daemon_stop worker-1 || :
rm -rf "$T/worker-1/data"
: >"$T/worker-1.log"
(umask 077; token --name worker-2 >"$T/worker-1.token")
sed -i 's/name: worker-1/name: worker-2/' "$T/worker-1.conf"
agent_start worker-1
must "it enrols again" wait_connected worker-2
must "the host is removed" ctl host remove worker-2 --yes
trouble "not registered" "host not registered" "re-enroll with a new token"
daemon_stop worker-1 || :
daemon_stop s

# The connection, at one that can be told what to do.
rm -rf "$T/worker-1/data"
: >"$T/worker-1.log"
must "another server" serve
(umask 077; echo "$token" >"$T/worker-1.token")
agent_start worker-1
must "the agent enrols" wait_log server '"channel"'
kill -9 "$(pid_of server)"
exec 7>&-
trouble "the connection is lost" "transport is closing" \
    "check firewalls, MTU, and connectivity"
trouble "nobody listens" "connection refused" \
    "SENTINEL_CLUSTER=true.*SENTINEL_CLUSTER_PORT"
for n in 1 2; do
	must "the server is back" serve
	check "the agent too" wait_log server '"channel"'
	kill -9 "$(pid_of server)"
	exec 7>&-
	sleep 0.3
done
trouble "again and again" "repeated reconnects" \
    "check firewalls, MTU, and connectivity"

# What the server shows.
: >"$T/worker-1.log"
must "a certificate that has expired" serve --days -1
trouble "expired" "TLS handshake failure: .*expired .* since 20.*clock skew of " \
    "clocks .*synchronised \(NTP\)"
serve_end
must "a certificate for another name" serve --san DNS:elsewhere.example
check "the name: which ones it has, and what to do" wait_log worker-1 \
    "127\.0\.0\.1 was dialled, but .*elsewhere\.example: add the name"
serve_end
must "a certificate for something else" serve --purpose clientAuth
check "wrong purpose" wait_log worker-1 "TLS handshake failure: wrong purpose"
serve_end
: >"$T/worker-1.log"
openssl s_server -accept "127.0.0.1:$PORT" -tls1_2 -quiet -cert "$T/ca/ca.pem" \
    -key "$T/ca/ca-key.pem" >/dev/null 2>&1 </dev/null &
echo $! >"$T/old.pid"
trouble "a server of another age" "TLS handshake failure" \
    "clocks are synchronised \(NTP\), check the validity dates"
daemon_stop old || :

# A server that was set up anew: told once.
: >"$T/worker-1.log"
rm -rf "$T/ca"
must "a server of a new CA" serve
trouble "the CA has changed" "server CA mismatch -- the server's TLS certificate has changed since this agent enrolled" \
    "SENTINEL_ENROLL_TOKEN.*data_dir: $dir"
serve_end
sleep 1
must "it comes again" serve
sleep 2
check_eq "it is told once" 1 \
    "$(grep -c 'server CA mismatch' "$T/worker-1.log")"
check_not "and nothing was sent there" has "$T/server.log" '"enroll"|"report"'
check "nothing is done about it" test -f "$dir/agent.pem"
serve_end
daemon_stop worker-1 || :
