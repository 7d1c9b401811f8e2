# Hooks that an operator runs and sets, on an agent and on the server's own
# Docker, and the rules that are against them.
# needs: docker
# timeout: 120

c=hookrun-$$
l=hookrun-local-$$
v=$LAB_REGISTRY/demo
trap 'lab_docker rm -f $c $l >/dev/null 2>&1; scenario_end' EXIT

# fresh NAME LABEL...: another container of version 1.
fresh()
{
	fr_name=$1
	shift
	lab_docker rm -f "$fr_name" >/dev/null 2>&1
	for fr_label in "$@"; do
		set -- "$@" --label "$fr_label"
		shift
	done
	lab_docker run -d --name "$fr_name" -v "$c-data:/data" "$@" "$v:1" \
	    >/dev/null
}

in_it()
{
	lab_docker exec "$c" /bin/sh -c "$1"
}

image()
{
	lab_docker inspect -f '{{.Config.Image}}' "$1"
}

AGENT_DOCKER=unix://$LAB_DIR/docker.sock
server_conf
sed -i "s,^  docker: none,  docker: unix://$LAB_DIR/docker.sock," "$T/s.conf"
SENTINEL_HOOKS=true
export SENTINEL_HOOKS
must "the server starts" server_start
must "the agent connects" enrolled worker-1
host=$(ctl host list --json | jq -r '.[] | select(.id == "local").name')
check "the agent knows that hooks are on" wait_for 10 sh -c "$B/sentinelctl \
    -s $T/worker-1/run/sentinel-agentd.sock settings get hooks_enabled --json |
    jq -e '.[0].value == \"true\"'"

fresh $c
# --- an operator ---------------------------------------------------------
check "run a command" ctl hook run worker-1/$c pre \
    --command 'echo "$VERSION"; printf "\377"; pwd'
said "its output, repaired" "^1$"
said "and its end" "pre-update hook: exit code 0"
check_rc "one that fails: 1" 1 ctl hook run worker-1/$c post --command 'exit 4'
said "with its exit code" "exit code 4"
check_rc "an array whose program is not there" 1 ctl hook run worker-1/$c pre \
    --command '["/none"]'
said "with the shell's code for that" "exit code 127"
check "much output is cut" ctl hook run worker-1/$c pre --command \
    'i=0; while [ $i -lt 9000 ]; do echo "line $i"; i=$((i+1)); done'
said "and says so" "bytes only the last are kept"
said "the newest are kept" "^line 8999$"
check_rc "its time" 1 ctl hook run worker-1/$c pre --timeout 1s \
    --command 'exec sleep 4712'
check "what runs in it" lab_docker top $c
check_not "it was ended" grep 'sleep 4712' "$T/check.out"
check_rc "nothing to run" 1 ctl hook run worker-1/$c pre
said "it says so" "has no pre-update hook"
check_rc "no such container: 3" 3 ctl hook run worker-1/none pre --command x
check_rc "no such phase: 2" 2 ctl hook run worker-1/$c during --command x

check "set one" ctl hook set worker-1/$c post-update \
    'echo set >>/data/set' --timeout 20s
check "it is listed" sh -c "$B/sentinelctl -s $CTL_SOCK hook list worker-1 \
    --json | jq -e 'any(.[]; .name == \"$c\" and .origin == \"server\" and
    .timeout_seconds == 20)'"
fresh $c
check "an update runs it" ctl container update worker-1/$c --image "$v:2"
check_eq "in the new one" set "$(in_it 'cat /data/set')"
check "it is run by hand, too" ctl hook run worker-1/$c post
check "and taken away" ctl hook remove worker-1/$c post-update
check_rc "once: 3" 3 ctl hook remove worker-1/$c post-update
check "the audit trail has all of it" sh -c "$B/sentinelctl -s $CTL_SOCK \
    audit list --json | jq -e '[.[].action] | index(\"hook.set\") != null and
    index(\"hook.remove\") != null and index(\"hook.run\") != null'"

# --- the server's own Docker ---------------------------------------------
fresh $l 'sentinel.hook.pre=echo local >>/data/local'
check "its container is updated" ctl container update "$host/$l" --image "$v:2"
check_eq "the hook ran" local "$(lab_docker exec $l /bin/cat /data/local)"
check "run a command there" ctl hook run "$host/$l" pre --command 'echo here'
said "its output" "^here$"

# --- rules ---------------------------------------------------------------
daemon_stop worker-1 >/dev/null 2>&1
agent_conf worker-1 "allow: { exec: false }"
agent_start worker-1
must "an agent with a rule" wait_connected worker-1
check_rc "agent.allow.exec is against it: 1" 1 ctl hook run worker-1/$c pre \
    --command 'touch /data/forbidden'
said "with the rule" "not allowed by agent.allow.exec on this host"
fresh $c 'sentinel.hook.pre=touch /data/forbidden'
check_rc "and against an update that wants one" 1 ctl container update \
    worker-1/$c --image "$v:2"
said "with the rule" "not allowed by agent.allow.exec on this host"
check_eq "not touched" "$v:1" "$(image $c)"
check_not "nothing ran" in_it 'test -e /data/forbidden'
