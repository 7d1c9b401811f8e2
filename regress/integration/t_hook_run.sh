# Hooks that an operator runs and sets, on an agent and on the server's own
# Docker, and the rules that are against them.
# needs: docker
# timeout: 120

c=hookrun-$$
l=hookrun-local-$$
v=$LAB_REGISTRY/demo
trap 'lab_docker rm -f $c $l $c-bare >/dev/null 2>&1; scenario_end' EXIT

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
# The gate of containers without a check is no part of this.
agent_conf worker-1
sed -i 's/gate_running: .*/gate_running: 300ms/' "$T/worker-1.conf"
must "the agent connects" enrolled worker-1
host=$(ctl host list --json | jq -r '.[] | select(.id == "local").name')
check "the agent knows that hooks are on" wait_for 10 sh -c "$B/sentinelctl \
    -s $T/worker-1/run/sentinel-agentd.sock settings get hooks_enabled --json |
    jq -e '.[0].value == \"true\"'"

fresh $c
# --- an operator ---------------------------------------------------------
check "run a command" ctl hook run worker-1/$c pre \
    --command 'echo "$VERSION"; printf "\377"; pwd'
said "its output" "^1$"
said "repaired where it is no UTF-8" "$(printf '\357\277\275')/$"
said "and its end" "pre-update hook: exit code 0"
ctl hook run worker-1/$c pre --command \
    'printf "\033]0;owned\007\033[31mred\r\n\0nul\302"' >"$T/esc" 2>&1
check "what it prints for a terminal comes" has "$T/esc" "red"
check_not "but none of it reaches one" grep -q "$(printf '\033')" "$T/esc"
check "as JSON" sh -c "$B/sentinelctl -s $CTL_SOCK --json hook run \
    worker-1/$c pre --command 'printf \"\\303\\050\\377\"' |
    jq -e '.exit_code == 0 and .output == \"\ufffd(\ufffd\"'"
check "a line with quotes of all kinds" ctl hook run worker-1/$c pre \
    --command "echo \"it's\" \$(printf ok) \`echo 1\`"
said "is the shell's, in the container" "^it's ok 1$"
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

# --- an image without a shell --------------------------------------------
mkdir -p "$T/bare"
cp /bin/busybox "$T/bare/sleep"
tar -C "$T/bare" -c . | lab_docker import --change 'CMD ["/sleep","900"]' - \
    "bare-$$:1" >/dev/null
must "a container without one" lab_docker run -d --name $c-bare "bare-$$:1"
check "runs an array" ctl hook run worker-1/$c-bare pre \
    --command '["/sleep","0"]'
check_rc "but no line" 1 ctl hook run worker-1/$c-bare pre --command 'sleep 0'
said "and says why" "/bin/sh"
check_rc "nor can an array be ended when its time is over" 1 ctl hook run \
    worker-1/$c-bare pre --timeout 1s --command '["/sleep","4"]'
said "which it says" "may still run"

# --- the server's own ----------------------------------------------------
check "set one" ctl hook set worker-1/$c post-update \
    'echo set >>/data/set' --timeout 20s
check "it is listed" sh -c "$B/sentinelctl -s $CTL_SOCK hook list worker-1 \
    --json | jq -e 'any(.[]; .name == \"$c\" and .origin == \"server\" and
    .timeout_seconds == 20)'"
fresh $c
check "an update runs it" ctl container update worker-1/$c --image "$v:2"
check_eq "in the new one" set "$(in_it 'cat /data/set')"
check "it is run by hand, too" ctl hook run worker-1/$c post
fresh $c 'sentinel.hook.post-update=echo label >>/data/which'
check "a label goes before it" wait_for 5 sh -c "$B/sentinelctl -s $CTL_SOCK \
    hook list worker-1/$c --json | jq -e 'any(.[]; .origin == \"server\" and
    .unused) and any(.[]; .origin == \"label\" and (.unused | not))'"
in_it 'rm /data/set'
check "an update with both" ctl container update worker-1/$c --image "$v:2"
check_eq "runs that of the label, once" label "$(in_it 'cat /data/which')"
check_not "and not the other" in_it 'test -e /data/set'
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
