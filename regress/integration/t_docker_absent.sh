# Docker is not there when the agent starts: it connects, says so, and
# recovers when Docker appears; and the other way round.
# needs: docker
# timeout: 90

name=absent
lab_docker run -d --name "$name" "$LAB_REGISTRY/demo:1" >/dev/null || exit 1
trap 'lab_docker rm -f "$name" >/dev/null 2>&1; scenario_end' EXIT

# The socket the agent is told of is a link that comes and goes.
AGENT_DOCKER=unix://$T/docker.sock
must "the server starts" server_start
must "the agent connects without Docker" enrolled worker-1

docker_error()
{
	ctl host show worker-1 --json | jq -e '.docker_error | length > 0'
}

listed()
{
	ctl container list --host worker-1 --json |
	    jq -e --arg n "$name" 'any(.[]; .name == $n and .state == "running")'
}

check "the host shows the reason" wait_for 10 docker_error
check_rc "a command fails, and soon" 1 timeout 20 "$B/sentinelctl" \
    -s "$CTL_SOCK" container stop "worker-1/$name"
said "with the reason" "[Dd]ocker"

# A proxy that copies bytes stands for the engine that appears and goes.
/usr/bin/python3 regress/lab/relay.py "$T/docker.sock" \
    "$LAB_DIR/docker.sock" >"$T/relay.log" 2>&1 &
echo $! >"$T/relay.pid"
check "Docker appears: the container is listed" wait_for 30 listed
check_not "the reason is gone" docker_error
check "commands work" ctl container restart "worker-1/$name"

kill -9 "$(pid_of relay)"
wait "$(pid_of relay)" 2>/dev/null
rm -f "$T/docker.sock"
check "Docker goes: the host says so" wait_for 30 docker_error
check "the session lives on" host_connected worker-1
check_eq "it is the first one" 1 "$(grep -c 'session.*\(up\|open\|established\)' \
    "$T/worker-1.log")"

/usr/bin/python3 regress/lab/relay.py "$T/docker.sock" \
    "$LAB_DIR/docker.sock" >"$T/relay.log" 2>&1 &
echo $! >"$T/relay.pid"
check "Docker is back" wait_for 40 sh -c "$B/sentinelctl -s $CTL_SOCK \
    host show worker-1 --json | jq -e '.docker_error == null or
    .docker_error == \"\"'"
check "and commands work" wait_for 20 ctl container restart "worker-1/$name"
