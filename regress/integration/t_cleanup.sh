# What is left of earlier images after some updates: as many as the label says,
# those that a stopped container needs, and what Docker refuses to drop, which
# is a warning beside the success wherever that is shown.
# needs: docker
# timeout: 120

c=cln
v=$LAB_REGISTRY/$c
trap 'lab_docker rm -fv $c $c-other $c-base >/dev/null 2>&1; scenario_end' EXIT
for i in 1 2 3 4 5; do
	lab_image $c:$i $i || exit 1
	eval "id$i=$(lab_docker image inspect -f '{{.Id}}' "$v:$i")"
done

there()
{
	lab_docker image inspect "$1" >/dev/null 2>&1
}

# kept: the versions of the images with a private name of the container.
kept()
{
	for k_id in $(lab_docker images --no-trunc \
	    --format '{{.Repository}}:{{.Tag}} {{.ID}}' |
	    sed -n "s/^sentinel-keep.*:$c\.[^ ]* //p"); do
		lab_docker image inspect -f '{{range .Config.Env}}{{println .}}{{end}}' \
		    "$k_id" | sed -n 's/^VERSION=//p'
	done | sort | tr '\n' ' '
}

# An image made from version 1: Docker will not part from that.
lab_docker create --name $c-base "$v:1" >/dev/null &&
    lab_docker commit $c-base $c-child:1 >/dev/null &&
    lab_docker rm $c-base >/dev/null || exit 1
lab_docker create --name $c-other "$v:2" >/dev/null || exit 1
lab_docker run -d --name $c --label sentinel.rollback.keep=2 "$v:1" \
    >/dev/null || exit 1
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "the server starts" server_start
must "the agent connects" enrolled worker-1
for i in 2 3; do
	check "to version $i" ctl container update worker-1/$c --image "$v:$i"
	check_empty "nothing to warn of" sh -c "grep 'clean-up' \
	    '$T/check.out' || :"
	sleep 1
done
check_eq "two are kept" "1 2 " "$(kept)"
check "to version 4: a success" ctl container update worker-1/$c \
    --image "$v:4"
said "with a warning" "clean-up of images: .* stays: .*child"
check "version 1 is there" there "$id1"
id=$(sed -n "s/.*update \([0-9a-f]*\): container $c: done, but.*/\1/p" \
    "$T/worker-1.log")
check "operation show" ctl operation show "$id"
said "says it too" "clean-up of images: .* stays"
check "and that it is a success" grep -q success "$T/check.out"
check_eq "the history says it once, beside the success" "success $v:4" \
    "$(ctl history list --json | jq -r '.[] |
    select(.error // "" | test("clean-up of images")) |
    .outcome + " " + .new_image')"
check "container show" sh -c "$B/sentinelctl -s $CTL_SOCK container show \
    worker-1/$c | grep -E '^last update success.*clean-up of images'"
sleep 1
check "to version 5" ctl container update worker-1/$c --image "$v:5"
check_eq "it runs" "$id5 running" \
    "$(lab_docker inspect -f '{{.Image}} {{.State.Status}}' $c)"
check_eq "exactly two are kept" "3 4 " "$(kept)"
check "the stopped container's image stays" there "$id2"
check "and it can be started" lab_docker start $c-other
exit $SCENARIO_RC
