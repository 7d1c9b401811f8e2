# sentinelctl doctor: what is wrong ends in one line with what it means and
# what to do, on both daemons, without a server, before the enrolment, and
# without a daemon.  It does not disturb a session.
# needs: docker
# timeout: 120

c=doctor-$$
lab_docker run -d --name $c "$LAB_REGISTRY/demo:1" >/dev/null || exit 1
trap 'lab_docker rm -f $c >/dev/null 2>&1; scenario_end' EXIT
AGENT_DOCKER=unix://$LAB_DIR/docker.sock

# doctor SOCKET STATUS WHAT: ask, and keep the lines.
doctor()
{
	check_rc "$3: exit status $2" "$2" timeout 40 "$B/sentinelctl" -s "$1" \
	    doctor
	cp "$T/check.out" "$T/doctor.out"
}

# line LEVEL NAME REGEX: there is this line.
line()
{
	check "$2: $1" has "$T/doctor.out" "^$1 +$2 .*$3" ||
	    sed 's/^/# /' "$T/doctor.out"
}

server=$CTL_SOCK
agent=$T/worker-1/run/sentinel-agentd.sock

# Nobody there.
doctor "$T/none.sock" 1 "no daemon"
line FAILED daemon "no daemon answers at $T/none.sock: fix: start it: .*\
sentineld -n checks"
check "as JSON, too" sh -c "$B/sentinelctl -s $T/none.sock doctor --json \
    2>/dev/null | jq -e 'any(.[]; .name == \"daemon\" and
    .level == \"FAILED\" and (.fix | length) > 0)'"

# An agent whose server is not there yet: it has a token and no identity.
agent_conf worker-1
(umask 077; printf %064d 0 >"$T/worker-1.token")
agent_start worker-1
must "an agent without a server" wait_for 10 test -S "$agent"
check "it has tried" wait_log worker-1 "onnection refused"
doctor "$agent" 1 "no server"
line FAILED connect "connection refused: .*fix: verify that the server runs \
with SENTINEL_CLUSTER=true .*SENTINEL_CLUSTER_PORT"
line FAILED token "onnection refused"
line ok docker "answers, engine [A-Z0-9]{4}:"
for p in keyholder uplink engine docker control; do
	line "(ok|warning)" "process $p" "(seccomp|landlock)"
done
daemon_stop worker-1

must "the server starts" server_start
must "the agent enrols" enrolled worker-1
check "a command is under way" ctl container restart worker-1/$c
doctor "$agent" 0 "all is well on the agent"
line ok resolve "127\.0\.0\.1:$PORT: 127\.0\.0\.1"
line ok connect "to 127\.0\.0\.1"
line ok handshake "TLS 1\.3"
line ok "server CA" "this host's identity"
line ok "server name" "names 127\.0\.0\.1"
line ok "server certificate" "valid for another [0-9]+ days"
line ok clock "fits"
line ok certificate "valid for another [0-9]+ days"
line ok token "enrolled as host [0-9a-f]{32}"
line ok session "connected to 127"
line ok commands "only signed"
line ok docker "answers"
line "(ok|warning)" "disk data_dir" "$T/worker-1/data: [0-9]+ MiB left"
line "(ok|warning)" "locked memory" "swap"
line "(ok|warning)" "system clock" "synchronised"
line ok allow "everything"
check "the session goes on" has "$T/s.log" "worker-1\): connected"
check_not "undisturbed" has "$T/s.log" "worker-1\): (dis|replaced)"
doctor "$server" 0 "all is well on the server"
line ok database "answers"
line ok tokens "0 of 1 can still"
line ok listener "127\.0\.0\.1:$PORT"
line ok "CA certificate" "valid for another [0-9]+ days"
line ok "server certificate" "valid for another"
line ok hosts "1 of 1 connected"
for p in keyholder cluster engine control; do
	line "(ok|warning)" "process $p" "(seccomp|landlock)"
done

# What the page's tables hold, beyond what t_trouble_agent.sh reads in the log.
check "the agent may no longer come" ctl host revoke worker-1 --yes
check "it knows" wait_log worker-1 "certificate has been revoked"
doctor "$agent" 1 "revoked"
line FAILED session "certificate has been revoked.*fix: re-enroll with a new token"
line ok connect "127"
daemon_stop worker-1
rm -rf "$T/worker-1/data"
must "it enrols again" enrolled worker-1
check "and is removed" ctl host remove worker-1 --yes
check "it knows" wait_log worker-1 "NOT_FOUND"
doctor "$agent" 1 "removed"
line FAILED session "host not registered: .*fix: re-enroll with a new token"
daemon_stop worker-1
rm -rf "$T/worker-1/data"

