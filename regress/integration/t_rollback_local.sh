# The server's own engine: pulls, rollbacks by id, what is kept for them and
# what is in quarantine; shown by container show and plan, listed and lifted.
# needs: docker
# timeout: 120

c=rbl
v=$LAB_REGISTRY/demo
r=$v:locally
lab_docker rmi "$v:2" "$v:4" "$v:5" >/dev/null 2>&1
lab_docker pull -q "$v:1" >/dev/null || exit 1

# moves N: the tag in the registry is version N from now on.
moves()
{
	lab_docker pull -q "$v:$1" >/dev/null &&
	    lab_docker tag "$v:$1" "$r" && lab_docker push -q "$r" >/dev/null
}

image()
{
	lab_docker inspect -f '{{.Image}} {{.State.Status}}' $c
}

id()
{
	lab_docker image inspect -f '{{.Id}}' "$v:$1"
}

# json FILTER COMMAND...: is it so?  (Nothing at all is not.)
json()
{
	js_filter=$1; shift
	[ "$(ctl "$@" --json | jq "$js_filter")" = true ]
}

moves 1 || exit 1
lab_docker run -d --name $c --restart on-failure:5 "$r" >/dev/null || exit 1
trap 'lab_docker rm -fv $c >/dev/null 2>&1; scenario_end' EXIT
server_conf
sed -i "s,^  docker: none,  docker: unix://$LAB_DIR/docker.sock," "$T/s.conf"
must "the server starts" server_start
check "its own containers are listed" wait_for 10 json \
    "any(.[]; .name == \"$c\")" container list
host=$(ctl host list --json | jq -r '.[] | select(.id == "local").name')
one=$(id 1)

check_rc "nothing to go back to: 1" 1 ctl container rollback "$host/$c"
said "says so" "no earlier image"
check_rc "a pull of a tag that is not there: 1" 1 ctl container pull "$host" \
    "$v:none"
lab_docker rmi "$v:2" >/dev/null 2>&1
check "a pull" ctl container pull "$host" "$v:2"
check "the image is there" lab_docker image inspect "$v:2"
moves 2; two=$(id 2)
check "to version 2" ctl container update "$host/$c"
check_eq "it runs" "$two running" "$(image)"
check "show has ids, start, restart policy and what there was" json \
    ".docker | .image_id == \"$two\" and .restart_policy == \"on-failure\" and
    .restart_max == 5 and (.started_at | startswith(\"20\")) and
    (.earlier | length) == 1 and .earlier[0].image_id == \"$one\" and
    .earlier[0].image == \"$r\" and .earlier[0].to == 1" \
    container show "$host/$c"
ctl container show "$host/$c" >"$T/show"
check "for people, too" has "$T/show" "^rollback to 1: sha256:"
check "the last update" has "$T/show" "^last update success"

check "back" ctl container rollback "$host/$c"
check_eq "the image before" "$one running" "$(image)"
check_rc "not forth again: 1" 1 ctl container rollback "$host/$c"
said "says why" "it would go to $(printf %.19s "$two") .* in quarantine"
check_eq "nothing was touched" "$one running" "$(image)"
check "what was left is in quarantine" json \
    "length == 1 and .[0].container == \"$c\" and
    .[0].reason == \"rolled back on request\"" quarantine list "$host/$c"
check_rc "a plan of it: 8" 8 ctl container plan "$host/$c" --image "$v:2"
ctl container plan "$host/$c" --image "$v:2" >"$T/plan"
check "says since when and why" has "$T/plan" \
    "^quarantine  sha256:.* since .*: rolled back on request"
check "and what to do" has "$T/plan" "would be refused.*--force"
check "in JSON" json '.quarantine[0].refused' container plan "$host/$c" \
    --image "$v:2"
check "container list has it" json \
    "any(.[]; .name == \"$c\" and (.quarantine | length) == 1)" \
    container list
check "show marks the image" json '.quarantine | length == 1' \
    container show "$host/$c"
check_rc "an update is refused: 1" 1 ctl container update "$host/$c"
said "says so" "quarantine"
check_rc "not of another container: 3" 3 ctl quarantine lift "$host/other"
check "lifted" ctl quarantine lift "$host/$c"
check "the list is empty" json 'length == 0' quarantine list
check "in the audit trail" sh -c \
    "$B/sentinelctl -s $CTL_SOCK audit list | grep -q quarantine.lift"
check "then it is taken" ctl container update "$host/$c"
check_eq "version 2" "$two running" "$(image)"

# By itself; and what holds survives the server.
moves 4
check_rc "a version that dies: 7" 7 ctl container update "$host/$c"
check_eq "version 2 is back" "$two running" "$(image)"
kill -9 "$(pid_of s)"
wait "$(pid_of s)" 2>/dev/null
sleep 1
must "the server starts again" server_start
check "it is still in quarantine" json \
    "length == 1 and .[0].image == \"$r\" and .[0].reason != \"\"" \
    quarantine list "$host"
digest=$(ctl quarantine list --json | jq -r '.[0].digest')
check "lifted by its digest" ctl quarantine lift "$host/$c" "$digest"
check_rc "once: 3" 3 ctl quarantine lift "$host/$c" "$digest"
