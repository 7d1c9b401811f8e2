# Hooks on a real engine: those of labels in an update by an agent, and
# the gate command.
# needs: docker
# timeout: 120

c=hooks-$$
v=$LAB_REGISTRY/demo
trap 'lab_docker rm -f $c >/dev/null 2>&1; scenario_end' EXIT

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
SENTINEL_HOOKS=true
export SENTINEL_HOOKS
must "the server starts" server_start
# The gate of containers without a check is no part of this.
agent_conf worker-1
sed -i 's/gate_running: .*/gate_running: 300ms/' "$T/worker-1.conf"
must "the agent connects" enrolled worker-1
check "the agent knows that hooks are on" wait_for 10 sh -c "$B/sentinelctl \
    -s $T/worker-1/run/sentinel-agentd.sock settings get hooks_enabled --json |
    jq -e '.[0].value == \"true\"'"

# --- labels --------------------------------------------------------------
fresh $c 'sentinel.hook.pre=echo "pre $VERSION" >>/data/log' \
    'sentinel.hook.post-update=["/bin/sh","-c","echo post $VERSION >>/data/log"]'
check "an update with both hooks" ctl container update worker-1/$c \
    --image "$v:2"
check_eq "the first ran in the old one, the second in the new one" \
    "pre 1,post 2," "$(in_it 'cat /data/log' | tr '\n' ',')"
check "the history has them" wait_for 10 sh -c "$B/sentinelctl -s $CTL_SOCK \
    history list --json | jq -e '[.[] | select(.container == \"$c\") |
    .action] | index(\"hook pre-update\") != null and
    index(\"hook post-update\") != null and index(\"update\") != null'"
check "and the events" sh -c "$B/sentinelctl -s $CTL_SOCK events |
    grep -q 'pre-update hook of $c: success'"
check "hook list shows them" sh -c "$B/sentinelctl -s $CTL_SOCK hook list \
    worker-1/$c --json | jq -e 'length == 2 and all(.[]; .origin == \"label\")'"
in_it 'rm /data/log'
check "without them" ctl container update worker-1/$c --image "$v:1" \
    --skip-hooks
check_not "none ran" in_it 'test -e /data/log'

fresh $c 'sentinel.hook.pre=echo not today; exit 75'
check_rc "exit code 75 skips: 75" 75 ctl container update worker-1/$c \
    --image "$v:2"
said "it says why" "exit code 75: not today"
check_eq "not touched" "$v:1" "$(image $c)"
fresh $c 'sentinel.hook.pre=echo no backup >&2; exit 3'
check_rc "another one refuses: 1" 1 ctl container update worker-1/$c \
    --image "$v:2"
said "it says why" "exit code 3: no backup"
check_eq "not touched" "$v:1" "$(image $c)"

# The command's own children get its name, so that they can be looked for.
fresh $c 'sentinel.hook.pre=trap "" TERM; sleep 4711 & sleep 4711; sleep 4711' \
    'sentinel.hook.timeout=1s'
check_rc "a hook that does not end" 1 ctl container update worker-1/$c \
    --image "$v:2"
said "it says so" "did not end within 1 s and was ended"
check "what runs in it" lab_docker top $c
check_not "it really has been ended, with its children" grep 'sleep 4711' \
    "$T/check.out"
check_eq "not touched" "$v:1" "$(image $c)"

fresh $c 'sentinel.hook.post=exit 9'
check "a post hook that fails" ctl container update worker-1/$c --image "$v:2"
said "is told" "but: post-update hook: exit code 9"
check_eq "the update is good" "$v:2" "$(image $c)"
fresh $c 'sentinel.hook.post=exit 9' 'sentinel.hook.post.rollback=true'
check_rc "one whose failure goes back: 7" 7 ctl container update worker-1/$c \
    --image "$v:2"
check_eq "the old one is back" "$v:1" "$(image $c)"

fresh $c 'sentinel.gate.exec=test -e /data/ready || { touch /data/ready; false; }'
check "a gate command is tried again" ctl container update worker-1/$c \
    --image "$v:2" --force
fresh $c 'sentinel.gate.exec=echo no database; false' 'sentinel.gate.timeout=1s'
check_rc "one that never succeeds: 7" 7 ctl container update worker-1/$c \
    --image "$v:2" --force
said "it says why" "did not pass its gate.*no database"
check_eq "the old one is back" "$v:1" "$(image $c)"
