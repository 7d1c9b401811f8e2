# The agent updates the container that it runs in: by a helper that outlives
# it, to a good image, to bad ones, with the helper killed, and not at all
# where that cannot end well.
# needs: docker
# lock: sentinel
# timeout: 400

. regress/lab/selfimage.sh
v=$LAB_REGISTRY/sentinel
a=sentinel-agent

cleanup()
{
	lab_docker rm -fv sentinel-server $a $a.sentinel-helper \
	    $a.sentinel-next $a.sentinel-prev killer \
	    >/dev/null 2>&1
	lab_docker volume rm sentinel-data sentinel-agent-data \
	    >/dev/null 2>&1
	lab_docker rmi -f "$v:1" "$v:2" "$v:mute" "$v:ends" "$v:none" \
	    "$v:3" >/dev/null 2>&1
}
trap 'cleanup; scenario_end' EXIT

must "make image" self_image
must "version 2" self_variant 2 'ENV VERSION=2'
must "version 3" self_variant 3 'ENV VERSION=3'
# A volume that no container before it had: whose is it, when it goes?
must "one that ends at once" self_variant ends 'VOLUME /more' \
    'ENTRYPOINT ["/usr/local/sbin/sentineld", "-V"]'
must "one that never connects" self_variant mute \
    'ENTRYPOINT ["/usr/local/sbin/sentineld", "-d", "-o", "agent.server=127.0.0.1:1"]'
must "one without the label" self_variant none 'LABEL sentinel.self=false'

in_server() { lab_docker exec sentinel-server sentinelctl "$@"; }

must "a server" lab_docker run -d --name sentinel-server \
    -v "$LAB_DIR/docker.sock:/var/run/docker.sock:ro" \
    -v sentinel-data:/data -e SENTINEL_CLUSTER=true "$v:1"
check "it answers" wait_for 20 in_server status
server=$(lab_docker inspect -f '{{.NetworkSettings.IPAddress}}' \
    sentinel-server)
token=$(in_server token create --json | jq -r .token)

# agent NAME ARG...: an agent as the page has it.
agent()
{
	an=$1
	shift
	lab_docker run -d --name "$an" --restart unless-stopped \
	    -v "$LAB_DIR/docker.sock:/var/run/docker.sock:ro" \
	    -e SENTINEL_MODE=agent -e SENTINEL_SERVER_ADDR="$server:9443" \
	    -e SENTINEL_ENROLL_TOKEN="$token" --stop-timeout 60 "$@"
}

must "an agent" agent $a -v sentinel-agent-data:/data \
    -e SENTINEL_HOST_NAME=worker-1 -p 127.0.0.1:8097:8080 "$v:1" \
    -d -o agent.timers.self_update=5s
connected()
{
	in_server host list --json |
	    jq -se '.[0] | any(.[]; .name == "worker-1" and .connected)'
}
listed()
{
	in_server container list --host worker-1 --json |
	    jq -se '.[0] | any(.[]; .name == "'"$1"'")'
}
check "it connects" wait_for 20 connected || {
    lab_docker logs $a 2>&1 | tail -20
    exit 1
}
check "it lists itself" wait_for 10 listed $a

get() { lab_docker inspect -f "$1" $a; }

# One agent and no helper, in the end.
settled()
{
	[ "$(lab_docker ps -a --filter name=$a \
	    --format '{{.Names}} {{.State}}')" = "$a running" ]
}
# one TEXT IMAGE: and it is this one, connected.
one()
{
	check "$1: one agent, and no helper" wait_for 40 settled
	check_eq "$1: its image" "$v:$2" "$(get '{{.Config.Image}}')"
	check "$1: it is connected" wait_for 20 connected
	check_eq "$1: its policy" unless-stopped \
	    "$(get '{{.HostConfig.RestartPolicy.Name}}')"
}
# outcome IMAGE: of the newest update to it in the history.
outcome()
{
	in_server history list --json | jq -rs '[.. | objects |
	    select(.new_image? == "'"$v:$1"'") | .outcome][0] // "none"'
}
is_outcome() { [ "$(outcome "$1")" = "$2" ]; }

