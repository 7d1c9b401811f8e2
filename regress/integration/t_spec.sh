# Ways in which "the same container again" becomes another one, on a real
# engine: the rest of them is in regress/docker/cases.
# needs: docker
# timeout: 60

c=spec
lab_image $c:1 1 --change 'ENTRYPOINT ["/bin/false"]' \
    --change 'HEALTHCHECK --interval=1s --retries=2 CMD ["/bin/true", "1"]' &&
    lab_image $c:2 2 --change 'ENTRYPOINT ["/bin/false"]' \
    --change 'HEALTHCHECK --interval=1s --retries=3 CMD ["/bin/true", "2"]' ||
    exit 1
v=$LAB_REGISTRY/$c
all="$c-entry $c-moved $c-uts $c-host $c-compose $c-volume"
trap 'lab_docker rm -fv $all >/dev/null 2>&1
    lab_docker network rm $c-net >/dev/null 2>&1; scenario_end' EXIT
lab_docker network create $c-net >/dev/null || exit 1

# run NAME OPTIONS: version 1, its entry point taken away
run()
{
	r_name=$c-$1
	shift
	lab_docker run -d --name "$r_name" --entrypoint "" "$@" "$v:1" \
	    /bin/run >/dev/null || exit 1
}

run entry --health-interval 2s
run moved
lab_docker network connect $c-net $c-moved || exit 1
lab_docker network disconnect bridge $c-moved || exit 1
run uts --uts host
run host --network host
run compose --label "com.docker.compose.image=$(lab_docker image inspect \
    -f '{{.Id}}' "$v:1")" --label com.docker.compose.config-hash=abc
run volume -v /anon
lab_docker exec $c-volume /bin/sh -c 'echo precious >/anon/file' || exit 1
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "the server starts" server_start
must "the agent connects" enrolled worker-1

get()
{
	lab_docker inspect -f "$2" $c-"$1"
}

host=$(get host '{{.Config.Hostname}}')
pids=
for name in $all; do
	ctl container update "worker-1/$name" --image "$v:2" \
	    >"$T/$name.out" 2>&1 &
	pids="$pids $!"
done
set -- $pids
for name in $all; do
	check "$name is updated" wait "$1" ||
	    sed 's/^/# /' "$T/$name.out"
	shift
	check_eq "$name runs version 2" "$v:2 true" \
	    "$(get "${name#"$c"-}" '{{.Config.Image}} {{.State.Running}}')"
done

check_eq "an entry point that was taken away stays away" "[] [/bin/run]" \
    "$(get entry '{{.Config.Entrypoint}} {{.Config.Cmd}}')"
check_eq "of the health check the interval stays, the rest is the image's" \
    "[CMD /bin/true 2] 2s 3" "$(get entry '{{with .Config.Healthcheck}}{{
    .Test}} {{.Interval}} {{.Retries}}{{end}}')"
check_eq "a network that it was taken off does not come back" "$c-net" \
    "$(get moved '{{range $n, $e := .NetworkSettings.Networks}}{{$n}}{{end}}')"
check_eq "the name of one with the host's network" "$host" \
    "$(get host '{{.Config.Hostname}}')"
check "which was the host's" test -n "$host"
check_eq "the host's UTS namespace" host "$(get uts '{{.HostConfig.UTSMode}}')"
check_eq "compose finds its image" "$(get compose '{{.Image}}') abc" \
    "$(get compose '{{index .Config.Labels "com.docker.compose.image"}} {{
    index .Config.Labels "com.docker.compose.config-hash"}}')"
check_eq "an anonymous volume keeps its content" precious \
    "$(lab_docker exec $c-volume cat /anon/file)"
check_eq "Docker's own list of masked paths is Docker's" \
    "$(lab_docker run -d --name $c-new --entrypoint "" "$v:2" /bin/run \
    >/dev/null; get new '{{.HostConfig.MaskedPaths}}')" \
    "$(get entry '{{.HostConfig.MaskedPaths}}')"
lab_docker rm -f $c-new >/dev/null
