# The disk of Docker itself is full: in the middle of a pull, before the new
# container is made, and between its making and its start.  The old one runs
# all the while, nothing half is left, and with room again the update works.
# needs: root
# timeout: 120

c=web
v=$LAB_REGISTRY/disk
trap 'scenario_end; lab_stop "$T/lab"; umount "$T/lab/data" 2>/dev/null' EXIT

# room SIZE: so large is Docker's disk from now on.
room()
{
	mount -o "remount,size=$1" "$T/lab/data"
}

# tight KIB: so much is free on it.
tight()
{
	room "$(($(df -k --output=used "$T/lab/data" | tail -n 1) + $1))k"
}

# fill: nothing is free.
fill()
{
	dd if=/dev/zero of="$T/lab/data/ballast" bs=64k 2>/dev/null
	dd if=/dev/zero bs=1 count=65536 oflag=append conv=notrunc \
	    of="$T/lab/data/ballast" 2>/dev/null
}

# same TEXT: the old container, alone, and it runs.
same()
{
	check_eq "$1: the old one runs, and no other is left" \
	    "$old $c running" "$(lab_docker ps -a --no-trunc \
	    --format '{{.ID}} {{.Names}} {{.State}}')"
}

mkdir -p "$T/lab/data"
must "a disk for Docker" mount -t tmpfs -o size=400m,mode=711 tmpfs \
    "$T/lab/data"
must "an engine of its own" lab_start "$T/lab"
must "image 1" lab_image disk:1 1
must "image 2" lab_image disk:2 2
head -c 30000000 /dev/urandom >"$T/lab-image/ballast"
must "a large image" lab_image disk:large 3
rm "$T/lab-image/ballast"
lab_docker rmi "$v:large" >/dev/null
lab_docker run -d --name $c --restart unless-stopped --stop-timeout 4 "$v:1" \
    /bin/sh -c 'trap "" TERM; while :; do sleep 1; done' >/dev/null || exit 1
old=$(lab_docker inspect -f '{{.Id}}' $c)
server_conf
AGENT_DOCKER=unix://$T/lab/docker.sock
agent_conf worker-1 "docker_root: $T/lab/data
  docker_min_free: 0"
must "the server starts" server_start
must "the agent connects" enrolled worker-1

must "little room" tight 12000
check_rc "an image that is larger than what is free: 1" 1 ctl container \
    update worker-1/$c --image "$v:large"
said "the error says of what" "$v:large"
said "and why" "no space left on device"
same "pull"
check_not "the tag names nothing" sh -c "DOCKER_CONFIG=$T docker \
    -H unix://$T/lab/docker.sock image inspect $v:large >/dev/null 2>&1"
check "the pull has left nothing on the disk" wait_for 5 sh -c \
    "[ \$(df -k --output=avail $T/lab/data | tail -n 1) -ge 11000 ]"
check_eq "it is in the history" "failed $c" "$(ctl history list --json |
    jq -r 'map(select(.error // "" | test("no space left"))) |
    map(.outcome + " " + .container) | join(",")')"
check_rc "a pull alone: 1" 1 ctl container pull worker-1 "$v:large"
said "in the same words" "no space left on device"

# There is room for nothing at all, not even for the image's second name.
fill
check_rc "no room for the new container: 1" 1 ctl container update \
    worker-1/$c --image "$v:2"
said "says why" "no space left on device"
same "no room at all"

# Nor for its start: the disk gets full while the old one is being stopped.
rm "$T/lab/data/ballast"
room 400m
ctl container update worker-1/$c --image "$v:2" >"$T/start.out" 2>&1 &
pid=$!
check "the new one is made" wait_for 10 lab_docker inspect "$c.sentinel-next"
tight 0
fill
check "it goes back" wait_for 12 sh -c \
    "[ \$(grep -c 'going back' $T/worker-1.log) -eq 2 ]"
rm -f "$T/lab/data/ballast"
room 400m
wait $pid
rc=$?
sed 's/^/# /' "$T/start.out"
check_eq "no room for the start: 7" 7 $rc
check "says why" grep -q "no space left on device" "$T/start.out"
same "start"

check "with room it is updated" ctl container update worker-1/$c \
    --image "$v:large" --force
check_eq "and runs" "$v:large $c running" "$(lab_docker ps -a \
    --format '{{.Image}} {{.Names}} {{.State}}')"
