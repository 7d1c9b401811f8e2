# agent.allow: what the administrator of a host does not let its server do is
# refused by the agent, whoever signs it, with the name of the rule.
# needs: docker

ok=allow-ok-$$
old=allow-old-$$
trap 'lab_docker rm -f $ok $old >/dev/null 2>&1; scenario_end' EXIT
lab_docker run -d --name $ok "$LAB_REGISTRY/demo:1" >/dev/null || exit 1
# The same image by a name that is not among the patterns.
lab_docker tag "$LAB_REGISTRY/demo:1" elsewhere.example/demo:1
lab_docker run -d --name $old elsewhere.example/demo:1 >/dev/null || exit 1
AGENT_DOCKER=unix://$LAB_DIR/docker.sock

image_of()
{
	lab_docker inspect -f '{{.Config.Image}} {{.State.StartedAt}}' "$1"
}

# allow LINES: the agent with these rules and no others.
allow()
{
	daemon_stop worker-1 >/dev/null 2>&1
	agent_conf worker-1 "allow: $1"
	agent_start worker-1
	wait_connected worker-1
}

# refused WHAT RULE COMMAND...
refused()
{
	rf_what=$1
	rf_rule=$2
	shift 2
	check_rc "$rf_what is refused: 1" 1 ctl "$@"
	said "with the rule" "not allowed by agent.allow.$rf_rule on this host"
}

agent_conf worker-1 "allow: { images: [ \"$LAB_REGISTRY/demo\" ] }"
must "the server starts" server_start
must "the agent connects" enrolled worker-1
before=$(image_of $ok)
refused "another image" images container update worker-1/$ok \
    --image elsewhere.example/demo:1
check "the log names it" has "$T/worker-1.log" \
    "refused: not allowed by agent.allow.images on this host"
before_old=$(image_of $old)
refused "a container's own reference" images container update worker-1/$old
check "the server has it in the history" wait_for 10 sh -c "$B/sentinelctl -s \
    $CTL_SOCK history list --json | jq -e 'any(.[]; .action == \"refused\" and
    .container == \"$ok\" and (.error | test(\"agent.allow.images\")))'"
check_eq "nothing was touched" "$before $before_old" \
    "$(image_of $ok) $(image_of $old)"
check "an image of the pattern" ctl container update worker-1/$ok \
    --image "$LAB_REGISTRY/demo:2"
check "and its own reference then" ctl container update worker-1/$ok
check "restart is no matter of images" ctl container restart worker-1/$old
# In a signed session, and of one of our own agents.
check "container show asks it" ctl container show worker-1/$ok
said "what only Docker there knows" "^restart +no"
said "and the images it could go back to" "^rollback to +1: sha256:"
check_eq "as JSON" "$ok running" "$(ctl container show worker-1/$ok --json |
    jq -r '.container.name + " " + .docker.state')"
check "sentinelctl on the agent shows the rule" sh -c "$B/sentinelctl -s \
    $T/worker-1/run/sentinel-agentd.sock status --json |
    jq -e '.allow.images == [\"$LAB_REGISTRY/demo\"] and .allow.exec'"

before=$(image_of $ok)
must "an agent that may only look" allow "{ read_only: true }"
refused "stop" read_only container stop worker-1/$ok
refused "restart" read_only container restart worker-1/$ok
refused "update" read_only container update worker-1/$ok
check "logs" ctl container logs worker-1/$ok
check "the list" sh -c "$B/sentinelctl -s $CTL_SOCK container list --json |
    jq -e 'any(.[]; .name == \"$ok\" and .state == \"running\")'"

must "an agent with two actions" allow "{ actions: [ restart, list ] }"
refused "stop" actions container stop worker-1/$ok
said "and which action" "on this host: stop"
refused "logs" actions container logs worker-1/$ok
check_eq "nothing was touched in all this" "$before" "$(image_of $ok)"
# The docker process still looks at what its journal holds of the updates.
check "restart" wait_for 10 ctl container restart worker-1/$ok
check "status for people" sh -c "$B/sentinelctl -s \
    $T/worker-1/run/sentinel-agentd.sock status |
    grep -E '^allowed +restart list\$'"

must "an agent with one action" allow "{ actions: [ restart ] }"
check "container show of what may not be looked at" ctl container show \
    worker-1/$ok
said "says why there is no more" "not allowed by agent.allow.actions"
check_not "and tells nothing of Docker's" grep "^restart" "$T/check.out"
