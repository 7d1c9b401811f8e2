# Renewal with a server that answers for another key, and with one that does
# not take the certificate it has issued: the old pair stays in use.

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

# serial NAME: of a file.
serial()
{
	openssl x509 -in "$dir/$1" -noout -serial 2>/dev/null
}

is_pair()
{
	[ "$(openssl x509 -in "$dir/agent.pem" -noout -pubkey)" = \
	    "$(openssl ec -in "$dir/agent-key.pem" -pubout 2>/dev/null)" ]
}

none_left_over()
{
	[ -d "$dir" ] && [ -z "$(find "$dir" -name '*.new')" ]
}

agent_conf worker-1 "signed_commands: off"
must "a server of short lives" serve --agent-seconds 15 --renewal wrong-key
(umask 077; echo "$token" >"$T/worker-1.token")
agent_start worker-1
must "the agent enrols" wait_log server '"channel"'
before=$(serial agent.pem)
check "an answer over another key is refused" wait_log worker-1 \
    "not renewed: .*wrong key" 16
serve_end

# It issues one and then does not take it.
must "a server that refuses what it has issued" fresh --renewal refused
check "the agent goes back to the old one" wait_log worker-1 \
    "does not take the new one, back to the old one: .*revoked" 15
check "which is good" wait_log worker-1 "the old one is still good" 10
check_eq "and in use" "$before" "$(serial agent.pem)"
check "nothing of the other is left" wait_for 5 none_left_over
check "key and certificate belong together" is_pair
daemon_stop worker-1
serve_end
