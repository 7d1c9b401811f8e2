# The server's own engine, switched on by docker: in its part.
# needs: docker
# timeout: 60

c=local
lab_docker run -d --name $c "$LAB_REGISTRY/demo:1" >/dev/null || exit 1
trap 'lab_docker rm -f $c >/dev/null 2>&1; scenario_end' EXIT
server_conf
sed -i "s,^  docker: none,  docker: unix://$LAB_DIR/docker.sock," "$T/s.conf"
must "the server starts" server_start
check "its own containers are listed" wait_for 10 sh -c "$B/sentinelctl \
    -s $CTL_SOCK container list --json | jq -e 'any(.[]; .name == \"$c\")'"
