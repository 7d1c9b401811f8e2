# The server's own engine, switched on by docker: in its part, is a host like
# any other: the same commands, carried out by the server's docker process.
# needs: docker
# timeout: 90

c=local
lab_docker run -d --name $c "$LAB_REGISTRY/demo:1" >/dev/null || exit 1
trap 'lab_docker rm -f $c >/dev/null 2>&1; scenario_end' EXIT
server_conf
sed -i "s,^  docker: none,  docker: unix://$LAB_DIR/docker.sock," "$T/s.conf"
must "the server starts" server_start
check "its own containers are listed" wait_for 10 sh -c "$B/sentinelctl \
    -s $CTL_SOCK container list --json | jq -e 'any(.[]; .name == \"$c\")'"
host=$(ctl host list --json | jq -r '.[] | select(.id == "local").name')
check "it has a name" test -n "$host"
check_rc "an update of it" 0 ctl container update "$host/$c" \
    --image "$LAB_REGISTRY/demo:2"
check_eq "it runs version 2" "$LAB_REGISTRY/demo:2 true" "$(lab_docker inspect \
    --format '{{.Config.Image}} {{.State.Running}}' $c)"
check_rc "the same again changes nothing" 0 ctl container update "$host/$c"
check_rc "an image that is not there" 1 ctl container update "$host/$c" \
    --image "$LAB_REGISTRY/demo:none"
check_rc "stop" 0 ctl container stop "$host/$c"
check_eq "it is stopped" false "$(lab_docker inspect \
    --format '{{.State.Running}}' $c)"
check_rc "start" 0 ctl container start "$host/$c"
check "its logs" sh -c "$B/sentinelctl -s $CTL_SOCK container logs $host/$c |
    grep -q 'version 2'"
check_rc "a container that is not there" 3 ctl container stop "$host/nobody"
check_rc "without a host it is the server's own" 0 ctl container start "$c"
check_eq "one container is left under the name" 1 "$(lab_docker ps -a \
    --format '{{.Names}}' | grep -c "^$c")"
pid=$(child_of s docker)
kill -9 "$pid"
check "kill -9 of docker restarts it alone" wait_for 15 sh -c \
    "$B/sentinelctl -s $CTL_SOCK status --json | jq -e '[.processes[] |
    select(.name == \"docker\" and .restarts == 1)] | length == 1'"
check "and it answers again" wait_for 15 sh -c "$B/sentinelctl -s $CTL_SOCK \
    container list --json | jq -e 'any(.[]; .name == \"$c\")'"
