# Containers with everything set that Docker 20.10 knows: after an update, a
# failed one and a rollback on request inspect says the same, word for word,
# but for an explicit list of what cannot or must not be the same.
# needs: root
# timeout: 120

c=evr
v=$LAB_REGISTRY/$c
all='all host joined card'
trap 'scenario_end; lab_stop "$T/lab"' EXIT
# Its own: what is mounted there must be shared, as on a host.
must "an engine of its own" lab_start "$T/lab"
LAB_DIR=$T/lab
must "its images" lab_image $c:1 1
must "a better one" lab_image $c:2 2
must "a bad one" lab_image $c:bad bad
AGENT_DOCKER=unix://$LAB_DIR/docker.sock

# The image is told apart by a file, so that one command is good and bad.
start='[ "$(cat /etc/version)" != bad ] || exit 1; exec /bin/run'

# What may differ.  All else of inspect must be there and be equal.
cat >"$T/may.jq" <<-'EOT'
	# The container itself: another one.
	del(.Id, .Created, .Image, .Config.Image,
	# Its processes, and how they fared.
	.State.Pid, .State.StartedAt, .State.FinishedAt, .State.Health.Log,
	.State.Health.Status, .State.ExitCode, .RestartCount, .ExecIDs,
	# Its files on the host, under its id.
	.ResolvConfPath, .HostnamePath, .HostsPath, .LogPath, .GraphDriver,
	# Ends of networks: made with the container.
	.NetworkSettings.SandboxID, .NetworkSettings.SandboxKey,
	.NetworkSettings.EndpointID,
	.NetworkSettings.Networks[]?.EndpointID)
	# Ports that Docker chose: it chooses again.
	| (.NetworkSettings.Ports // {} | .["7001/tcp"], .["7002/udp"]
	    | select(. != null) | .[].HostPort) |= "some"
	# The short id, an alias on each network.
	| .NetworkSettings.Networks[]?.Aliases |= (if . == null then .
	    else map(select(. != $short)) end)
	| if .Config.Hostname == $short then .Config.Hostname = "SHORT"
	    else . end
	# On the default bridge all addresses are Docker's choice.
	| del(.NetworkSettings.IPAddress, .NetworkSettings.MacAddress,
	    .NetworkSettings.Networks.bridge.IPAddress,
	    .NetworkSettings.Networks.bridge.MacAddress)
	# Anonymous volumes of its own get their name there, so that they are
	# found again (.Mounts says which they are, and is compared); to
	# Docker the mode of any volume with a name is "z".
	| .Config.Volumes as $own
	| .HostConfig.Mounts |= (. // [] | map(select(.Type != "volume" or
	    ($own[.Target]? // null) == null)) | map(if .Type == "volume" and
	    (.Source // "" | test("^[0-9a-f]{64}$")) then del(.Source)
	    else . end))
	| .Mounts |= map(if .Type == "volume" and ($own[.Destination]? // null)
	    != null and .Mode == "" then .Mode = "z" else . end)
	# Lists without an order.
	| .Mounts |= sort_by(.Destination)
	| .Config.Env |= (. // [] | sort)
	| .HostConfig.Links |= (. // [] | sort)
	# Docker tells neither of these from nothing.
	| walk(if . == [] or . == {} then null else . end)
	| walk(if type == "object" then with_entries(select(.value != null))
	    else . end)
EOT

# state CONTAINER FILE: what it is, in one form.
state()
{
	lab_docker inspect "$1" >"$2.raw" || return 1
	jq -S --arg short "$(jq -r '.[0].Id[0:12]' "$2.raw")" \
	    ".[0] | $(cat "$T/may.jq")" "$2.raw" >"$2" && [ -s "$2" ]
}

# same NAME TEXT: as before.
same()
{
	must "$2: $1 is there" state "$c-$1" "$T/$1.now"
	check "$2: $1 is the same" diff "$T/$1.old" "$T/$1.now"
	check_eq "$2: $1 once" "$c-$1" "$(lab_docker ps -a --filter \
	    "name=$c-$1" --format '{{.Names}}')"
}

# --- all that is a container's own ------------------------------------------
for n in 1 2 3; do
	must "network $n" lab_docker network create --ipv6 \
	    --subnet 10.81.$n.0/24 --subnet fd00:81:$n::/64 \
	    $c-$(echo $n | tr 123 abc)
done
must "a neighbour" lab_docker run -d --name $c-peer --network $c-a "$v:1"
# Shared and slave mounts only come from a mount that is shared.
mkdir -p "$T/bind" "$T/shared"
must "a mount" lab_run mount -t tmpfs tmpfs "$T/shared"
must "is shared" lab_run mount --make-shared "$T/shared"
must "the container" lab_docker create --name $c-all \
    --entrypoint /bin/sh --label mine=1 --label "odd=a=b \"c\"" \
    -e MINE=1 -e "ODD=a=b c" -e EMPTY= -e VERSION=mine \
    --cap-add NET_ADMIN --cap-add SYS_TIME --cap-drop MKNOD \
    --cap-drop AUDIT_WRITE --ulimit nofile=1000:2000 --ulimit core=0 \
    --device /dev/zero:/dev/my-zero:r --device /dev/null \
    --device-cgroup-rule "c 42:* rmw" --tmpfs /tmp:size=1m,mode=1777 \
    -v "$T/bind:/bind:ro,rprivate" \
    -v "$T/shared:/shared:rshared" -v $c-named:/named:nocopy -v /anonymous \
    --mount type=bind,source="$T/shared",target=/slave,bind-propagation=rslave \
    --mount type=volume,target=/nameless \
    --mount type=volume,source=$c-nocopy,target=/nocopy,volume-nocopy,readonly \
    --mount type=volume,source=$c-driver,target=/driver,volume-driver=local,volume-label=a=b,volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=size=1m \
    --mount type=tmpfs,target=/memory,tmpfs-size=1048576,tmpfs-mode=0700 \
    --log-driver json-file --log-opt max-size=1m --log-opt max-file=2 \
    --log-opt labels=mine \
    --sysctl net.ipv4.ip_unprivileged_port_start=80 \
    --sysctl net.core.somaxconn=99 --health-cmd /bin/true \
    --health-interval 1s --health-timeout 3s --health-retries 4 \
    --health-start-period 1s --network $c-a --ip 10.81.1.9 \
    --ip6 fd00:81:1::9 --network-alias one --network-alias eins \
    --link $c-peer:friend \
    --dns 10.81.1.53 --dns-search example.org --dns-search test \
    --dns-option ndots:2 --add-host one.test:10.1.1.1 \
    --add-host two.test:10.1.1.2 --restart on-failure:3 --cpu-shares 512 \
    --cpu-period 50000 --cpu-quota 40000 --cpuset-cpus 0 --memory 64m \
    --memory-reservation 32m --memory-swap 96m --oom-score-adj 100 \
    --pids-limit 50 --init --shm-size 8m --ipc shareable \
    --security-opt no-new-privileges --security-opt seccomp=unconfined \
    --read-only --user 1000:1000 --group-add 10 --group-add 20 \
    --workdir /etc --hostname chosen --domainname example.org \
    --stop-signal USR1 --stop-timeout 1 -p 127.0.0.1:38101:81 \
    -p 38102-38103:82-83 -p 38104:84/udp -p 7001 -p 7002/udp \
    --expose 90-91 --expose 92/udp "$v:1" -c "$start"
must "its second network" lab_docker network connect --ip 10.81.2.9 \
    --ip6 fd00:81:2::9 --alias two --link $c-peer:amigo \
    --driver-opt some.option=value $c-b $c-all
must "its third" lab_docker network connect --ip 10.81.3.9 \
    --ip6 fd00:81:3::9 --alias three $c-c $c-all
must "it starts" lab_docker start $c-all

# --- what goes with the host, or with the first network ---------------------
must "a neighbour with a volume" lab_docker run -d --name $c-store \
    -v /store --volume "$T/bind:/store-bind:ro" "$v:1"
# Where there is a disk.
disk=$(find /dev -maxdepth 1 -type b | sort | tail -n 1)
slow=${disk:+--device-read-bps $disk:1mb --device-write-iops $disk:100}
must "one close to the host" lab_docker run -d --name $c-host -e VERSION=mine \
    --link $c-store:shop --link $c-store --pid host --uts host \
    --userns host --cgroupns host --ipc private --cap-add CHOWN --cap-drop ALL -t -i -P \
    --expose 7001 --volumes-from $c-store:ro -v /anonymous \
    $slow --cpus 0.5 --kernel-memory 64m \
    --memory-swappiness 30 --oom-kill-disable -m 64m \
    --restart unless-stopped \
    --no-healthcheck --security-opt systempaths=unconfined \
    --cgroup-parent "/$(lab_cgroup)/$c" --log-driver none "$v:1" \
    /bin/sh -c "$start"
must "one with nothing of its own" lab_docker run -d --name $c-joined -e VERSION=mine \
    --network container:$c-store --ipc none --restart always "$v:1" \
    /bin/sh -c "$start"

# The client no longer asks for this as API 1.41 knows it.
curl -sf --unix-socket "$LAB_DIR/docker.sock" -H \
    'Content-Type: application/json' -d '{"Image":"'"$v:1"'","Env":["VERSION=mine"],"Cmd":["/bin/sh",
    "-c","[ $(cat /etc/version) != bad ] || exit 1; exec /bin/run"],
    "MacAddress":"00:16:3e:4e:77:76","HostConfig":{"NetworkMode":"'$c-b'"},
    "NetworkingConfig":{"EndpointsConfig":{"'$c-b'":{"Aliases":["karte"],
    "DriverOpts":{"a":"b"},"IPAMConfig":{"IPv4Address":"10.81.2.10",
    "IPv6Address":"fd00:81:2::10",
    "LinkLocalIPs":["169.254.81.2"]}}}}}' \
    "http://d/v1.41/containers/create?name=$c-card" >/dev/null
must "one with an address of its card" lab_docker start $c-card

must "the server starts" server_start
must "the agent connects" enrolled worker-1
for n in $all; do
	must "$n: before" state $c-$n "$T/$n.old"
done

# everybody TEXT IMAGE: all of them, and what they run.
everybody()
{
	for eb in $all; do
		same $eb "$1"
		check_eq "$1: $eb: the image" "$2 running" \
		    "$(lab_docker inspect -f '{{.Config.Image}} {{
		    .State.Status}}' $c-$eb)"
	done
}

# run_all CODE TEXT ARGS...: sentinelctl container VERB worker-1/NAME ARGS.
run_all()
{
	ra_code=$1
	ra_text=$2
	ra_verb=$3
	shift 3
	ra_pids=
	for ra in $all; do
		ctl container "$ra_verb" "worker-1/$c-$ra" "$@" \
		    >"$T/$ra.out" 2>&1 &
		ra_pids="$ra_pids $!"
	done
	set -- $ra_pids
	for ra in $all; do
		wait "$1"
		check_eq "$ra_text: $ra" "$ra_code" $? ||
		    sed 's/^/# /' "$T/$ra.out"
		shift
	done
}

run_all 0 "forward" update --image "$v:2"
everybody "forward" "$v:2"
run_all 7 "an image that fails" update --image "$v:bad"
everybody "back again" "$v:2"
run_all 0 "rollback on request" rollback
everybody "rolled back" "$v:1"
