# Who decides what is done with a container: label, override, host default,
# default; the same on the server, on the agent, and in what a foreign agent
# gets.
# needs: docker
# timeout: 90

a=policy-label; b=policy-plain; d=policy-odd
trap 'lab_docker rm -f $a $b $d >/dev/null 2>&1; scenario_end' EXIT
lab_docker run -d --name $a --label sentinel.policy=Pinned \
    "$LAB_REGISTRY/demo:1" >/dev/null || exit 1
lab_docker run -d --name $b "$LAB_REGISTRY/demo:1" >/dev/null
lab_docker run -d --name $d \
    --label "sentinel.policy=$(printf 'always\033[2J')" \
    "$LAB_REGISTRY/demo:1" >/dev/null
AGENT_DOCKER=unix://$LAB_DIR/docker.sock

must "the server starts" server_start
must "our agent connects" enrolled worker-1
mkdir "$T/a"
conn="--server 127.0.0.1:$PORT --ca $T/s/data/cluster/ca.pem --dir $T/a"
agent="$PEER/agent.py"
must "a foreign one enrols" $agent enroll $conn --token "$(token)" \
    --name foreign
$agent run $conn --seconds 80 --container web >"$T/foreign.log" 2>&1 &
echo $! >"$T/foreign.pid"
must "its session" wait_connected foreign

actl()
{
	"$B/sentinelctl" -s "$T/worker-1/run/sentinel-agentd.sock" "$@"
}

# A jq filter over a container's policy on the server.
policy()
{
	ctl policy show "worker-1/$1" --json | jq -s -e ".[0][0] | $2"
}

# is NAME POLICY ORIGIN: on the server, and within 3 s on the agent.
is()
{
	check "$1: $2 by $3" policy "$1" \
	    ".policy == \"$2\" and .origin == \"$3\""
	check "$1: the agent says so too" wait_for 3 theirs "$1" "$2" "$3"
}

theirs()
{
	actl policy show "worker-1/$1" --json | jq -s -e \
	    ".[0][0] | .policy == \"$2\" and .origin == \"$3\""
}

got()
{
	grep '"event": "policies"' "$T/foreign.log" | tail -1 |
	    jq -s -e ".[0] | $1"
}

must "the containers are known" wait_for 10 policy $d '.policy'
is $a pinned label
is $b manual default
is $d manual default
check "the odd label is told" policy $d '.label_ignored and
    (.label | startswith("always"))'
ctl policy show worker-1 >"$T/table"
check_not "and harmless" has "$T/table" "$(printf '\033')"
check "in the table, too" has "$T/table" "$d .*is no policy, ignored"

check "a default" ctl policy default auto
is $b auto default
is $a pinned label
check "is on its way to the foreign one" wait_for 3 got \
    '.default == "auto" and .policies == {"-": "auto"}'
check "a host's" ctl policy set worker-1 manual
is $b manual "host default"
check "is not of others" wait_for 3 got '.default == "auto"'
check "an override" ctl policy set worker-1/$b pinned
is $b pinned override
check "of one with a label" ctl policy set worker-1/$a auto
is $a pinned label
check "says that it does not count" sh -c "$B/sentinelctl -s $CTL_SOCK \
    policy show | grep -q '$a .*auto is set, but the label counts'"
check "of a foreign one" ctl policy set foreign/web auto
check "gets there" wait_for 3 got '.policies == {"web": "auto"}'
check "another" ctl policy set foreign/web inherit
check "leaves none of it" wait_for 3 got '.policies == {"-": "auto"}'

check_rc "no such container: 3" 3 ctl policy set worker-1/nobody auto
check_rc "no such host: 3" 3 ctl policy set nobody/$b auto
check_rc "no such policy: 2" 2 ctl policy set worker-1/$b always
check_rc "no such default: 2" 2 ctl policy default always
check_rc "of nothing: 3" 3 ctl policy show worker-1/nobody
check_rc "another host on an agent: 3" 3 actl policy show foreign
check_rc "agents are not asked to change: 2" 2 actl policy set \
    worker-1/$b auto

# Restarts of both, the agent first and alone.
must "the server stops" daemon_stop s
must "the agent stops" daemon_stop worker-1
agent_start worker-1
check "it decides as before" wait_for 10 theirs $b pinned override
check "for all" wait_for 3 theirs $d manual "host default"
must "the server starts" server_start
# It has no list yet: what is set is shown all the same.
check "it knows what was set" policy $b '.override == "pinned"'
must "the agent connects" wait_connected worker-1
is $b pinned override

check "inherit" ctl policy set worker-1/$b inherit
is $b manual "host default"
check "the host as well" ctl policy set worker-1 inherit
is $b auto default
check "latest" ctl settings set latest_auto_update true
is $b auto default
check "back to the first default" ctl policy default inherit
is $b manual default

# What a host had goes with it.
check "an override of the foreign one" ctl policy set foreign/web pinned
check "it is removed" ctl host remove foreign --yes
ctl policy show >"$T/table"
check_not "and its policies are" has "$T/table" foreign
check "every change is in the audit trail" sh -c "$B/sentinelctl \
    -s $CTL_SOCK audit list --json | jq -s -e '[.[0][].action] |
    (map(select(. == \"policy.set\")) | length) == 5 and
    (map(select(. == \"policy.inherit\")) | length) == 3'"