# update TAG CODE: the stream breaks when the old one stops; the command waits
# for what the one that comes up tells under the same operation id.
update()
{
	in_server container update worker-1/$a --image "$v:$1" >"$T/ctl" 2>&1
	check_eq "to $1: exit status" "$2" $? || cat "$T/ctl"
	check "to $1: it waited" grep -q "^handover: waiting for host" "$T/ctl"
}

old=$(get '{{.Id}}')
before=$(in_server host list --json | jq -r '.. | objects |
    select(.name? == "worker-1") | .id')
update 2 0
one "version 2" 2
check_not "it is another container" test "$old" = "$(get '{{.Id}}')"
check "version 2 is in the history" wait_for 20 is_outcome 2 success
check_eq "the same identity" "$before" "$(in_server host list --json |
    jq -r '.. | objects | select(.name? == "worker-1") | .id')"
check_eq "the same volume" sentinel-agent-data \
    "$(get '{{range .Mounts}}{{.Name}}{{end}}')"
check_eq "the same port" 8097 \
    "$(get '{{(index .HostConfig.PortBindings "8080/tcp" 0).HostPort}}')"

begin=$(date +%s)
update ends 7
check "the reason is told" grep -q "restarts again and again\|ended" "$T/ctl"
one "an image that ends" 2
failed=$(lab_docker events --since "$begin" --until "$(date +%s)" \
    --filter event=create --filter type=container \
    --format '{{.Actor.ID}} {{.Actor.Attributes.name}}' |
    sed -n "s/ $a.sentinel-next\$//p")
more=$(lab_docker events --since "$begin" --until "$(date +%s)" \
    --filter event=mount --filter type=volume \
    --format '{{.Actor.ID}} {{.Actor.Attributes.container}}' |
    grep " $failed\$" | grep -v sentinel-agent-data | cut -d " " -f 1 |
    sort -u)
check_eq "it had a volume of its own" 64 "${#more}"
check_not "which went with it" lab_docker volume inspect "$more"
check "it is told as rolled back" wait_for 20 is_outcome ends rollback
update mute 7
check "the reason is told" grep -q "no session with its server" "$T/ctl"
one "an image that never connects" 2
check "this, too" wait_for 20 is_outcome mute rollback
in_server container update worker-1/$a --image "$v:none" >"$T/ctl" 2>&1
check "an image of something else is refused" \
    grep -q "no label sentinel.self" "$T/ctl"

# The helper dies with the old one stopped: Docker starts it again.
must "somebody to kill" lab_docker run -d --pid host --name killer \
    "$LAB_REGISTRY/demo:1"
kill_helper()
{
	[ "$(lab_docker inspect -f '{{.State.Running}}' "$old")" = false ] ||
	    return 1
	pid=$(lab_docker inspect -f '{{.State.Pid}}' $a.sentinel-helper) &&
	    lab_docker exec killer /bin/sh -c "kill -9 $pid"
}
old=$(get '{{.Id}}')
in_server container update worker-1/$a --image "$v:3" >"$T/ctl" 2>&1 &
job=$!
check "the helper is killed" wait_for 30 kill_helper
wait $job
check "one agent, and no helper" wait_for 60 settled
check "it is connected" wait_for 20 connected
told()
{
	is_outcome 3 success || is_outcome 3 rollback
}
check "it is told how it ended" wait_for 20 told

# No volume, and no container at all.
lab_docker rm -fv $a >/dev/null
token=$(in_server token create --json | jq -r .token)
must "an agent without a volume" agent $a -e SENTINEL_HOST_NAME=worker-2 \
    "$v:1" -d -o agent.data_dir=/var/lib/sentinel \
    -o agent.dir=/var/lib/sentinel/cluster
second()
{
	in_server host list --json |
	    jq -se '.[0] | any(.[]; .name == "worker-2" and .connected)'
}
check "it connects" wait_for 20 second
in_server container update worker-2/$a --image "$v:2" >"$T/ctl" 2>&1
check "it is refused" grep -q "not on a volume" "$T/ctl" || cat "$T/ctl"

exit $SCENARIO_RC
