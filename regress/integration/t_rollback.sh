# Rollbacks on a real engine from a real registry: to the image before, by id,
# when its tag is gone; quarantine of what was rolled back; clean-up.
# needs: docker
# timeout: 180

c=rbk
v=$LAB_REGISTRY/$c
lab_images $c || exit 1
r=$v:rolling
lab_docker rmi "$v:2" "$v:3" "$v:4" "$v:5" >/dev/null 2>&1
lab_docker pull -q "$v:1" >/dev/null || exit 1

# moves N: the tag in the registry is version N from now on.
moves()
{
	lab_docker pull -q "$v:$1" >/dev/null &&
	    lab_docker tag "$v:$1" "$r" && lab_docker push -q "$r" >/dev/null
}

id()
{
	lab_docker image inspect -f '{{.Id}}' "$v:$1"
}

get()
{
	lab_docker inspect -f "$1" $c
}

kept()
{
	lab_docker images --format '{{.Repository}}:{{.Tag}}' |
	    grep -c "^sentinel-keep.*:$c\\."
}

moves 1 || exit 1
lab_docker run -d --name $c -v $c-data:/data --restart unless-stopped \
    "$r" >/dev/null || exit 1
trap 'lab_docker rm -fv $c $c-other >/dev/null 2>&1
    lab_docker volume rm $c-data >/dev/null 2>&1; scenario_end' EXIT
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "the server starts" server_start
must "the agent connects" enrolled worker-1
one=$(id 1)
check_rc "nothing to go back to: 1" 1 ctl container rollback worker-1/$c
said "says so" "no earlier image"
check_rc "an unknown container: 3" 3 ctl container rollback worker-1/none
check_rc "not an image: 2" 2 ctl container rollback worker-1/$c --to x

moves 2; two=$(id 2)
check "to version 2" ctl container update worker-1/$c
moves 5; five=$(id 5)
sleep 1
check "to version 5" ctl container update worker-1/$c
check_eq "it runs" "$five" "$(get '{{.Image}}')"
check_eq "two are kept" 2 "$(kept)"

check "back" ctl container rollback worker-1/$c
check_eq "the image before" "$two running" \
    "$(get '{{.Image}} {{.State.Status}}')"
check_eq "under the reference it had" "$r" "$(get '{{.Config.Image}}')"
check_eq "which names it" "$two" \
    "$(lab_docker image inspect -f '{{.Id}}' "$r")"
check_eq "with its settings" unless-stopped \
    "$(get '{{.HostConfig.RestartPolicy.Name}}')"
check "in the history" sh -c "$B/sentinelctl -s $CTL_SOCK history list --json |
    jq -e 'map(select(.action == \"rollback\" and
    .outcome == \"success\")) | length == 1'"
check "in the audit trail" sh -c "$B/sentinelctl -s $CTL_SOCK audit list |
    grep -q container.rollback"

check_rc "back once more would be forth again: 1" 1 ctl container rollback \
    worker-1/$c
said "says to what" "it would go to $(printf %.19s "$five") .* in quarantine"
said "and what else there is" "others for --to: 2: $(printf %.19s "$one")"
check_eq "nothing was touched" "$two" "$(get '{{.Image}}')"
check_rc "what was left is in quarantine: 1" 1 ctl container update \
    worker-1/$c
said "says so" "quarantine"
check_eq "nothing was touched" "$two" "$(get '{{.Image}}')"
check "--force" ctl container update worker-1/$c --force
check_eq "tries it again" "$five" "$(get '{{.Image}}')"

check_rc "no such image: 1" 1 ctl container rollback worker-1/$c --to 0123456789ab
said "says which there are" "there are 1: sha256:"
sleep 1
lab_docker rmi "$v:1" >/dev/null
check "by id, its tag is gone" ctl container rollback worker-1/$c --to "$one"
check_eq "version 1" "$one running" "$(get '{{.Image}} {{.State.Status}}')"

# Automatic.
moves 4; four=$(id 4)
check_rc "a version that dies: 7" 7 ctl container update worker-1/$c
check_eq "version 1 is back" "$one running" \
    "$(get '{{.Image}} {{.State.Status}}')"
check_rc "not a second time: 1" 1 ctl container update worker-1/$c
said "quarantine" "quarantine"
check_rc "but by force: 7" 7 ctl container update worker-1/$c --force
moves 2
check "a newer one" ctl container update worker-1/$c
check_eq "is taken" "$two running" "$(get '{{.Image}} {{.State.Status}}')"

# Somebody has removed what was kept.
lab_docker images --format '{{.Repository}}:{{.Tag}}' | grep "^sentinel-keep.*:$c\." |
    while read -r n; do lab_docker rmi "$n"; done >/dev/null 2>&1
check_rc "nothing is left: 1" 1 ctl container rollback worker-1/$c
check_eq "nothing was touched" "$two running" \
    "$(get '{{.Image}} {{.State.Status}}')"

# Clean-up: a stopped container's image stays.
lab_docker rm -f $c >/dev/null
lab_docker pull -q "$v:1" >/dev/null
lab_docker create --name $c-other "$v:1" >/dev/null
lab_docker run -d --name $c --label sentinel.rollback.keep=1 "$v:1" >/dev/null
check "from 1" ctl container update worker-1/$c --image "$v:2"
sleep 1
check "to 5" ctl container update worker-1/$c --image "$v:5"
sleep 1
check "to 2" ctl container update worker-1/$c --image "$v:2"
check "what a stopped container uses is there" lab_docker image inspect "$one"
check_eq "and one is kept" 1 "$(kept)"
check "it starts" lab_docker start $c-other
