# The server updates the container that it runs in: to a good image, to ones
# that never serve, with the helper killed, and not at all where that cannot
# end well.  Agents come back by themselves, and what was asked for is told by
# the successor.
# needs: docker
# lock: sentinel
# timeout: 240

. regress/lab/selfimage.sh
v=$LAB_REGISTRY/sentinel-s
s=sentinel-s
port=9499

cleanup()
{
	lab_docker rm -fv $s $s.sentinel-helper $s.sentinel-next \
	    $s.sentinel-prev $s-agent $s-killer >/dev/null 2>&1
	lab_docker volume rm $s-data $s-agent-data >/dev/null 2>&1
	lab_docker rmi -f "$v:1" "$v:2" "$v:3" "$v:ends" "$v:mute" "$v:newer" \
	    >/dev/null 2>&1
}
trap 'cleanup; scenario_end' EXIT

must "make image" self_image
must "version 2" self_variant 2 'ENV VERSION=2'
must "version 3" self_variant 3 'ENV VERSION=3'
must "one that ends at once" self_variant ends \
    'ENTRYPOINT ["/usr/local/sbin/sentineld", "-V"]'
must "one with a newer database" self_variant newer \
    'LABEL sentinel.schema=1000'
# It runs, but what runs is no server.
must "one that never serves" self_variant mute \
    'ENTRYPOINT ["/usr/local/sbin/sentinel-agentd", "-d", "-o", "agent.server=127.0.0.1:1", "-o", "agent.data_dir=/run", "-o", "agent.dir=/run/cluster"]'

ctl() { lab_docker exec $s sentinelctl "$@"; }
must "somebody to kill" lab_docker run -d --pid host --name $s-killer \
    "$LAB_REGISTRY/demo:1"
# The engine's own address; that of the server changes with its container.
gate=$(lab_docker inspect -f '{{.NetworkSettings.Gateway}}' $s-killer)

must "a server" lab_docker run -d --name $s --restart unless-stopped \
    --stop-timeout 60 -v "$LAB_DIR/docker.sock:/var/run/docker.sock:ro" \
    -v $s-data:/data -p $port:9443 -p 127.0.0.1:8099:8080 \
    -e SENTINEL_CLUSTER=true -e SENTINEL_CLUSTER_ADVERTISE="$gate" \
    "$v:1" -d -o server.timers.self_update=5s
check "it answers" wait_for 20 ctl status || {
	lab_docker logs $s 2>&1 | tail -20
	exit 1
}
token=$(ctl token create --json | jq -r .token)
must "an agent" lab_docker run -d --name $s-agent \
    -v "$LAB_DIR/docker.sock:/var/run/docker.sock:ro" \
    -v $s-agent-data:/data -e SENTINEL_MODE=agent \
    -e SENTINEL_SERVER_ADDR="$gate:$port" -e SENTINEL_HOST_NAME=worker-1 \
    -e SENTINEL_ENROLL_TOKEN="$token" "$v:1" \
    -d -o agent.timers.reconnect_max=1s
connected()
{
	ctl host list --json |
	    jq -se '.[0] | any(.[]; .name == "worker-1" and .connected)'
}
check "it connects" wait_for 20 connected || {
	lab_docker logs $s-agent 2>&1 | tail -20
	exit 1
}

