# podman's service: what goes wrong leaves the old container running, also
# after kill -9; what podman does not tell refuses an update before any harm.
# needs: root
# timeout: 180

. regress/lab/podman.sh
must "an engine of its own" lab_start "$T/lab" podman
must "its images" lab_podman_images
v=$LAB_REGISTRY/demo
c=app
lab_docker network create net1 >/dev/null
lab_docker run -d --name $c --network net1 --restart always -v data:/data \
    "$v:1" >/dev/null || exit 1
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "the server starts" server_start
must "the agent connects" enrolled pod-1

get()
{
	lab_docker inspect -f "$1" $c
}

# as_before TEXT: the same container runs, and no other has its name.
as_before()
{
	check_eq "$1: the old one runs, alone" "$c running $old" \
	    "$(lab_docker ps -a --no-trunc --filter "name=^$c" \
	    --format '{{.Names}} {{.State}} {{.ID}}')"
}

old=$(get '{{.Id}}')
check_rc "an image that dies at once: 7" 7 ctl container update pod-1/$c \
    --image "$v:4"
said "it is called a roll-back" "(rolled back|rollback)"
as_before "dies"
check_rc "one that never gets healthy: 7" 7 ctl container update pod-1/$c \
    --image "$v:3"
as_before "unhealthy"
check_eq "its policy, its network" "always net1" \
    "$(get '{{.HostConfig.RestartPolicy.Name}} {{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{end}}')"
check_rc "one that is not in the registry: 1" 1 ctl container update \
    pod-1/$c --image "$v:none"
said "says which" "none"
check_rc "a registry that does not answer: 1" 1 ctl container update \
    pod-1/$c --image 127.0.0.1:5999/demo:1
check_rc "an unknown container: 3" 3 ctl container update pod-1/none \
    --image "$v:2"
as_before "not there"

# A start that podman refuses: the port is taken.
lab_docker run -d --name taken -p 127.0.0.1:8098:80 "$v:1" >/dev/null
lab_docker create --name port -p 127.0.0.1:8098:80 "$v:1" >/dev/null
check "a stopped one" ctl container update pod-1/port --image "$v:2"
check_eq "stays stopped" "$v:2 created" \
    "$(lab_docker inspect -f '{{.Config.Image}} {{.State.Status}}' port)"
check_rc "its start is refused" 1 ctl container start pod-1/port

# --- on request ---------------------------------------------------------
check "to version 2" ctl container update pod-1/$c --image "$v:2"
check "and back" ctl container rollback pod-1/$c
check_eq "the image before" "$v:1 running" \
    "$(get '{{.Config.Image}} {{.State.Status}}')"
old=$(get '{{.Id}}')

# --- what podman does not tell ------------------------------------------
lab_podman run -d --name fixed --network net1 --ip 10.89.0.77 "$v:1" \
    >/dev/null || exit 1
lab_podman run -d --name kernel --sysctl net.ipv4.ip_forward=1 "$v:1" \
    >/dev/null || exit 1
lab_podman run -d --name unit --label PODMAN_SYSTEMD_UNIT=web.service \
    "$v:1" /bin/sh -c '/bin/run --ip 1' >/dev/null || exit 1
lab_podman run -d --name plain "$v:1" /bin/sh /bin/run --ip 1 \
    >/dev/null || exit 1
ids=$(lab_docker ps -aq --no-trunc | sort)
check_rc "made with an address" 1 ctl container update pod-1/fixed \
    --image "$v:2"
said "says so" "made with --ip, which podman does not tell"
check_rc "made with a kernel setting" 1 ctl container update pod-1/kernel \
    --image "$v:2"
said "says so" "made with --sysctl"
check_rc "made by systemd" 1 ctl container update pod-1/unit --image "$v:2"
said "names the unit" "unit web.service makes this container"
check_rc "the plan says so, too" 1 ctl container plan pod-1/unit \
    --image "$v:2"
check_eq "nothing was touched" "$ids" "$(lab_docker ps -aq --no-trunc | sort)"
check "an option of its own command is none of podman's" ctl container \
    update pod-1/plain --image "$v:2"

# --- kill -9 ------------------------------------------------------------
# killed N: the docker process when its journal holds N records of an update to
# the other version (2 is in quarantine).
killed()
{
	[ "$(get '{{.Config.Image}}')" = "$v:1" ] && ki_to=2 || ki_to=1
	must "nothing is open" wait_for 20 test ! -s \
	    "$T/pod-1/data/update.journal"
	python3 -B regress/lab/journalkill.py \
	    "$T/pod-1/data/update.journal" "$1" KILL \
	    "$(child_of pod-1 docker)" >"$T/kill.out" &
	ki_pid=$!
	sleep 0.5	# it watches
	ctl container update pod-1/$c --image "$v:$ki_to" --force \
	    >"$T/kill.upd" 2>&1
	check "it is killed" wait $ki_pid
	ki_at=$(cat "$T/kill.out")
	check "at record $ki_at of an open update" grep -Eq \
	    "^[0-9]+: (step|created)" "$T/kill.out"
	check "the update comes to its end" wait_for 30 test ! -s \
	    "$T/pod-1/data/update.journal"
	check_eq "one container, and it runs" "$c running" \
	    "$(lab_docker ps -a --filter "name=^$c" \
	    --format '{{.Names}} {{.State}}')"
}

killed 5	# create
killed 9	# norestart: stopped
killed 14	# gate
check_eq "the volume" "data" \
    "$(get '{{range .Mounts}}{{.Name}}{{end}}')"
check_eq "the policy" always "$(get '{{.HostConfig.RestartPolicy.Name}}')"