# Tokens.
(umask 077; token --ttl 1s >"$T/worker-1.token")
sleep 2
: >"$T/worker-1.log"
agent_start worker-1
check "a token that has expired" wait_log worker-1 "token expired"
doctor "$agent" 1 "token expired"
line FAILED token "token expired.*fix: generate a new token"
daemon_stop worker-1
(umask 077; token >"$T/worker-1.token")
check "somebody uses it first" $PEER/agent.py enroll --server \
    "127.0.0.1:$PORT" --ca "$T/s/data/cluster/ca.pem" --dir "$T/s" \
    --token "$(cat "$T/worker-1.token")" --name first
: >"$T/worker-1.log"
agent_start worker-1
check "a token that was used" wait_log worker-1 "token already used"
doctor "$agent" 1 "token used"
line FAILED token "token already used.*fix: each token is single-use"
daemon_stop worker-1

# A name that is not in the certificate, one that is nowhere, and no Docker.
must "it enrols again" enrolled worker-1
daemon_stop worker-1
sed -i -e "s/^  name:/  server_name: elsewhere.example\n&/" \
    -e "s,docker: .*,docker: unix://$T/none.sock," "$T/worker-1.conf"
agent_start worker-1
check "another name" wait_log worker-1 "TLS handshake failure"
doctor "$agent" 1 "another name, no Docker"
line FAILED "server name" "TLS handshake failure: .*elsewhere\.example.*fix: \
on the server add the name to SENTINEL_CLUSTER_ADVERTISE"
line FAILED docker "fix: see that Docker runs"
daemon_stop worker-1
sed -i -e "/server_name:/d" -e "s/^  server: .*/  server: \
\"nowhere.invalid:$PORT\"/" "$T/worker-1.conf"
agent_start worker-1
check "no such name" wait_for 15 test -S "$agent"
doctor "$agent" 1 "no such name"
line FAILED resolve "nowhere\.invalid: .*fix: correct agent.server"
daemon_stop worker-1

# The server says which hosts are away, and why.
doctor "$server" 0 "hosts are away"
line warning "host worker-1" "disconnected: network: agent stopped: fix: "
line warning hosts "0 of 2 connected: fix: run sentinelctl doctor on those"
daemon_stop s
agent_conf worker-1
sed -i "s/reconnect_max: .*/reconnect_max: 400ms/" "$T/worker-1.conf"

# Somebody with another CA, and one of the right CA whose time is over.
for what in foreign expired; do
	mkdir "$T/$what"
	[ $what = foreign ] ||
	    cp "$T/s/data/cluster/ca.pem" "$T/s/data/cluster/ca-key.pem" \
	    "$T/$what/"
	rm -f "$T/in"
	mkfifo "$T/in"
	: >"$T/server.log"
	$PEER/server.py --listen "127.0.0.1:$PORT" --dir "$T/$what" \
	    --days "$([ $what = foreign ] && echo 9 || echo -1)" <"$T/in" \
	    >"$T/server.log" 2>&1 &
	echo $! >"$T/server.pid"
	exec 7>"$T/in"
	must "a server that is $what" wait_log server ready 15
	[ $what = expired ] || agent_start worker-1
	check "the agent runs" wait_for 10 test -S "$agent"
	doctor "$agent" 1 "$what"
	if [ $what = foreign ]; then
		line FAILED "server CA" "server CA mismatch -- the server's \
TLS certificate has changed since this agent enrolled.*data_dir: \
$T/worker-1/data/cluster: fix: "
	else
		line FAILED clock "TLS handshake failure: .*expired.*fix: \
verify that the system clocks .*\(NTP\)"
	fi
	echo quit >&7
	exec 7>&-
	wait "$(pid_of server)" 2>/dev/null
done
daemon_stop worker-1

# A server that does not listen.
sed -i "s/enabled: true/enabled: false/" "$T/s.conf"
must "the server starts" server_start
doctor "$server" 1 "no listener"
line FAILED listener "connection refused.*fix: set SENTINEL_CLUSTER=true"
