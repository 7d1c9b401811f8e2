# Updates on a real engine from a real registry: good ones, and those that
# must leave the old container running.
# needs: docker
# timeout: 180

c=upd
v=$LAB_REGISTRY/$c
lab_images $c || exit 1
lab_docker network create $c-net >/dev/null || exit 1
lab_docker run -d --name $c --network $c-net --network-alias friend \
    -e MINE=kept -v $c-data:/data --label keep=me --restart unless-stopped \
    --memory 64m -p 127.0.0.1:8098:80 "$v:1" >/dev/null || exit 1
trap 'lab_docker rm -fv $c >/dev/null 2>&1
    lab_docker volume rm $c-data >/dev/null 2>&1
    lab_docker network rm $c-net >/dev/null 2>&1; scenario_end' EXIT
# The versions have to be pulled.
lab_docker rmi "$v:2" "$v:3" "$v:4" "$v:5" >/dev/null 2>&1
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "the server starts" server_start
must "the agent connects" enrolled worker-1

get()
{
	lab_docker inspect -f "$1" $c
}

# only_one TEXT: exactly one container has anything to do with the name, and
# it runs.
only_one()
{
	check_eq "$1: one container" "$c running" "$(lab_docker ps -a \
	    --filter "name=$c" --format '{{.Names}} {{.State}}')"
}

lab_docker exec $c sh -c 'cat /etc/version' >/dev/null
lab_docker exec $c /bin/sh -c 'echo precious >/data/file'
old=$(get '{{.Id}}')

check "to version 2" ctl container update worker-1/$c --image "$v:2"
only_one "version 2"
check_eq "it has the image" "$v:2" "$(get '{{.Config.Image}}')"
check_not "it is another container" test "$old" = "$(get '{{.Id}}')"
check "it says so" wait_for 5 sh -c "docker -H unix://$LAB_DIR/docker.sock \
    logs $c 2>&1 | grep -q '^version 2'"
check_eq "the variable of the user is kept, that of the image is new" \
    "MINE=kept VERSION=2" "$(get '{{range .Config.Env}}{{println .}}{{end}}' |
    grep -E '^(MINE|VERSION)=' | sort | tr '\n' ' ' | sed 's/ $//')"
check_eq "the volume" precious "$(lab_docker exec $c cat /data/file)"
check_eq "the label" me "$(get '{{.Config.Labels.keep}}')"
check_eq "the restart policy" unless-stopped \
    "$(get '{{.HostConfig.RestartPolicy.Name}}')"
check_eq "the memory limit" 67108864 "$(get '{{.HostConfig.Memory}}')"
check_eq "the port" 8098 \
    "$(get '{{(index .HostConfig.PortBindings "80/tcp" 0).HostPort}}')"
check "the network and its alias" sh -c "docker \
    -H unix://$LAB_DIR/docker.sock inspect $c | jq -e \
    '.[0].NetworkSettings.Networks[\"$c-net\"].Aliases |
    index(\"friend\") != null'"
check_eq "no other network" 1 \
    "$(get '{{len .NetworkSettings.Networks}}')"

two=$(get '{{.Id}}')
check "to version 2 again: nothing to do" ctl container update worker-1/$c \
    --image "$v:2"
check_eq "identical: the container is not touched" "$two" "$(get '{{.Id}}')"

check "without --image: its own reference" ctl container update worker-1/$c
check_eq "the same again" "$two" "$(get '{{.Id}}')"

check_rc "an image that never gets healthy: 7" 7 ctl container update \
    worker-1/$c --image "$v:3"
said "it is called a roll-back" "(rolled back|rollback)"
only_one "unhealthy"
check_eq "the old container is back" "$two" "$(get '{{.Id}}')"
check_eq "with its restart policy" unless-stopped \
    "$(get '{{.HostConfig.RestartPolicy.Name}}')"

check_rc "an image that dies at once: 7" 7 ctl container update \
    worker-1/$c --image "$v:4"
only_one "dies"
check_eq "the old container is back" "$two" "$(get '{{.Id}}')"
check_eq "and was connected again" 1 \
    "$(get '{{len .NetworkSettings.Networks}}')"

check_rc "an image that is not in the registry: 1" 1 ctl container update \
    worker-1/$c --image "$v:none"
said "says which" "none"
only_one "missing"
check_eq "missing: not touched" "$two" "$(get '{{.Id}}')"
check_rc "a registry that does not answer: 1" 1 ctl container update \
    worker-1/$c --image 127.0.0.1:5999/demo:1
only_one "registry down"
check_eq "registry down: not touched" "$two" "$(get '{{.Id}}')"
check_rc "a reference that is none" 1 ctl container update worker-1/$c \
    --image 'NOT//valid::'
check_eq "not touched" "$two" "$(get '{{.Id}}')"
check_rc "an unknown container: 3" 3 ctl container update worker-1/none \
    --image "$v:2"

check "an image with a health check that passes" ctl container update \
    worker-1/$c --image "$v:5"
only_one "healthy"
check_eq "is in place" "$v:5" "$(get '{{.Config.Image}}')"

check "a container that is stopped" ctl container stop worker-1/$c
check "is updated" ctl container update worker-1/$c --image "$v:1"
check_eq "and stays stopped" "$v:1 exited" \
    "$(get '{{.Config.Image}} {{.State.Status}}' | sed 's/created/exited/')"
check "and can be started" ctl container start worker-1/$c
check "JSON of a result" sh -c "$B/sentinelctl -s $CTL_SOCK container update \
    worker-1/$c --image $v:2 --json | tail -n 1 |
    jq -e '.outcome == \"success\"'"
only_one "at the end"
# An outcome stays there for a moment, in case nobody heard it.
check "the journal is empty" wait_for 15 test ! -s \
    "$T/worker-1/data/update.journal"