get() { lab_docker inspect -f "$1" $s; }
# One server and no helper, in the end.
settled()
{
	[ "$(lab_docker ps -a --filter "name=^/$s(\$|\\.)" \
	    --format '{{.Names}} {{.State}}')" = "$s running" ]
}
one()
{
	check "$1: one server, and no helper" wait_for 40 settled
	check_eq "$1: its image" "$v:$2" "$(get '{{.Config.Image}}')"
	check "$1: the agent is back" wait_for 20 connected
	check_eq "$1: its policy" unless-stopped \
	    "$(get '{{.HostConfig.RestartPolicy.Name}}')"
}
# update TAG: the command ends with the container in which it was typed; the
# operation's id is the last that it says.
update()
{
	ctl container update local/$s --image "$v:$1" >"$T/ctl" 2>&1
	id=$(sed -n 's/.*operation show \([0-9a-f]*\).*/\1/p' "$T/ctl")
}
# ended OUTCOME: what the successor knows of the operation.
ended()
{
	[ "$(ctl operation show "$id" --json | jq -r .outcome)" = "$1" ]
}
recorded()
{
	ctl audit list --json | jq -se '.[0] | any(.[]; .action ==
	    "container.update" and (.text | contains("'"ended, operation $id: $1"'")))'
}
rows()
{
	ctl history list --json | jq -s '[.[0][] |
	    select(.outcome == "'"$1"'" and (.id | endswith("'"$id"'")))] | length'
}
# outcome WHAT OUTCOME: everywhere it is to be seen, once.
outcome()
{
	check "$1: the operation ended: $2" wait_for 20 ended "$2" ||
	    cat "$T/ctl"
	check "$1: so the audit trail" recorded "$2"
	check_eq "$1: one row of the history" 1 "$(rows "$2")"
}

old=$(get '{{.Id}}')
update 2
check_eq "where to look is said" 16 "${#id}"
one "version 2" 2
check_not "it is another container" test "$old" = "$(get '{{.Id}}')"
outcome "version 2" success
check_eq "the same volume" $s-data \
    "$(get '{{range .Mounts}}{{.Name}}{{end}}')"
check_eq "the same ports" "8099 $port" "$(get '{{(index
    .HostConfig.PortBindings "8080/tcp" 0).HostPort}} {{(index
    .HostConfig.PortBindings "9443/tcp" 0).HostPort}}' | tr -d '\n')"
check "the audit trail is whole" ctl audit verify

update ends
one "an image that ends" 2
outcome "an image that ends" rollback
update mute
one "an image that never serves" 2
outcome "an image that never serves" rollback

ctl container update local/$s --image "$v:newer" >"$T/ctl" 2>&1
check "a newer database is refused" grep -q "format (1000, ours" "$T/ctl" ||
    cat "$T/ctl"

# The helper dies with the old one stopped: Docker starts it again.
old=$(get '{{.Id}}')
kill_helper()
{
	[ "$(lab_docker inspect -f '{{.State.Running}}' "$old")" = false ] ||
	    return 1
	pid=$(lab_docker inspect -f '{{.State.Pid}}' $s.sentinel-helper) &&
	    lab_docker exec $s-killer /bin/sh -c "kill -9 $pid"
}
update 3 &
job=$!
check "the helper is killed" wait_for 30 kill_helper
wait $job
id=$(sed -n 's/.*operation show \([0-9a-f]*\).*/\1/p' "$T/ctl")
check "one server, and no helper" wait_for 40 settled
check "the agent is back" wait_for 20 connected
told() { ended success || ended rollback; }
check "it is told how it ended" wait_for 20 told
lab_docker rm -f $s-killer >/dev/null

# All state lies in data_dir: without a volume the successor has none.
lab_docker rm -fv $s >/dev/null
must "a server without a volume" lab_docker run -d --name $s \
    -v "$LAB_DIR/docker.sock:/var/run/docker.sock:ro" "$v:1" \
    -d -o server.data_dir=/var/lib/sentinel \
    -o server.cluster.dir=/var/lib/sentinel/cluster
check "it answers" wait_for 20 ctl status
check "Docker answers it" wait_for 10 sh -c "DOCKER_CONFIG=$LAB_DIR/client \
    docker -H unix://$LAB_DIR/docker.sock exec $s sentinelctl container list |
    grep -q $s"
ctl container update local/$s --image "$v:2" >"$T/ctl" 2>&1
check "it is refused" grep -q "not on a volume" "$T/ctl" || cat "$T/ctl"

exit $SCENARIO_RC
