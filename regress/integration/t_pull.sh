# Pulls on a real engine: progress, a missing tag, a digest that is not there,
# a private registry with and without its password, which is left nowhere, no
# room, two at a time; what operation list and container show say meanwhile.
# needs: docker
# timeout: 120

v=$LAB_REGISTRY/pull
p=127.0.0.1:5001/pull
lab_images pull || exit 1
secret=Tr0ub4dor-and-3-geese
trap 'lab_docker rm -fv pulled pull-registry pull-mute >/dev/null 2>&1
    scenario_end' EXIT

# in_lab NAME COMMAND...: a program of this machine in the lab's network.
in_lab()
{
	il_name=$1
	shift
	lab_docker run -d --name "$il_name" --network host -v /usr:/usr:ro \
	    -v /usr/lib:/lib:ro -v /usr/lib64:/lib64:ro -v "$T:$T" \
	    -v "$LAB_DIR/registry:$LAB_DIR/registry" "$v:1" "$@" >/dev/null
}

# The same images behind a password, in the lab's network.
htpasswd -Bbn joe "$secret" >"$T/htpasswd"
cat >"$T/private.yml" <<EOT
version: 0.1
log: { level: error }
storage:
  filesystem: { rootdirectory: $LAB_DIR/registry }
http: { addr: "127.0.0.1:5001" }
auth:
  htpasswd: { realm: lab, path: $T/htpasswd }
EOT
must "the private registry starts" in_lab pull-registry \
    /usr/bin/docker-registry serve "$T/private.yml"
(umask 077; mkdir "$T/in"; echo "joe:$secret" >"$T/in/auth"
    echo "joe:wrong" >"$T/in/wrong")

AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "the server starts" server_start
must "the agent connects" enrolled worker-1
gone_image()
{
	lab_docker rmi -f "$@" >/dev/null 2>&1
}
there()
{
	lab_docker image inspect "$1"
}

gone_image "$v:2"
ctl events -f >"$T/events.out" 2>/dev/null &
ev=$!
check "a pull" ctl container pull worker-1 "$v:2"
said "it shows its phase" "^pull"
said "and says with which digest" "pulled: .*sha256:"
check "the image is there" there "$v:2"
kill $ev
check "who follows the events saw it go on" has "$T/events.out" "progress.*pull"
check "and its end" has "$T/events.out" "image_pull.*success"

check_rc "a tag that is missing" 1 ctl container pull worker-1 "$v:none"
said "it says so" "(manifest|not found|unknown)"
check_rc "a digest that is not there" 1 ctl container pull worker-1 \
    "$v@sha256:$(printf %064d 7)"
check_rc "no reference" 2 ctl container pull worker-1 "UPPER CASE"
check_rc "an unknown host" 3 ctl container pull nobody "$v:2"

must "the private registry answers" wait_for 10 lab_docker exec pull-registry \
    /usr/bin/curl -s -o /dev/null http://127.0.0.1:5001/v2/
check_rc "a private registry without a password" 1 ctl container pull \
    worker-1 "$p:2"
said "Docker's own words" "(no basic auth|unauthorized)"
check_rc "with a wrong one" 1 ctl container pull worker-1 "$p:2" \
    --auth-file "$T/in/wrong"
check_not "nothing came" there "$p:2"
check "with the right one" ctl container pull worker-1 "$p:2" --auth-file \
    "$T/in/auth"
check "it came" there "$p:2"
gone_image "$p:2"
check "from standard input, in Docker's own form" sh -c "printf \
    '{\"auths\":{\"other:1\":{\"auth\":\"eDp5\"},\"127.0.0.1:5001\":{\"auth\":\"%s\"}}}' \
    $(printf %s "joe:$secret" | base64 -w0) |
    $B/sentinelctl -s $CTL_SOCK container pull worker-1 $p:2 --auth-file -"
check "it came" there "$p:2"
check_rc "a file without this registry" 2 sh -c "echo \
    '{\"auths\":{\"other:1\":{\"auth\":\"eDp5\"}}}' | $B/sentinelctl \
    -s $CTL_SOCK container pull worker-1 $p:2 --auth-file -"

gone_image "$p:5"
lab_docker run -d --name pulled "$v:1" >/dev/null
check_rc "an update without the password" 1 ctl container update \
    worker-1/pulled --image "$p:5"
check "and with it" ctl container update worker-1/pulled --image "$p:5" \
    --auth-file "$T/in/auth"
