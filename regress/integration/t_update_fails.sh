# Images that cannot become a container, or not at once, on a real engine: one
# that Docker makes none from, one whose program is not there, one that needs
# its start period.  The old container is never lost.
# needs: docker
# timeout: 120

c=upf
v=$LAB_REGISTRY/demo
old=
trap 'lab_docker rm -fv $c >/dev/null 2>&1; scenario_end' EXIT

# same TEXT: the old container, alone, and it runs.
same()
{
	check_eq "$1: the old one runs, and no other is left" \
	    "$old $c running" "$(lab_docker ps -a --no-trunc --filter \
	    "name=$c" --format '{{.ID}} {{.Names}} {{.State}}')"
}

# bare TAG CHANGE...: an image with nothing in it but these lines.
bare()
{
	b_tag=$1
	shift
	tar -C "$T" -c --files-from /dev/null |
	    lab_docker import "$@" - "$v:$b_tag" >/dev/null &&
	    lab_docker push -q "$v:$b_tag" >/dev/null
}

bare nocmd --change 'ENV VERSION=nocmd' || exit 1
bare noprog --change 'CMD ["/not/there"]' || exit 1
# Its check fails for four seconds, more often than its retries allow.
lab_image demo:slow slow --change \
    'CMD ["/bin/sh", "-c", "sleep 4; echo 1 >/tmp/ready; exec /bin/run"]' \
    --change 'HEALTHCHECK --start-period=30s --interval=1s --timeout=2s --retries=1 CMD ["/bin/test", "-e", "/tmp/ready"]' \
    || exit 1
lab_docker run -d --name $c --restart unless-stopped "$v:1" >/dev/null ||
    exit 1
old=$(lab_docker inspect -f '{{.Id}}' $c)
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "the server starts" server_start
must "the agent connects" enrolled worker-1

check_rc "an image without a command: 1" 1 ctl container update worker-1/$c \
    --image "$v:nocmd"
said "in Docker's words" "[Nn]o command"
same "failed create"
check "it was not even stopped" test "$(lab_docker inspect -f \
    '{{.RestartCount}} {{.State.ExitCode}}' $c)" = "0 0"

check_rc "a program that is not there: 7" 7 ctl container update worker-1/$c \
    --image "$v:noprog"
said "in Docker's words" "no such file|not found"
same "failed start"
check "its image is in quarantine" sh -c "[ \"\$($B/sentinelctl -s $CTL_SOCK \
    quarantine list worker-1/$c --json | jq length)\" = 1 ]"
check_eq "both are in the history" "failed rollback" "$(ctl history list \
    --json | jq -r '[.[] | select(.action == "update").outcome] |
    join(" ")')"

begin=$(date +%s)
check "one that is healthy late, in its start period" ctl container update \
    worker-1/$c --image "$v:slow"
check "that was waited for" test $(($(date +%s) - begin)) -ge 4
check_eq "it runs, healthy" "$v:slow running healthy" "$(lab_docker inspect -f \
    '{{.Config.Image}} {{.State.Status}} {{.State.Health.Status}}' $c)"
check "a success ends the quarantine" sh -c "[ \"\$($B/sentinelctl \
    -s $CTL_SOCK quarantine list --json)\" = '[]' ]"
