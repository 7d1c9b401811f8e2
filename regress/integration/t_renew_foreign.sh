# Renewal with a server that is not ours: its answer to our request, and one
# that nobody asked for.

dir=$T/worker-1/data/cluster

# serve OPTIONS...: its token is in $token.
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

# fresh OPTIONS...: a server that wants certificates, and the agent's log
# from here on.
fresh()
{
	serve --mtls "$@" || return 1
	: >"$T/worker-1.log"
	wait_log server '"channel"' 15
}

# serial NAME: of a file; shown: of the last report.
serial()
{
	openssl x509 -in "$dir/$1" -noout -serial 2>/dev/null
}

shown()
{
	jq -r 'select(.event == "report").serial' "$T/server.log" | tail -n 1
}

shows_its_own()
{
	[ "$(shown)" = "$(serial agent.pem)" ]
}

is_pair()
{
	[ "$(openssl x509 -in "$dir/agent.pem" -noout -pubkey)" = \
	    "$(openssl ec -in "$dir/agent-key.pem" -pubout 2>/dev/null)" ]
}

agent_conf worker-1 "signed_commands: off"
must "a server whose certificates live for seconds" serve --agent-seconds 4
(umask 077; echo "$token" >"$T/worker-1.token")
agent_start worker-1
must "the agent enrols" wait_log server '"channel"'
check "it asks for another in time" wait_log server '"cert_renewal"'
check "and takes it" wait_log worker-1 "certificate renewed"
check "key and certificate belong together" is_pair
serve_end

must "it demands certificates" fresh
check "the agent shows its own" wait_for 5 shows_its_own
before=$(serial agent.pem)
# The old one is over or due: it is renewed for a year now.
check "and renews it" wait_for 10 sh -c \
    "[ \$(openssl x509 -in $dir/agent.pem -noout -serial) != $before ]"
sleep 1
before=$(serial agent.pem)
key=$(sha256sum "$dir/agent-key.pem")
: >"$T/worker-1.log"
sleep 1
echo push >&7
check "an unasked one over the key in use is taken" wait_log worker-1 \
    "certificate renewed" 10
check "it is another one" [ "$(serial agent.pem)" != "$before" ]
check_eq "over the same key" "$key" "$(sha256sum "$dir/agent-key.pem")"
check "and is shown" wait_for 5 shows_its_own
before=$(serial agent.pem)
echo push >&7
check "a second one at once is not" wait_log worker-1 "too often"
check_eq "nothing has changed" "$before" "$(serial agent.pem)"
serve_end
daemon_stop worker-1
check_empty "nothing is left beside them" find "$dir" -name '*.new'
