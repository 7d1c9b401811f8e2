# Somebody in the middle with a CA of his own never sees the token, neither
# at enrolment nor later.
# timeout: 90

must "the real server starts" server_start
good=$(token --name worker-1)
must "it stops" daemon_stop s

# mitm OPTIONS...: the foreign server at the real one's address.
mitm()
{
	rm -f "$T/in"
	mkfifo "$T/in"
	: >"$T/mitm.log"
	$PEER/server.py --listen "127.0.0.1:$PORT" --dir "$T/ca" "$@" \
	    <"$T/in" >>"$T/mitm.log" 2>&1 &
	echo $! >"$T/mitm.pid"
	exec 7>"$T/in"
	wait_for 15 has "$T/mitm.log" ready
}

mitm_end()
{
	echo quit >&7
	exec 7>&-
	wait "$(pid_of mitm)" 2>/dev/null
}

agent_conf worker-1
(umask 077; echo "$good" >"$T/worker-1.token")

for how in "" --leaf-only; do
	must "a man in the middle $how" mitm $how
	: >"$T/worker-1.log"
	agent_start worker-1
	if [ -z "$how" ]; then
		check "the agent says that the CA is not the token's" \
		    wait_log worker-1 "cannot enrol: .*pin"
	else
		check "the agent says that the server shows no CA" \
		    wait_log worker-1 "trust_first_use"
	fi
	sleep 2
	check_not "no Enroll came through" has "$T/mitm.log" '"enroll"'
	check_not "nor anything else" has "$T/mitm.log" '"report"|"channel"'
	daemon_stop worker-1 || :
	mitm_end
done

# One who copies the real CA's certificate into his chain has not its key.
must "the copied CA" mitm
mitm_end
cp "$T/ca/ca.pem" "$T/ca/own.pem"
cat "$T/s/data/cluster/ca.pem" >>"$T/ca/ca.pem"
must "a man in the middle who shows the real CA too" mitm
: >"$T/worker-1.log"
agent_start worker-1
check "is refused" wait_log worker-1 \
    "cannot enrol: .*(pin|verif|chain)"
sleep 2
check_not "no Enroll came through" has "$T/mitm.log" '"enroll"'
daemon_stop worker-1 || :
mitm_end
cp "$T/ca/own.pem" "$T/ca/ca.pem"

# The token survived all of it.
must "the real server starts" server_start
agent_start worker-1
must "the agent enrols with the same token" wait_connected worker-1

# An enrolled agent does not talk to another CA either.
daemon_stop s
must "a man in the middle" mitm
check "the agent says: CA mismatch" wait_log worker-1 "server CA mismatch" 15
check "with the fix and the directory" has "$T/worker-1.log" \
    "$T/worker-1/data"
check_not "no report came through" has "$T/mitm.log" '"report"|"enroll"'
mitm_end
must "the real server starts" server_start
check "the agent is back by itself" wait_connected worker-1
