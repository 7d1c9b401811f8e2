# Sentinel itself is asked to update where it runs in no container: it is
# managed by the package manager, and says so.  Where there is something that
# could be it, nothing is guessed.
# needs: docker

# Others have containers with the label, so an engine of its own.
must "an engine of its own" lab_start "$T/lab"
trap 'lab_stop "$T/lab"; scenario_end' EXIT
must "an image" lab_image demo:1 1
c=self-host
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
server_conf
sed -i "s,^  docker: none,  docker: $AGENT_DOCKER," "$T/s.conf"
must "the server starts" server_start
must "the agent connects" enrolled worker-1
run() { lab_docker run -d "$@" "$LAB_REGISTRY/demo:1" >/dev/null; }
shows()
{
	ctl container list --host worker-1 --json |
	    jq -se '.[0] | any(.[]; .name == "'"$1"'")'
}
check_empty "there is no container yet" lab_docker ps -aq

check_rc "the agent is asked: 1" 1 ctl self update worker-1
said "it says by what it is managed" \
    "agent of this host does not run in a container: it is managed by the package manager"
check_rc "the server is asked: 1" 1 ctl self update local --image "$LAB_REGISTRY/demo:2"
said "so does the server" \
    "server of this host does not run in a container: it is managed by the package manager"
check_rc "by the name of the image's page: 1" 1 \
    ctl container update worker-1/sentinel-agent
said "the same answer" "managed by the package manager"
check_rc "no such host: 3" 3 ctl self update nobody
check_empty "and none was made" lab_docker ps -aq
check "it is in the audit trail" ctl audit list
said "who asked" "container.update.*worker-1/sentinel-agent"

must "a container of that name" run --name sentinel-agent
check "it is listed" wait_for 10 shows sentinel-agent
check_rc "one without the label is not taken: 1" 1 ctl self update worker-1
said "it is named" "no container with the label.*sentinel-agent"
must "one with it" run --name $c-1 --label sentinel.self=true
must "two with it" run --name $c-2 --label sentinel.self=true
check "both are listed" wait_for 10 shows $c-2
check_rc "two are one too many: 1" 1 ctl self update worker-1
said "both are named" "2 containers.*$c-[12], $c-[12]"
