# The container image: FROM scratch, built without a network; and the page's
# three commands, as printed but for the name of the image.
# needs: docker
# lock: sentinel
# timeout: 180

image=sentinel:test-$$

cleanup()
{
	lab_docker rm -f sentinel-server sentinel-agent sentinel-plain \
	    >/dev/null 2>&1
	lab_docker volume rm sentinel-data sentinel-agent-data \
	    sentinel-plain-data >/dev/null 2>&1
	lab_docker rmi "$image" >/dev/null 2>&1
}
trap 'cleanup; scenario_end' EXIT

must "make image" env DOCKER_HOST="unix://$LAB_DIR/docker.sock" \
    DOCKER_CONFIG="$LAB_DIR/client" make -s B="$B" IMAGE="$image" image
size=$(lab_docker image inspect -f '{{.Size}}' "$image")
check "it is small ($((size / 1048576)) MiB)" test "$size" -lt 41943040
check_eq "label sentinel.self" true "$(lab_docker image inspect \
    -f '{{index .Config.Labels "sentinel.self"}}' "$image")"
check_eq "volume and ports" "map[/data:{}] map[8080/tcp:{} 9443/tcp:{}]" \
    "$(lab_docker image inspect \
    -f '{{.Config.Volumes}} {{.Config.ExposedPorts}}' "$image")"

# exec NAME COMMAND...: sentinelctl inside of a container.
in_server() { lab_docker exec sentinel-server sentinelctl "$@"; }
in_agent() { lab_docker exec sentinel-agent sentinelctl "$@"; }

must "the page's command for a server" lab_docker run -d \
    --name sentinel-server \
    --restart unless-stopped \
    -v /var/run/docker.sock:/var/run/docker.sock:ro \
    -v sentinel-data:/data \
    -p 8080:8080 \
    -p 9443:9443 \
    -e SENTINEL_CLUSTER=true \
    --stop-timeout 60 \
    "$image"
check "it answers" wait_for 20 in_server status
server=$(lab_docker inspect -f '{{.NetworkSettings.IPAddress}}' \
    sentinel-server)
docker_answers()
{
	"$1" status --json | jq -se '.[0] | .docker and .containers > 0'
}
check "its own Docker answers" wait_for 10 docker_answers in_server
token=$(in_server token create --json | jq -r .token)
check_eq "a token" 64 "${#token}"
check "processes are shown" in_server status
said "every process is confined" "cluster.*(chroot|seccomp)"

must "the page's command for an agent" lab_docker run -d \
    --name sentinel-agent \
    --restart unless-stopped \
    -v /var/run/docker.sock:/var/run/docker.sock:ro \
    -v sentinel-agent-data:/data \
    -e SENTINEL_MODE=agent \
    -e SENTINEL_SERVER_ADDR="$server:9443" \
    -e SENTINEL_ENROLL_TOKEN="$token" \
    -e SENTINEL_HOST_NAME=worker-1 \
    --stop-timeout 60 \
    "$image"
connected()
{
	in_server host list --json |
	    jq -se '.[0] | any(.[]; .name == "worker-1" and .connected)'
}
check "it enrols and connects" wait_for 20 connected
check "it shows itself" in_agent status
said "connected" "^connected +yes"
listed()
{
	in_server container list --host worker-1 --json |
	    jq -se '.[0] | any(.[]; .name == "sentinel-agent")'
}
check "its containers are listed" wait_for 10 listed

# A restart keeps the identity: it lies on the volume.
must "the agent is restarted" lab_docker restart sentinel-agent
check "and is back without a token" wait_for 20 connected
check "its log" lab_docker logs sentinel-agent
said "the spent token is a notice" "token is spent"

must "the page's command without a role" lab_docker run -d \
    --name sentinel-plain \
    --restart unless-stopped \
    -v /var/run/docker.sock:/var/run/docker.sock:ro \
    -v sentinel-plain-data:/data \
    -p 8081:8080 \
    "$image"
check "it runs" wait_for 20 lab_docker exec sentinel-plain sentinelctl status

begin=$(date +%s)
must "stop" lab_docker stop sentinel-agent sentinel-server
check "in order and at once" test $(($(date +%s) - begin)) -lt 30
check_eq "status 0" 0 "$(lab_docker inspect -f '{{.State.ExitCode}}' \
    sentinel-server)"
lab_docker logs sentinel-server >"$T/s.log" 2>&1
check_not "nothing went wrong" grep -E " (crit|err) " "$T/s.log"
