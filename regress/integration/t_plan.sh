# What an update would do, on a real engine: said without doing anything, and
# then done so.  Through an agent and with the server's own Docker.
# needs: docker
# timeout: 60

c=plan
v=$LAB_REGISTRY/$c
lab_image $c:1 1 && lab_image $c:2 2 || exit 1
lab_docker network create --subnet 10.79.1.0/24 $c-a >/dev/null || exit 1
lab_docker network create --subnet 10.79.2.0/24 $c-b >/dev/null || exit 1
lab_docker create --name $c --network $c-a --ip 10.79.1.5 \
    --network-alias friend -e MINE=secret -v $c-data:/data -v /anon \
    --label keep=me --restart unless-stopped --stop-timeout 7 \
    "$v:1" >/dev/null || exit 1
lab_docker network connect --ip 10.79.2.5 $c-b $c || exit 1
lab_docker start $c >/dev/null || exit 1
lab_docker run -d --name $c-user --network container:$c "$v:1" \
    >/dev/null || exit 1
trap 'lab_docker rm -fv $c-user $c >/dev/null 2>&1
    lab_docker volume rm $c-data >/dev/null 2>&1
    lab_docker network rm $c-a $c-b >/dev/null 2>&1; scenario_end' EXIT
lab_docker rmi "$v:2" >/dev/null 2>&1
server_conf
sed -i "s,^  docker: none,  docker: unix://$LAB_DIR/docker.sock," "$T/s.conf"
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "the server starts" server_start
must "the agent connects" enrolled worker-1
local=$(ctl host list --json | jq -r '.[] | select(.id == "local").name')

# Everything Docker says of the container and of what is around it, but for
# what others do to the same engine.
world()
{
	# Docker shows mounts in another order each time.
	lab_docker inspect $c $c-user | jq -S '.[0].Mounts |= sort_by(.Destination)'
	lab_docker ps -a --no-trunc --filter "name=$c" \
	    --format '{{.ID}} {{.Names}} {{.Image}}' | sort
	lab_docker images -a --no-trunc --format '{{.ID}}' "$v" | sort
	lab_docker volume ls -q --filter "name=$c" | sort
}

world >"$T/before"
check_rc "an image that is not here: 8" 8 ctl container plan worker-1/$c \
    --image "$v:2"
said "it would be pulled" "to be pulled"
said "and says that it does not know all" "not known yet"
check_rc "the same image: 0" 0 ctl container plan worker-1/$c
said "nothing is touched" "is not touched"
check_rc "an unknown container: 3" 3 ctl container plan worker-1/none
check_rc "what an update refuses, a plan does: 1" 1 ctl container plan \
    worker-1/$c --image 'NOT//valid::'
check_rc "through the server's own Docker: 8" 8 ctl container plan "$local/$c" \
    --image "$v:2"
world >"$T/after"
check "nothing was touched or pulled" cmp "$T/before" "$T/after"

lab_docker pull -q "$v:2" >/dev/null
world >"$T/before"
ctl container plan worker-1/$c --image "$v:2" --json >"$T/plan"
check_eq "a plan with the image: 8" 8 $?
ctl container plan worker-1/$c --image "$v:2" --json >"$T/plan2"
check "twice the same" cmp "$T/plan" "$T/plan2"
check_rc "for people" 8 ctl container plan worker-1/$c --image "$v:2"
said "what changes" "changed +env VERSION: 1 -> 2"
said "what stays" "same +env MINE$"
said "how long it has" "it has 7 s to end"
said "whom it concerns" "^  $c-user \(network\) .*made anew and started"
check "no secret is told" sh -c "! grep -q secret '$T/plan' '$T/check.out'"
world >"$T/after"
check "nothing was touched" cmp "$T/before" "$T/after"

user=$(lab_docker inspect -f '{{.Id}}' $c-user)
check "the update" ctl container update worker-1/$c --image "$v:2"
lab_docker inspect $c | jq '.[0]' >"$T/now"
check_eq "the old image is the one of the plan" \
    "$(jq -r .old_image_id "$T/plan")" "$(lab_docker image inspect \
    -f '{{.Id}}' "$v:1")"
check_eq "so is the new one" "$(jq -r .new_image_id "$T/plan")" \
    "$(jq -r .Image "$T/now")"
check_eq "the variables that images set are those of the plan" \
    "$(jq -r '.items[] | select(.kind == "env" and .then != "") |
    .name + "=" + .then' "$T/plan" | sort)" \
    "$(jq -r '.Config.Env[] | select(startswith("MINE=") | not)' "$T/now" |
    sort)"
check_eq "the names of all" "$(jq -r '.items[] | select(.kind == "env" and
    .change != "gone").name' "$T/plan" | sort)" \
    "$(jq -r '.Config.Env[] | split("=")[0]' "$T/now" | sort)"
check_eq "the labels" "$(jq -cS '[.items[] | select(.kind == "label" and
    .change != "gone") | {(.name): .then}] | add' "$T/plan")" \
    "$(jq -cS .Config.Labels "$T/now")"
check_eq "the command" "$(jq -r '.items[] | select(.name == "Cmd").then' \
    "$T/plan")" "$(jq -c .Config.Cmd "$T/now")"
check_eq "the networks" "$(jq -cS '[.items[] | select(.kind == "network") |
    {(.name): (.then | fromjson | .IPAMConfig.IPv4Address)}] | add' \
    "$T/plan")" "$(jq -cS '.NetworkSettings.Networks |
    map_values(.IPAMConfig.IPv4Address)' "$T/now")"
check_eq "the mounts" "$(jq -cS '[.items[] | select(.kind == "mount") |
    {(.name): .then}] | add' "$T/plan")" \
    "$(jq -cS '[.Mounts[] | {(.Destination): .Name}] | add' "$T/now")"
check "the one that uses its network was made anew and runs" sh -c \
    "docker -H unix://$LAB_DIR/docker.sock inspect $c-user | jq -e \
    '.[0].Id != \"$user\" and .[0].State.Running and
    .[0].HostConfig.NetworkMode == \"container:$(jq -r .Id "$T/now")\"'"
check_rc "and now there is nothing to do: 0" 0 ctl container plan worker-1/$c
check_rc "nor with the server's own Docker" 0 ctl container plan "$local/$c" \
    --image "$v:2"
check "plans leave no history" sh -c "$B/sentinelctl -s $CTL_SOCK history \
    list --json | jq -e 'length >= 1 and all(.[]; .action == \"update\")'"
