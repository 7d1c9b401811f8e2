# What an operator does to a host: pause, resume, rename, label, remove and
# revoke, towards our agent and a foreign one.
# timeout: 120

server_conf
ro=$T/s/run/ro.sock
sed -i "s,^  docker: none,&\n  control_ro: $ro," "$T/s.conf"
must "the server starts" server_start
must "our agent connects" enrolled worker-1
mkdir "$T/a"
conn="--server 127.0.0.1:$PORT --ca $T/s/data/cluster/ca.pem --dir $T/a"
agent="$PEER/agent.py"
must "a foreign one enrols" $agent enroll $conn --token "$(token)" \
    --name foreign

# session LOG: the foreign agent's, in the background.
session()
{
	$agent run $conn --seconds 60 --container web >"$T/$1.log" 2>&1 &
	echo $! >"$T/foreign.pid"
	wait_connected foreign
}

# host NAME FILTER: jq on a host as shown.
host()
{
	ctl host show "$1" --json | jq -e "$2"
}

must "its session" session foreign

check "pause" ctl host pause foreign
check "is shown" host foreign '.state == "paused" and .connected'
check_rc "an update is refused: 1" 1 ctl container update foreign/web \
    --image example/web:2
said "with the reason" "host foreign is paused: no updates"
check_not "the agent was not asked" has "$T/foreign.log" update_container
check "stop works" ctl container stop foreign/web
check "start works" ctl container start foreign/web
check "logs work" ctl container logs foreign/web
check "pause twice is once" ctl host pause foreign
check "resume" ctl host resume foreign
check "updates again" ctl container update foreign/web --image example/web:2
check_rc "a host that is not there: 3" 3 ctl host pause nobody
check_rc "a name that is taken: 1" 1 ctl host rename foreign WORKER-1
said "says so" "there is a host WORKER-1 already"
check_rc "a name that is none: 2" 2 ctl host rename foreign 'a b'
check "rename" ctl host rename foreign away
check "the new name" host away '.name == "away" and .raw_name == "foreign"'
check_rc "the old one is gone" 3 ctl host show foreign
check "it works by its new name" ctl container stop away/web
check "label" ctl host label away env=prod
check "another" ctl host label away rule=a=b
check "both are shown" host away '.labels == {env: "prod", rule: "a=b"}'
check "one is taken away" ctl host label away rule=
check_rc "twice: 3" 3 ctl host label away rule=
check_rc "one that is none: 2" 2 ctl host label away 'a b=c'
check_rc "read-only: 4" 4 "$B/sentinelctl" -s $ro \
    host pause away
check "JSON of a change" sh -c "$B/sentinelctl -s $CTL_SOCK host pause away \
    --json | jq -e '.state == \"paused\"'"

# A restart forgets nothing.
must "the server stops" daemon_stop s
must "and starts" server_start
check "name, state and label are kept" host away \
    '.state == "paused" and .labels == {env: "prod"}'
kill "$(pid_of foreign)" 2>/dev/null
wait "$(pid_of foreign)" 2>/dev/null
check "our agent is back" wait_connected worker-1
$agent run $conn --seconds 60 --container web --misbehave silent \
    >"$T/foreign.log" 2>&1 &
foreign=$!
must "the foreign one is back" wait_connected away

# Nobody is thrown out by accident.
check_rc "no terminal, no --yes: 2" 2 ctl host revoke away </dev/null
said "says what to do" "--yes does it"
printf 'n\n' | script -qec "$B/sentinelctl -s $CTL_SOCK host revoke away" \
    /dev/null >"$T/asked" 2>&1
check "on a terminal it asks" has "$T/asked" "Go on\\? \\[y/N\\]"
check "no is no" host away '.connected and .state == "paused"'

# now: milliseconds.
now()
{
	date +%s%3N
}

# An operation that waits for the agent.
ctl container stop away/web >"$T/op.out" 2>&1 &
op=$!
check "a command is under way" wait_for 5 has "$T/foreign.log" \
    '"container_action"'
id=$(ctl host show away --json | jq -r .id)
begin=$(now)
check "revoke" ctl host revoke away --yes
check "ends the stream" wait_for 3 has "$T/foreign.log" \
    '"end".*PERMISSION_DENIED: certificate has been revoked'
took=$(($(now) - begin))
check "within a second: $took ms" test "$took" -lt 1000
wait $foreign 2>/dev/null
wait $op
check_eq "the command ends: 5" 5 $?
check "with the reason" has "$T/op.out" "host away was revoked meanwhile"
check_rc "it comes back" 1 $agent run $conn --seconds 5
said "and is refused" "PERMISSION_DENIED: certificate has been revoked"
check_rc "it is no host any more: 3" 3 ctl host show away
check "not in the list" hosts 'all(.[]; .name != "away")'
check "its tombstone is" sh -c "$B/sentinelctl -s $CTL_SOCK host list --all \
    --json | jq -e 'any(.[]; .name == \"away\" and
    .state == \"decommissioned\" and .decommission_reason == \"revoked\" and
    (.cert_serial | length) > 0)'"
check "and by its id" host "$id" '.disconnect_cat == "server"'

# Our own agent: the text, and the slow pace.
begin=$(now)
check "remove" ctl host remove worker-1 --yes
check "our agent says why" wait_log worker-1 \
    "the server refuses this host: NOT_FOUND: host ID not registered" 3
took=$(($(now) - begin))
check "within a second: $took ms" test "$took" -lt 1000
check "and what to do" has "$T/worker-1.log" "re-enroll with a new token"
check "it goes on asking" wait_for 5 has "$T/s.log" \
    "agent [0-9a-f]+ from 127.0.0.1 refused: host ID not registered"
n=$(grep -c "refused: host ID not registered" "$T/s.log")
sleep 3
n=$(($(grep -c "refused: host ID not registered" "$T/s.log") - n))
# reconnect_max is 1 s and jitter takes away at most half.
check "at the slow pace: $n times in 3 s" test "$n" -ge 2 -a "$n" -le 6
check_eq "it said so once" 1 \
    "$(grep -c "the server refuses this host" "$T/worker-1.log")"
check "no host is left" hosts 'length == 0'
check "events tell of all" sh -c "$B/sentinelctl -s $CTL_SOCK events |
    grep -c -E '(paused|resumed|renamed|revoked|removed|labelled .*) by uid' |
    grep -q '^[6-9]$'"
daemon_stop worker-1

# The tombstones outlive a restart, and so does what they tell.
must "the server stops" daemon_stop s
must "and starts" server_start
check_rc "the revoked one comes back" 1 $agent run $conn --seconds 5
said "and is refused" "PERMISSION_DENIED: certificate has been revoked"

# With a new token, under the old names.
mv "$T/worker-1/data/cluster" "$T/worker-1/data/old"
check "our agent enrols anew" enrolled worker-1
check "under its old name" hosts 'map(.name) == ["worker-1"]'
check "the foreign one enrols anew" $agent enroll $conn --token "$(token)" \
    --name foreign
must "its session" session foreign
check "as another host" hosts --arg id "$id" \
    'length == 2 and all(.[]; .id != $id)'
check "revoke our own" ctl host revoke worker-1 --yes
check "it says why" wait_log worker-1 "the server refuses this host: \
PERMISSION_DENIED: certificate has been revoked" 3
