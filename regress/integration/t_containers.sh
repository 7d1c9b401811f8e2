# The containers of a real engine: list, stop, start, restart, logs.
# needs: docker
# timeout: 90

c=containers
lab_docker run -d --name $c --label "it's=a \"label\"" -p 127.0.0.1:8096:80 \
    "$LAB_REGISTRY/demo:1" >/dev/null || exit 1
lab_docker create --name $c-created "$LAB_REGISTRY/demo:1" >/dev/null
trap 'lab_docker rm -f $c $c-created >/dev/null 2>&1; scenario_end' EXIT
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "the server starts" server_start
must "the agent connects" enrolled worker-1

# one FILTER: jq on the listed container.
one()
{
	ctl container list --host worker-1 --json |
	    jq -e --arg n "$c" '.[] | select(.name == $n) | '"$1"
}

state_is()
{
	[ "$(lab_docker inspect -f '{{.State.Status}}' $c)" = "$1" ]
}

must "the container is listed" wait_for 10 one '.state == "running"'
check "with its image" one ".image == \"$LAB_REGISTRY/demo:1\""
check "and its host" one '.host_name == "worker-1" or .host == "worker-1"'
check "a created one is listed too" sh -c "$B/sentinelctl -s $CTL_SOCK \
    container list --json | jq -e 'any(.[]; .name == \"$c-created\" and
    .state == \"created\")'"
check "the plain list shows it" sh -c "$B/sentinelctl -s $CTL_SOCK \
    container list | grep -q '$c.*running'"

if ! ldd "$B/sentinel-agentd" | grep -q asan; then
	# Pages of their own; code and libraries are shared.
	kb=$(for pid in $(pid_of worker-1) $(children "$(pid_of worker-1)"); do
		cat "/proc/$pid/smaps_rollup"
	done | awk '/^Private_Dirty:/ { n += $2 } END { print n }')
	check "the agent takes $kb kB, less than 10 MB" test "$kb" -lt 10000
fi

check "stop" ctl container stop worker-1/$c
check "it is stopped" state_is exited
check "the list shows it" wait_for 10 one '.state == "exited"'
check "start" ctl container start worker-1/$c
check "it runs" state_is running
began=$(lab_docker inspect -f '{{.State.StartedAt}}' $c)
check "restart" ctl container restart worker-1/$c
check "it runs" state_is running
check_not "since another time" test "$began" = \
    "$(lab_docker inspect -f '{{.State.StartedAt}}' $c)"
check "the list follows what others do to it" sh -c "
    docker -H unix://$LAB_DIR/docker.sock stop -t 1 $c >/dev/null"
check "within seconds" wait_for 15 one '.state == "exited"'
check "start again" ctl container start worker-1/$c

check "logs" ctl container logs worker-1/$c --lines 2
said "are those of the container" "^version 1$"
check_eq "as many lines as asked for" 2 "$(grep -c . "$T/check.out")"
check "logs --json" sh -c "$B/sentinelctl -s $CTL_SOCK container logs \
    worker-1/$c --json | jq -e '.logs | contains(\"version 1\")'"

for verb in stop start restart logs update; do
	check_rc "$verb of an unknown container: 3" 3 ctl container $verb \
	    worker-1/no-such-container
done
check_rc "a name that is none" 2 ctl container stop worker-1/
check_rc "an unknown host: 3" 3 ctl container stop nobody/$c

# Two at once on one container: both end, neither hangs.
ctl container restart worker-1/$c >/dev/null 2>&1 &
one=$!
ctl container restart worker-1/$c >/dev/null 2>&1
wait $one
check "after two at once it runs" wait_for 10 state_is running
