# podman's service: its events as a live view, logs, hooks, and containers that
# share a network.
# needs: root
# timeout: 120

. regress/lab/podman.sh
follower=
trap 'kill $follower 2>/dev/null; scenario_end' EXIT
must "an engine of its own" lab_start "$T/lab" podman
must "its images" lab_podman_images
v=$LAB_REGISTRY/demo
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
SENTINEL_HOOKS=true
export SENTINEL_HOOKS
must "the server starts" server_start
agent_conf pod-1
sed -i 's/heartbeat_interval: 1s/&\n    list_interval: 1h/' "$T/pod-1.conf"
must "the agent connects" enrolled pod-1
"$B/sentinelctl" -s "$CTL_SOCK" events -f >"$T/events" 2>&1 &
follower=$!
must "the events are heard" wait_log pod-1 "docker: events are heard"
sleep 1

# told REGEX: the events have such a line, in less than 2 seconds.
told()
{
	wait_for 2 grep -Eq -- "$1" "$T/events"
}

listed()
{
	ctl container list --json | jq -e --arg c "$1" \
	    ".[] | select(.name == \$c) | $2"
}

lab_docker run -d --name a "$v:1" >/dev/null
check "a container that starts shows" told "a( is new)?: .*running"
lab_docker kill a >/dev/null
check "one that dies" told "a: exited"
check "is listed so" listed a '.state == "exited"'
lab_docker start a >/dev/null
check "one that starts again" told "a: running"
lab_docker pause a >/dev/null
check "one that is paused" told "a: paused"
lab_docker unpause a >/dev/null
lab_docker rename a b
check "one that is renamed" wait_for 2 listed b '.state == "running"'
lab_docker run -d --name sick "$v:3" >/dev/null
check "one whose check fails" wait_for 15 grep -q "sick: running (unhealthy)" \
    "$T/events"
check "is listed so" listed sick '.health == "unhealthy"'
n=$(grep -c "sick: " "$T/events")
sleep 3
check_eq "a check with the same end is no news" "$n" \
    "$(grep -c "sick: " "$T/events")"
lab_docker rm -f sick >/dev/null
check "one that is removed" told "sick.*(gone|removed)"

# --- logs ----------------------------------------------------------------
lab_docker run -d --name talk "$v:1" /bin/sh -c 'n=0; trap "exit 0" TERM
    while :; do n=$((n+1)); echo "out $n"; echo "err $n" >&2; sleep 0.2; done' \
    >/dev/null
"$B/sentinelctl" -s "$CTL_SOCK" container logs -f pod-1/talk >"$T/talk.out" \
    2>&1 </dev/null &
logs=$!
check "followed logs" wait_for 10 grep -q "^out 12" "$T/talk.out"
check "of both streams" grep -q "^err 9" "$T/talk.out"
kill $logs
check_eq "the last two lines" 2 "$(ctl container logs --lines 2 pod-1/talk |
    wc -l)"

# --- hooks ---------------------------------------------------------------
lab_docker run -d --name hooked -v hdata:/data \
    --label 'sentinel.hook.pre=echo "pre $VERSION" >>/data/log' \
    --label 'sentinel.hook.post-update=["/bin/sh","-c","echo post $VERSION >>/data/log"]' \
    "$v:1" >/dev/null
check "an update with hooks" wait_for 5 ctl container update pod-1/hooked \
    --image "$v:2"
check_eq "the first ran in the old one, the second in the new one" \
    "pre 1,post 2," "$(lab_docker exec hooked cat /data/log | tr '\n' ',')"
check "run a command" ctl hook run pod-1/hooked pre --command 'echo "$VERSION"'
said "its output" "^2"
check_rc "one that fails" 1 ctl hook run pod-1/hooked pre --command 'exit 3'

# --- a network that others share -----------------------------------------
lab_docker run -d --name vpn "$v:1" >/dev/null
lab_docker run -d --name user --network container:vpn "$v:1" >/dev/null
check "a provider is updated with its user" ctl container update pod-1/vpn \
    --image "$v:2"
check_eq "both run" "user running
vpn running" "$(lab_docker ps -a --filter name=^vpn --filter name=^user \
    --format '{{.Names}} {{.State}}' | sort)"
check_eq "and share" "container:$(lab_docker inspect -f '{{.Id}}' vpn)" \
    "$(lab_docker inspect -f '{{.HostConfig.NetworkMode}}' user)"
