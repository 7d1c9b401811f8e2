# podman's service instead of Docker: the same agent, the same commands.  What
# it answers differently must not change a container.
# needs: root
# timeout: 120

. regress/lab/podman.sh
must "an engine of its own" lab_start "$T/lab" podman
v=$LAB_REGISTRY/demo
must "its images" lab_podman_images
must "one with another check" lab_podman_image demo:6 demo:1 'ENV VERSION=6' \
    'HEALTHCHECK --interval=2s --retries=2 CMD ["/bin/test", "-e", "/etc"]' \
    'STOPSIGNAL SIGQUIT' 'ENV TERM=dumb'
lab_docker network create --subnet 10.77.1.0/24 net1 >/dev/null
lab_docker network create --subnet 10.77.2.0/24 net2 >/dev/null

api()
{
	curl -s -m 10 --unix-socket "$LAB_DIR/docker.sock" "$@"
}

c=app
cat >"$T/create.json" <<EOT
{"Image": "$v:1", "Hostname": "myhost", "Env": ["MINE=kept"],
 "Labels": {"keep": "me"}, "StopTimeout": 3, "Volumes": {"/anon": {}},
 "ExposedPorts": {"80/tcp": {}},
 "HostConfig": {"NetworkMode": "net1",
  "Binds": ["data:/data", "/tmp:/host:ro"],
  "Mounts": [{"Type": "volume", "Source": "mv", "Target": "/mv"}],
  "Tmpfs": {"/tt": "size=1m"},
  "RestartPolicy": {"Name": "unless-stopped"}, "Memory": 67108864,
  "NanoCpus": 500000000, "PortBindings":
  {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8098"}]},
  "CapAdd": ["NET_ADMIN"], "CapDrop": ["CHOWN"], "Dns": ["10.1.2.3"],
  "ExtraHosts": ["a:10.1.2.3"], "SecurityOpt": ["no-new-privileges"],
  "Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/xnull",
  "CgroupPermissions": "rwm"}], "ShmSize": 10485760, "PidsLimit": 100},
 "NetworkingConfig": {"EndpointsConfig": {"net1": {"Aliases": ["friend"]}}}}
EOT
must "a container with many settings" sh -c "curl -s -m 10 --unix-socket \
    $LAB_DIR/docker.sock -H 'Content-Type: application/json' \
    -d @$T/create.json http://d/v1.41/containers/create?name=$c | grep -q Id"
lab_docker network connect --alias zwei net2 $c
must "it starts" lab_docker start $c
must "a checked one" lab_docker run -d --name checked "$v:5"
lab_docker exec $c /bin/sh -c 'echo precious >/data/file
    echo hidden >/anon/file'
for n in 2 3 4 5 6; do
	lab_docker rmi "$v:$n"
done >/dev/null 2>&1
must "image 5 is there" lab_docker pull -q "$v:5"

AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "the server starts" server_start
must "the agent connects" enrolled pod-1

listed()
{
	ctl container list --json | jq -e --arg c "$1" \
	    ".[] | select(.name == \$c) | $2"
}

get()
{
	lab_docker inspect -f "$1" $c
}

# settled: what inspect says of it but for what a new container has to have
# anew, and the image.
settled()
{
	api http://d/v1.41/containers/$c/json | jq -S '{h: .HostConfig,
	    m: (.Mounts | sort_by(.Destination)), c: (.Config |
	    del(.Image) | .Env |= (map(select(test("^(VERSION)=") |
	    not)) | sort)), n: (.NetworkSettings.Networks | map_values(
	    {a: (.Aliases | map(select(test("^[0-9a-f]{12}$") | not)) |
	    sort), g: .Gateway, l: .IPPrefixLen})), p: .NetworkSettings.Ports}
	    | .h.Binds |= (map(split(":") | [.[0], .[1],
	    (.[2] | split(",") | sort)]) | sort)'
}

only_one()
{
	check_eq "$1: one container" "$c running" "$(lab_docker ps -a \
	    --filter "name=^$c" --format '{{.Names}} {{.State}}')"
}

check "it is listed as running" wait_for 10 listed $c '.state == "running"'
check "with a digest" listed $c '.image_digest | test("@sha256:")'
check "its label" listed $c '.labels.keep == "me"'
check "the checked one is healthy" wait_for 15 listed checked \
    '.health == "healthy"'
check "stop" ctl container stop pod-1/$c
check_eq "it is stopped" false "$(get '{{.State.Running}}')"
check "the list says so" wait_for 5 listed $c '.state == "exited"'
check "start" ctl container start pod-1/$c
check "restart" ctl container restart pod-1/$c
check "the list says that it runs" wait_for 5 listed $c '.state == "running"'
check "its logs" sh -c "$B/sentinelctl -s $CTL_SOCK container logs \
    pod-1/$c | grep -q '^version 1'"

settled >"$T/before"
old=$(get '{{.Id}}')
check_rc "a plan" 8 ctl container plan pod-1/$c --image "$v:2"
check_eq "touches nothing" "$old" "$(get '{{.Id}}')"
check "to version 2" ctl container update pod-1/$c --image "$v:2"
only_one "version 2"
check_eq "it has the image" "$v:2" "$(get '{{.Config.Image}}')"
check_not "it is another container" test "$old" = "$(get '{{.Id}}')"
settled >"$T/after"
check "all else is as it was" diff -u "$T/before" "$T/after"
check_eq "the volume" precious "$(lab_docker exec $c cat /data/file)"
check_eq "the anonymous volume" hidden "$(lab_docker exec $c cat /anon/file)"
check_not "no variable has the old id" sh -c "docker -H \
    unix://$LAB_DIR/docker.sock inspect $c | grep -q '=${old%"${old#????????????}"}'"

# What came from the old image does not stay: podman shows it in other words.
check "the checked one to another image" ctl container update pod-1/checked \
    --image "$v:6"
check_eq "has that image's check" "[/bin/test -e /etc] 2s" \
    "$(lab_docker inspect -f '{{slice .Config.Healthcheck.Test 1}} {{.Config.Healthcheck.Interval}}' checked)"
check_eq "its stop signal and its variable" "3 TERM=dumb" \
    "$(lab_docker inspect -f '{{.Config.StopSignal}} {{range .Config.Env}}{{println .}}{{end}}' \
    checked | sed -E 's/^([0-9]+) (.*)/\1\n\2/' | grep -E '^[0-9]+$|^TERM=' |
    tr '\n' ' ' | sed 's/ $//')"
