# The CA is replaced, phase by phase, below agents of ours and a foreign one;
# sentineld is killed with SIGKILL inside of every step.
# timeout: 150

must "the server starts" server_start
ca=$T/s/data/cluster
must "an agent connects" enrolled worker-1
must "a second one" enrolled worker-2
mkdir "$T/a"
conn="--server 127.0.0.1:$PORT --dir $T/a"
agent="$PEER/agent.py"
must "a foreign one enrols" $agent enroll $conn --ca "$ca/ca.pem" \
    --token "$(token)" --name foreign
cp -r "$T/a" "$T/a.old"
cp "$ca/ca.pem" "$T/old.pem"

# foreign_run: its session, in the background; an older one ends.
foreign_run()
{
	[ -f "$T/foreign.pid" ] && kill "$(pid_of foreign)" 2>/dev/null
	$agent run $conn --ca "$T/old.pem" --seconds 100 --container web \
	    >>"$T/foreign.log" 2>&1 &
	echo $! >"$T/foreign.pid"
	wait_connected foreign
}

# state FILTER: jq on what "ca status" says.
state()
{
	ctl ca status --json >"$T/state" && jq -e "$@" <"$T/state"
}

lacks()
{
	state --arg n "$1" 'any(.missing[]; .name == $n)'
}

lacks_not()
{
	state --arg n "$1" 'all(.missing[]; .name != $n)'
}

# trusts NAME N: so many CAs.
trusts()
{
	[ "$(grep -c BEGIN "$T/$1/data/cluster/ca.pem")" -eq "$2" ]
}

issuer()
{
	openssl x509 -noout -issuer -in "$1"
}

# by_new NAME: its certificate is by the new CA.
by_new()
{
	openssl verify -partial_chain -CAfile "$T/new.pem" \
	    "$T/$1/data/cluster/agent.pem"
}

# shown CAFILE: whoever trusts these CAs verifies what the server shows.
shown()
{
	echo | timeout 5 openssl s_client -connect "127.0.0.1:$PORT" \
	    -alpn h2 -CAfile "$1" -verify_return_error
}

seed=${SEED:-$(date +%s)}
pass "seed $seed"
awk -v s="$seed" 'BEGIN { srand(s); for (i = 0; i < 4; i++)
    printf "0.%03d\n", int(rand() * 12) }' >"$T/waits"

# step PHASE OPTIONS: killed on the way, started again, and done in the end.
# Every start must find a phase that is whole.
step()
{
	st_wait=$(sed -n 1p "$T/waits")
	sed -i 1d "$T/waits"
	st_pid=$(pid_of s)
	(sleep "$st_wait"; kill -9 "$st_pid") &
	st_kill=$!
	ctl ca rotate "$@" >"$T/step.out" 2>&1
	wait $st_kill
	wait "$st_pid" 2>/dev/null
	must "$1: all of it is gone" wait_for 5 none_left sentineld
	must "$1: it starts again after kill -9 ($st_wait s)" server_start
	must "$1: and has not ended" alive "$(pid_of s)"
	# A drop that was begun is finished at the start.
	if state --arg p "$1" '.phase == $p or ($p == "drop" and
	    .phase == "none")'; then
		pass "$1: it was done before"
	else
		check "$1: again" ctl ca rotate "$@"
	fi
	foreign_run
	check "$1: worker-1 is there" wait_connected worker-1
}

must "its session" foreign_run
oldtoken=$(token --name worker-3)
check "one CA" state '.phase == "none" and .hosts == 3 and .waiting == 0'
for phase in issue "drain --yes" "drop --yes" abort; do
	# shellcheck disable=SC2086
	check_rc "out of turn: $phase" 1 ctl ca rotate $phase
done
check_rc "no terminal, no --yes" 2 ctl ca rotate drop </dev/null

# --- prepare, with one agent away -------------------------------------------
daemon_stop worker-2
check "called off" sh -c "$B/sentinelctl -s $CTL_SOCK ca rotate prepare &&
    $B/sentinelctl -s $CTL_SOCK ca rotate abort"
