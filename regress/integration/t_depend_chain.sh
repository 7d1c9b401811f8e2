# A chain of containers that share more than a network: processes, IPC and
# volumes, each with the one before; one transaction in the order of who needs
# whom, forward and back on a real engine.
# needs: root
# timeout: 60

c=chn
v=$LAB_REGISTRY/$c
chain='net ipc pid vol end'
trap 'scenario_end; kill -9 $events 2>/dev/null; lab_stop "$T/lab"' EXIT
events=
must "an engine of its own" lab_start "$T/lab"
LAB_DIR=$T/lab
must "its images" lab_image $c:1 1
must "a better one" lab_image $c:2 2
must "a bad one" lab_image $c:bad bad
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
start='[ "$(cat /etc/version)" != bad ] || exit 1; exec /bin/run'

get()
{
	lab_docker inspect -f "$2" $c-"$1"
}

# link NAME OPTIONS
link()
{
	li_name=$1
	shift
	must "$li_name" lab_docker run -d --name $c-"$li_name" \
	    --restart unless-stopped "$@" "$v:1" /bin/sh -c "$start"
}

# In an order that is not that of the names, and the last of the chain has
# three providers.
link net --ipc shareable
link ipc --ipc container:$c-net -v /kept
link pid --pid container:$c-ipc
link vol --network container:$c-net --volumes-from "$(get ipc '{{.Id}}')"
link end --pid container:$c-vol --ipc container:$c-net \
    --volumes-from "$(get vol '{{.Id}}'):ro"
must "the volume has something" lab_docker exec $c-ipc \
    sh -c 'echo precious >/kept/file'

ns()
{
	lab_docker exec $c-"$1" /bin/busybox readlink "/proc/self/ns/$2"
}

# What each must share with whom, asked of the kernel and of Docker.
shares()
{
	for sh in "ipc net ipc" "pid ipc pid" "vol net net" "end vol pid" \
	    "end net ipc"; do
		set -- "$1" $sh
		check_eq "$1: $2 and $3 are in one $4 namespace" \
		    "$(ns "$3" "$4")" "$(ns "$2" "$4")"
		set -- "$1"
	done
	check_eq "$1: ids" "container:$(get net '{{.Id}}') \
container:$(get ipc '{{.Id}}') container:$(get net '{{.Id}}') \
[$(get ipc '{{.Id}}')] container:$(get vol '{{.Id}}') \
container:$(get net '{{.Id}}') [$(get vol '{{.Id}}'):ro]" \
	    "$(get ipc '{{.HostConfig.IpcMode}}') $(get pid \
	    '{{.HostConfig.PidMode}}') $(get vol '{{.HostConfig.NetworkMode
	    }} {{.HostConfig.VolumesFrom}}') $(get end '{{.HostConfig.PidMode
	    }} {{.HostConfig.IpcMode}} {{.HostConfig.VolumesFrom}}')"
	for sh in ipc vol end; do
		check_eq "$1: $sh sees the volume" precious \
		    "$(lab_docker exec $c-$sh cat /kept/file)"
	done
	check_eq "$1: everybody once, and up" "$c-end running
$c-ipc running
$c-net running
$c-pid running
$c-vol running" "$(lab_docker ps -a --format '{{.Names}} {{.State}}' | sort)"
	check_eq "$1: who may not write does not" "false" \
	    "$(get end '{{range .Mounts}}{{.RW}}{{end}}')"
}

# order ACTION: names in the order in which it happened to them.
order()
{
	sed -n "s/^$1 $c-\([a-z]*\)[.a-z-]*\$/\1/p" "$T/events" | tr '\n' ' '
}

# before TEXT LIST A B: A is in the list before B.
before()
{
	case " $2" in
	*" $3 "*"$4 "*) pass "$1: $3 before $4" ;;
	*) fail "$1: $3 before $4: $2" ;;
	esac
}

shares "before"
must "the server starts" server_start
must "the agent connects" enrolled worker-1
lab_docker events --filter type=container --filter event=die \
    --filter event=start --format '{{.Action}} {{.Actor.Attributes.name}}' \
    >"$T/events" 2>/dev/null &
events=$!
sleep 0.5

ids=$(for n in $chain; do get $n '{{.Id}}'; done)
check "the head is updated" ctl container update worker-1/$c-net \
    --image "$v:2"
sleep 0.5
shares "version 2"
check_eq "all were made anew" 10 "$( (echo "$ids"
    for n in $chain; do get $n '{{.Id}}'; done) | sort -u | wc -l)"
for w in "net ipc" "net vol" "ipc pid" "ipc vol" "vol end"; do
	# shellcheck disable=SC2086
	before "started" "$(order start)" $w
	# shellcheck disable=SC2086
	before "stopped" "$(order die)" ${w#* } ${w% *}
done

ids=$(for n in $chain; do get $n '{{.Id}}'; done)
check_rc "an image that fails" 7 ctl container update worker-1/$c-net \
    --image "$v:bad"
shares "back"
check_eq "nobody is another" "$ids" \
    "$(for n in $chain; do get $n '{{.Id}}'; done)"
# From the middle: those before it are not touched.
check "one in the middle" ctl container update worker-1/$c-ipc --image "$v:2"
shares "the middle"
check_eq "the head is the same" "$(echo "$ids" | head -n 1)" \
    "$(get net '{{.Id}}')"
