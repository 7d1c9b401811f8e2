# What happens to containers shows at the server as it happens: Docker's events
# make deltas of the list, and events for who follows; a docker daemon that is
# killed costs nothing but a list.  The engine is this scenario's own.
# needs: root
# timeout: 120

a=ev-$$-a
b=ev-$$-b
trap 'kill "$follower" 2>/dev/null
    scenario_end; lab_stop "$T/lab"' EXIT
follower=
must "an engine of its own" lab_start "$T/lab"
LAB_DIR=$T/lab
must "its images" lab_image demo:1 1
must "one that is never healthy" lab_image demo:3 3 --change \
    'HEALTHCHECK --interval=1s --timeout=2s --retries=2 CMD ["/bin/false"]'
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "the server starts" server_start
agent_conf worker-1
# No list of itself while the scenario runs.
sed -i 's/heartbeat_interval: 1s/&\n    list_interval: 1h/' "$T/worker-1.conf"
must "the agent enrols" enrolled worker-1
"$B/sentinelctl" -s "$CTL_SOCK" events -f >"$T/events" 2>&1 &
follower=$!

# No heartbeat's sum differed from ours: nothing was lost on the way.
agree()
{
	sleep 1.5	# a heartbeat
	has "$T/s.log" "\(worker-1\): connected" &&
	    ! has "$T/s.log" "differs from ours"
}

# told PATTERN: within two seconds of now there is such an event, after the
# last one that was asked for; says how long.
t_line=0
told()
{
	t_from=$(date +%s%3N)
	until t_at=$(grep -En -- "$1" "$T/events" |
	    awk -F : -v n=$t_line '$1 > n { print $1; exit }') && [ "$t_at" ]; do
		t_msec=$(($(date +%s%3N) - t_from))
		[ $t_msec -lt 5000 ] || { tail -3 "$T/events"; return 1; }
		sleep 0.02
	done
	t_line=$t_at
	t_msec=$(($(date +%s%3N) - t_from))
	[ $t_msec -lt 2000 ]
}

# lists NAME FILTER: jq on a container as the server has it.
lists()
{
	ctl container list --host worker-1 --json |
	    jq -e --arg n "$1" "any(.[]; .name == \$n and ($2))"
}

must "the agent hears Docker's events" wait_log worker-1 \
    "docker: engine" 10
check "and the server has the word for it" wait_for 5 sh -c \
    "$B/sentinelctl -s $CTL_SOCK host show worker-1 --json |
    grep -q container-delta"
sleep 1

lab_docker run -d --name "$a" "$LAB_REGISTRY/demo:1" >/dev/null
check "a container that starts shows" told "$a( is new)?: .*running"
echo "# after $t_msec ms"
check "and is listed" lists "$a" '.state == "running"'
lab_docker kill "$a" >/dev/null
check "one that dies" told "$a: exited"
echo "# after $t_msec ms"
check "is listed so" lists "$a" '.state == "exited"'
lab_docker start "$a" >/dev/null
check "one that starts again" told "$a: running"
lab_docker pause "$a" >/dev/null
check "one that is paused" told "$a: paused"
lab_docker unpause "$a" >/dev/null
lab_docker restart -t 0 "$a" >/dev/null
check "one that was restarted" told "$a: running.*restarted|$a: exited"

lab_docker run -d --name "$b" "$LAB_REGISTRY/demo:3" >/dev/null
must "one whose check fails" wait_for 15 grep -q "$b: running (unhealthy)" \
    "$T/events"
check "its state is the word of old" lists "$b" '.state == "running" and
    .health == "unhealthy"'
lab_docker rename "$b" "$b-new"
check "one that is renamed" told "$b is now called $b-new"
check "under its new name" lists "$b-new" 'true'
check_not "only" lists "$b" 'true'
check "its digest is of its image" lists "$b-new" \
    '.image_digest | test("demo@sha256:")'
lab_docker rm -f "$b-new" >/dev/null
check "one that is removed" told "$b-new is gone"
check_not "is not listed" lists "$b-new" 'true'

# A task of a swarm is its service's, whatever happens to it.
lab_docker run -d --name "$b-task" --label com.docker.swarm.task= \
    --label com.docker.swarm.task.id=abc --label com.docker.swarm.task.name=x \
    "$LAB_REGISTRY/demo:1" >/dev/null
lab_docker kill "$b-task" >/dev/null
lab_docker start "$a" >/dev/null 2>&1
lab_docker kill "$a" >/dev/null
check "what comes after a swarm task shows" told "$a: exited"
check_not "the task does not" grep -q "$b-task" "$T/events"
check_not "nor is it listed" lists "$b-task" 'true'
lab_docker rm -f "$b-task" >/dev/null
lab_docker start "$a" >/dev/null

# Nothing of this took a list.
check "the sums of both lists agree" agree

# Docker restarts: what happened meanwhile shows.
find_dockerd()
{
	pgrep -x dockerd >"$T/dockerd"
}
must "dockerd is found" wait_for 10 find_dockerd
kill -9 "$(cat "$T/dockerd")"
check "the agent notices that Docker went" wait_log worker-1 \
    "docker: events: " 10
check "Docker is back" wait_for 45 lab_is_up
check "events are heard again" wait_for 10 sh -c \
    "[ \$(grep -c 'docker: events are heard' '$T/worker-1.log') -ge 2 ]"
# Whatever became of it meanwhile.
as_docker_has_it()
{
	lists "$a" ".state == \"$(lab_docker inspect -f '{{.State.Status}}' \
	    "$a")\""
}
check "the list is right" wait_for 15 as_docker_has_it
lab_docker rename "$a" "$a-new"
check "and changes show" told "$a is now called $a-new"

check "the sums of both lists agree at the end" agree