check "its files are kept aside" sh -c "ls $ca/ca-retired-*/ca-key-new.pem"
check "worker-1 is told" wait_for 10 trusts worker-1 1
step prepare
cp "$ca/ca-new.pem" "$T/new.pem"
check_eq "a key that only its owner reads" 600 \
    "$(stat -c %a "$ca/ca-key-new.pem")"
check "the old CA signs the new one" openssl verify -CAfile "$T/old.pem" \
    "$ca/ca-cross.pem"
check_not "they have different names" test "$(issuer "$T/new.pem")" = \
    "$(issuer "$T/old.pem")"
check "worker-1 trusts both" wait_for 10 trusts worker-1 2
check "and is not listed" wait_for 5 lacks_not worker-1
check "worker-2 is, which was away" lacks worker-2
check "the foreign one, which cannot" state 'any(.missing[];
    .name == "foreign" and (.missing | test("cannot take it")))'
check "the old CA still issues" shown "$T/old.pem"
check_not "the new one does not" shown "$T/new.pem"
check "signed commands" has "$T/worker-1.log" "commands signed"

# --- issue ------------------------------------------------------------------
step issue
check "who trusts the new one verifies the server" wait_for 10 \
    shown "$T/new.pem"
check "who trusts the old one, too" shown "$T/old.pem"
check "worker-1 gets a certificate of the new CA" wait_for 10 by_new worker-1
check "and lacks nothing" wait_for 10 lacks_not worker-1
(umask 077; echo "$oldtoken" >"$T/worker-3.token")
agent_start worker-3
check "a token that names the old CA enrols" wait_connected worker-3
check "with both" trusts worker-3 2
check "its certificate is by the new one" by_new worker-3
check "one that names the new CA" enrolled worker-4
check "with that alone" trusts worker-4 1
check "by the new one" by_new worker-4
check_rc "no way back: 1" 1 ctl ca rotate abort

# --- drain ------------------------------------------------------------------
step drain --yes
check_rc "drop: refused" 1 ctl ca rotate drop --yes
said "with the names" "worker-2"
agent_start worker-2
check "worker-2 comes back with the old CA alone" wait_connected worker-2
check "takes both" wait_for 10 trusts worker-2 2
check "and a certificate" wait_for 15 by_new worker-2
check "and lacks nothing" wait_for 10 lacks_not worker-2
check "the foreign one gets a certificate" wait_for 10 has \
    "$T/foreign.log" renewed
check_rc "drop: refused for the foreign one" 1 ctl ca rotate drop --yes
said "by its name" "cut off: foreign \("

# --- drop -------------------------------------------------------------------
step drop --yes --force
check "one CA" state '.phase == "none"'
check "it is the new one" cmp "$ca/ca.pem" "$T/new.pem"
check "the old one is retired" sh -c "cmp $T/old.pem $ca/ca-retired-*/ca.pem &&
    ls $ca/ca-retired-*/ca-key.pem && ls $ca/ca-retired-*/ca-cross.pem"
check_empty "nothing else is left" find "$ca" -name '*-new.pem' -not -path '*/ca-retired-*'
for w in 1 2 3 4; do
	check "worker-$w is there" wait_connected "worker-$w"
	check "and trusts the new one alone" wait_for 10 trusts "worker-$w" 1
done
check "the new CA alone is shown" shown "$T/new.pem"
check_not "nobody verifies it by the old one" shown "$T/old.pem"
kill "$(pid_of foreign)" 2>/dev/null
check_rc "a certificate of the old CA is refused" 1 $agent run \
    --server "127.0.0.1:$PORT" --dir "$T/a.old" --ca "$T/new.pem" --seconds 5
said "by TLS" "UNAVAILABLE"
check_rc "commands are signed and carried out" 1 ctl container logs worker-2/x
said "by the agent" "docker|engine"
check "the audit trail has it all" sh -c "$B/sentinelctl -s $CTL_SOCK \
    audit list --json | jq -e '[.[].action] | contains([\"ca.prepare\",
    \"ca.issue\", \"ca.drain\", \"ca.drop\", \"ca.dropped\", \"ca.abort\"])'"
check "and who was refused" sh -c "$B/sentinelctl -s $CTL_SOCK audit list \
    --json | jq -e 'any(.[]; .action == \"ca.drop\" and
    .outcome == \"refused\")'"