check_eq "the container has the image" "$p:5" \
    "$(lab_docker inspect -f '{{.Config.Image}}' pulled)"

# The base64 of the password's middle, at each of the three offsets.
b0=$(printf %s "$secret" | cut -c 4-18 | tr -d '\n' | base64 -w0)
b1=$(printf %s "$secret" | cut -c 3-17 | tr -d '\n' | base64 -w0)
b2=$(printf %s "$secret" | cut -c 2-16 | tr -d '\n' | base64 -w0)
check_not "no file of either has the password" grep -raE \
    "$secret|$b0|$b1|$b2" "$T/s" "$T/worker-1" "$T/s.log" "$T/worker-1.log" \
    "$T/events.out" "$T/s.conf" "$T/worker-1.conf"
for d in s worker-1; do
	for i in $(pid_of $d) $(children "$(pid_of $d)"); do
		cat "/proc/$i/environ" "/proc/$i/cmdline"
	done
done >"$T/in/lines"
check "command lines" grep -qa "sentinel-agentd: docker" "$T/in/lines"
check_not "nor any environment or command line" grep -aE \
    "$secret|$b0|$b1|$b2" "$T/in/lines"

# What travels is base64 of {"username":"joe","password":"..."}.
printf '{"username":"joe","password":"%s"}' "$secret" | base64 -w0 |
    cut -c 41-68 | tr -d '\n' >"$T/in/needle"
for d in s worker-1; do
	for i in $(pid_of $d) $(children "$(pid_of $d)"); do
		check "nor the memory of a process of $d afterwards" \
		    /usr/bin/python3 regress/lab/memscan.py "$i" "$T/in/needle"
	done
done

check "container show" ctl container show "worker-1/pulled"
said "the image" "^image +$p:5"
said "the policy and where it comes from" "^policy +manual \("
said "its history" "update +success"
check "as JSON" sh -c "$B/sentinelctl -s $CTL_SOCK --json container show \
    worker-1/pulled | jq -e '.container.name == \"pulled\" and
    (.history | length) >= 1 and .policy.origin != \"\"'"
check_rc "of one that is not there" 3 ctl container show worker-1/nobody

# A registry that answers nothing holds two pulls up; the third one waits.
check "a registry that says nothing" in_lab pull-mute /usr/bin/python3 -c "
import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('127.0.0.1', 5002))
s.listen(50)
c = []
s.settimeout(8)
try:
    while True:
        c.append(s.accept())
except OSError:
    pass"
sleep 0.5
for i in 1 2 3; do
	ctl container pull worker-1 "127.0.0.1:5002/demo:$i" \
	    >"$T/pull.$i" 2>&1 &
	eval "w$i=$!"
done
running()
{
	ctl operation list --json | jq -e "$1"
}
check "three are under way, one of them waits" wait_for 6 running \
    '[.[] | select(.running)] | length == 3 and
    ([.[] | select((.text // "") | startswith("waiting"))] | length == 1)'
id=$(ctl operation list --json | jq -r '[.[] | select(.running)][0].id')
check "operation show" ctl operation show "$id"
said "its kind" "^kind +pull"
said "by whom" "^by +uid"
lab_docker rm -fv pull-mute >/dev/null 2>&1
wait "$w1" "$w2" "$w3"
check "afterwards none is, and all have an outcome" running \
    '([.[] | select(.running)] | length == 0) and
    ([.[] | select(.kind == "pull" and .outcome == "failed")] | length >= 6)'
check_rc "an unknown operation" 3 ctl operation show 0123456789abcdef

# No room: what is to stay free is more than any disk has.
daemon_stop worker-1
sed "s|^  docker: .*|&\n  docker_root: $T\n  docker_min_free: 1000000000|" \
    "$T/worker-1.conf" >"$T/full.conf" && mv "$T/full.conf" "$T/worker-1.conf"
agent_start worker-1
must "the agent is back" wait_connected worker-1
was=$(lab_docker inspect -f '{{.Id}}' pulled)
gone_image "$v:2"
check_rc "no room for a pull" 1 ctl container pull worker-1 "$v:2"
said "it says why" "not enough free space.*docker_min_free"
check_not "nothing was pulled" there "$v:2"
check_rc "nor for an update" 1 ctl container update worker-1/pulled \
    --image "$v:2"
check_eq "the container is as it was" "$was true" \
    "$(lab_docker inspect -f '{{.Id}} {{.State.Running}}' pulled)"

exit $SCENARIO_RC
