# A provider of a network with its users, and containers that only have to be
# started after it: one transaction on a real engine, forward and back.
# needs: docker
# timeout: 120

p=dpd
v=$LAB_REGISTRY/demo
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
all="$p-vpn $p-u1 $p-u2 $p-app $p-lazy $p-a $p-b"
trap 'for c in $all; do
	lab_docker rm -fv $c $c.sentinel-next $c.sentinel-prev
    done >/dev/null 2>&1; scenario_end' EXIT
must "the server starts" server_start
must "the agent connects" enrolled worker-1

# get CONTAINER FORMAT
get()
{
	lab_docker inspect -f "$2" "$1"
}

# service NAME DEPENDS-ON ARGS...: as compose would make it.
service()
{
	sv=$1
	sv_on=$2
	shift 2
	lab_docker run -d --name "$p-$sv" \
	    --label com.docker.compose.project=$p \
	    --label com.docker.compose.project.working_dir=/srv/$p \
	    --label "com.docker.compose.service=$sv" \
	    --label "com.docker.compose.depends_on=$sv_on" "$@" "$v:1"
}

# everybody TEXT: once, in its state, and the users share with the provider.
everybody()
{
	check_eq "$1: everybody once" "$p-app running
$p-lazy running
$p-u1 running
$p-u2 exited
$p-vpn running" "$(lab_docker ps -a --filter "name=$p-" \
	    --format '{{.Names}} {{.State}}' | sed 's/created/exited/' | sort)"
	ev_id=$(get $p-vpn '{{.Id}}')
	for ev in u1 u2; do
		check_eq "$1: $ev is in its network" "container:$ev_id $v:1" \
		    "$(get $p-$ev '{{.HostConfig.NetworkMode}} {{.Config.Image}}')"
	done
	check_eq "$1: and really" "net:$(netns vpn | tr -cd 0-9)" \
	    "$(netns u1 | tr -d '[]')"
	check_eq "$1: the restart policies" "always unless-stopped" \
	    "$(get $p-vpn '{{.HostConfig.RestartPolicy.Name}}') \
$(get $p-u1 '{{.HostConfig.RestartPolicy.Name}}')"
}

netns()
{
	lab_docker exec "$p-$1" /bin/busybox readlink /proc/self/ns/net
}

must "the provider" service vpn "" --restart always >/dev/null
must "a user" service u1 vpn:service_started:false --restart unless-stopped \
    --network container:$p-vpn >/dev/null
must "another" service u2 "" --network container:$p-vpn >/dev/null
must "is stopped" lab_docker stop -t 1 $p-u2 >/dev/null
must "one that depends on it" service app vpn:service_started:true >/dev/null
must "one that does not mind" service lazy vpn:service_started:false >/dev/null
everybody "before"
lazy=$(get $p-lazy '{{.State.StartedAt}}')
app=$(get $p-app '{{.Id}} {{.State.StartedAt}}')
u1=$(get $p-u1 '{{.Id}}')

check "to version 2" ctl container update worker-1/$p-vpn --image "$v:2"
everybody "version 2"
check_eq "it has the image" "$v:2" "$(get $p-vpn '{{.Config.Image}}')"
check_not "the user was made anew" test "$u1" = "$(get $p-u1 '{{.Id}}')"
check_eq "the one that depends on it was not" "${app%% *}" \
    "$(get $p-app '{{.Id}}')"
check_not "but started again" test "$app" = \
    "$(get $p-app '{{.Id}} {{.State.StartedAt}}')"
check_eq "the one that does not mind was not" "$lazy" \
    "$(get $p-lazy '{{.State.StartedAt}}')"
check "the stopped user can be started" lab_docker start $p-u2
check "and stopped again" lab_docker stop -t 1 $p-u2

# Back: the new provider dies at once.
ids=$(for c in vpn u1 u2 app; do get $p-$c '{{.Id}}'; done)
check_rc "an image that dies at once: 7" 7 ctl container update \
    worker-1/$p-vpn --image "$v:4"
everybody "rolled back"
check_eq "nobody is another" "$ids" \
    "$(for c in vpn u1 u2 app; do get $p-$c '{{.Id}}'; done)"

# A circle is refused before anything is touched.
lab_docker run -d --name $p-a --label sentinel.depends-on=$p-b,$p-vpn \
    "$v:1" >/dev/null
lab_docker run -d --name $p-b --label sentinel.depends-on=$p-a "$v:1" >/dev/null
started=$(get $p-vpn '{{.State.StartedAt}}')
check_rc "a circle" 1 ctl container update worker-1/$p-vpn --image "$v:1"
said "with the names" "in a circle.*$p-a.*$p-b"
check_eq "nothing was touched" "$started" "$(get $p-vpn '{{.State.StartedAt}}')"
lab_docker rm -f $p-a $p-b >/dev/null

# A user that is updated alone stays where it is.
check "a user alone" ctl container update worker-1/$p-u1 --image "$v:2"
check_eq "is in the network still" "net:$(netns vpn | tr -cd 0-9)" \
    "$(netns u1 | tr -d '[]')"
