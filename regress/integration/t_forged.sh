# Who has taken the cluster process over has every stream and the TLS side of
# the CA, and can say anything to an agent but sign it: no kind of message is
# carried out in any false way, the agent answers or drops it, and lives on.
# needs: docker
# timeout: 120

c=forged-$$
image=$LAB_REGISTRY/forged-$$:1
lab_docker run -d --name $c "$LAB_REGISTRY/demo:1" >/dev/null || exit 1
trap 'lab_docker rm -f $c >/dev/null 2>&1; lab_docker rmi $image \
    >/dev/null 2>&1; scenario_end' EXIT
# In the registry but not here: a pull would show.
lab_docker tag "$LAB_REGISTRY/demo:1" "$image"
lab_docker push -q "$image" >/dev/null
lab_docker rmi "$image" >/dev/null
AGENT_DOCKER=unix://$LAB_DIR/docker.sock

# Everything that a command could change.
state()
{
	lab_docker inspect -f '{{.Id}} {{.State.StartedAt}}' $c
	lab_docker images -q "$image"
	lab_docker exec $c /bin/ls /tmp
	(cd "$T/worker-1/data" && sha256sum cluster/*.pem)
	cat "$T"/worker-1/data/state/policy_cache.json 2>/dev/null
}

events()
{
	grep -c "\"event\": \"$1\"" "$T/server.log"
}

# order LINE EVENT: tell the forger, wait for one more such event.
order()
{
	or_n=$(events "$2")
	echo "$1" >&7
	wait_for 40 sh -c "[ \$(grep -c '\"event\": \"$2\"' $T/server.log) -gt \
	    $or_n ]"
}

faultless()
{
	grep '"event": "verdict"' "$T/server.log" | tail -n 1 |
	    tee /dev/stderr | jq -e ".faults == [] and .sent >= $1"
}

mkfifo "$T/in"
$PEER/forger.py --listen "127.0.0.1:$PORT" --dir "$T/ca" --container $c \
    --image "$image" <"$T/in" >"$T/server.log" 2>&1 &
echo $! >"$T/server.pid"
exec 7>"$T/in"
must "the false server starts" wait_log server ready 20
(umask 077; jq -r 'select(.event == "ready").token' "$T/server.log" \
    >"$T/worker-1.token")
agent_start worker-1
must "the agent enrols and opens a session" wait_log server '"channel"' 20

# That there is something to be seen: the same message, signed.
was=$(state)
must "a signed restart" order "genuine restart" container_action_result
check_not "is carried out" [ "$was" = "$(state)" ]
was=$(state)
check "the same bytes five times more" order again verdict
check "are not answered" faultless 5
check_eq "and restart nothing" "$was" "$(state)"

sessions=$(events channel)
check "every kind of message in every false way" order forge verdict
check "is dropped, or refused with an answer of its kind" faultless 250
check_eq "nothing was done" "$was" "$(state)"
check_eq "in one session" "$sessions" "$(events channel)"
check "the log says why" has "$T/worker-1.log" "refused: unsigned commands"
check "and for what is not even a command" has "$T/worker-1.log" \
    "message refused: (broken|signed command): "
n=$(grep -c "refused: " "$T/worker-1.log")
check "in few lines ($n)" [ "$n" -le 24 ]

# What the engine signed in another session.
check "the stream ends" order "end UNAVAILABLE by the test" channel
check "signed commands of before" order replay verdict
check "are stale" faultless 1
check_eq "nothing was done" "$was" "$(state)"
daemon_stop worker-1
n=$(events channel)
agent_start worker-1
check "the agent starts again" wait_for 15 sh -c \
    "[ \$(grep -c '\"event\": \"channel\"' $T/server.log) -gt $n ]"
check "signed commands of before" order replay verdict
check "are stale then, too" faultless 1
check_eq "nothing was done" "$was" "$(state)"
must "a signed restart" order "genuine restart" container_action_result
check_not "is carried out" [ "$was" = "$(state)" ]
echo quit >&7
exec 7>&-
