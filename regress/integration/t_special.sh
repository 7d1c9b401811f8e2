# Containers that others lose something of: fixed addresses on three networks,
# aliases, an address of the card, driver options, links, an anonymous volume,
# --rm, stopped and paused ones; forward and back on a real engine.
# needs: docker
# timeout: 150

p=spc
v=$LAB_REGISTRY/demo
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
trap 'for c in $p-net $p-anon $p-rm $p-stop $p-pause $p-peer $p-card; do
	lab_docker rm -fv $c $c.sentinel-next $c.sentinel-prev
    done >/dev/null 2>&1
    for n in a b c; do lab_docker network rm $p-$n; done >/dev/null 2>&1
    scenario_end' EXIT
must "the server starts" server_start
must "the agent connects" enrolled worker-1

# get CONTAINER FORMAT
get()
{
	lab_docker inspect -f "$2" "$1"
}

# nets CONTAINER: per network its configured and its real address, the
# aliases of people, the card.
nets()
{
	get "$1" '{{range $k, $v := .NetworkSettings.Networks}}{{$k}}{{with
	    $v.IPAMConfig}} {{.IPv4Address}}{{end}} {{$v.IPAddress}}{{range
	    $v.Aliases}} {{.}}{{end}}{{"\n"}}{{end}}' |
	    sed "s/ $(get "$1" '{{.Id}}' | cut -c 1-12)//" | sed 's/  *$//' |
	    tr -s ' \n' ' ;'
}

# one CONTAINER STATE TEXT: once, in this state.
one()
{
	check_eq "$3: once" "$1 $2" "$(lab_docker ps -a \
	    --filter "name=$1" --format '{{.Names}} {{.State}}' |
	    sed 's/created/exited/')"
}

# --- three networks -------------------------------------------------------
for n in 1 2 3; do
	must "network $n" lab_docker network create --subnet 10.78.$n.0/24 \
	    $p-$(echo $n | tr 123 abc)
done
lab_docker run -d --name $p-peer --network $p-a "$v:1" >/dev/null
must "on three networks" lab_docker create --name $p-net --network $p-a \
    --ip 10.78.1.9 --network-alias one --link \
    $p-peer:friend "$v:1"
must "the second" lab_docker network connect --ip 10.78.2.9 --alias two \
    $p-b $p-net
must "the third" lab_docker network connect --ip 10.78.3.9 --alias three \
    --alias drei --link $p-peer:amigo $p-c $p-net
must "runs" lab_docker start $p-net
before=$(nets $p-net)
links=$(get $p-net '{{range $k, $v := .NetworkSettings.Networks}}{{$k
    }} {{$v.Links}};{{end}}')
check "three networks" sh -c "echo '$before' | grep -q '10.78.1.9 10.78.1.9.*\
10.78.2.9 10.78.2.9.*10.78.3.9 10.78.3.9'"
check "forward" ctl container update worker-1/$p-net --image "$v:2"
one $p-net running "forward"
check_eq "forward: addresses and aliases" "$before" "$(nets $p-net)"
check_eq "forward: links" "$links" "$(get $p-net '{{range $k, $v :=
    .NetworkSettings.Networks}}{{$k}} {{$v.Links}};{{end}}')"
id=$(get $p-net '{{.Id}}')
check_rc "back" 7 ctl container update worker-1/$p-net --image "$v:4"
one $p-net running "back"
check_eq "back: the same container" "$id" "$(get $p-net '{{.Id}}')"
check_eq "back: addresses and aliases" "$before" "$(nets $p-net)"
check_eq "back: links" "$links" "$(get $p-net '{{range $k, $v :=
    .NetworkSettings.Networks}}{{$k}} {{$v.Links}};{{end}}')"

# --- the address of the card, asked for as API 1.41 knows it ---------------
curl -sf --unix-socket "$LAB_DIR/docker.sock" -H \
    'Content-Type: application/json' -d "{\"Image\":\"$v:1\",
    \"MacAddress\":\"00:16:3e:4e:77:77\"}" \
    "http://d/v1.41/containers/create?name=$p-card" >/dev/null
must "an address of the card" lab_docker start $p-card
card()
{
	get $p-card '{{.NetworkSettings.Networks.bridge.MacAddress}}'
}
check_eq "the card" 00:16:3e:4e:77:77 "$(card)"
check "the card: forward" ctl container update worker-1/$p-card --image "$v:2"
check_eq "the card is the same" 00:16:3e:4e:77:77 "$(card)"
check_rc "the card: back" 7 ctl container update worker-1/$p-card \
    --image "$v:4"
check_eq "the card is still the same" 00:16:3e:4e:77:77 "$(card)"

# --- an anonymous volume, with --rm beside ---------------------------------
must "an anonymous volume" lab_docker run -d --name $p-anon -v /data \
    "$v:1"
must "and one with --rm" lab_docker run -d --rm --name $p-rm -v /data \
    --network $p-b --ip 10.78.2.20 "$v:1"
for c in anon rm; do
	must "$c: has something" lab_docker exec $p-$c \
	    sh -c "echo precious-$c >/data/file"
done
vol=$(get $p-anon '{{range .Mounts}}{{.Name}}{{end}}')
check "the volume: forward" ctl container update worker-1/$p-anon \
    --image "$v:2"
check_eq "the same volume" "$vol" \
    "$(get $p-anon '{{range .Mounts}}{{.Name}}{{end}}')"
check_eq "and its content" precious-anon \
    "$(lab_docker exec $p-anon cat /data/file)"
check_rc "the volume: back" 7 ctl container update worker-1/$p-anon \
    --image "$v:4"
check_eq "its content" precious-anon \
    "$(lab_docker exec $p-anon cat /data/file)"

before=$(nets $p-rm)
check "--rm: forward" ctl container update worker-1/$p-rm --image "$v:2"
one $p-rm running "--rm forward"
check_eq "--rm forward: still" "true $v:2" \
    "$(get $p-rm '{{.HostConfig.AutoRemove}} {{.Config.Image}}')"
check_eq "--rm forward: address" "$before" "$(nets $p-rm)"
check_eq "--rm forward: content" precious-rm \
    "$(lab_docker exec $p-rm cat /data/file)"
check_rc "--rm: back" 7 ctl container update worker-1/$p-rm --image "$v:4"
one $p-rm running "--rm back"
check_eq "--rm back: as before" "true $v:2" \
    "$(get $p-rm '{{.HostConfig.AutoRemove}} {{.Config.Image}}')"
check_eq "--rm back: address" "$before" "$(nets $p-rm)"
check_eq "--rm back: content" precious-rm \
    "$(lab_docker exec $p-rm cat /data/file)"

# --- stopped and paused ----------------------------------------------------
must "one that is stopped" lab_docker run -d --name $p-stop "$v:1"
must "is" lab_docker stop -t 1 $p-stop
must "one that is paused" lab_docker run -d --name $p-pause "$v:1"
must "is" lab_docker pause $p-pause
check "stopped: forward" ctl container update worker-1/$p-stop --image "$v:2"
one $p-stop exited "stopped"
check_eq "stopped: the image" "$v:2" "$(get $p-stop '{{.Config.Image}}')"
check "paused: forward" ctl container update worker-1/$p-pause --image "$v:2"
one $p-pause paused "paused forward"
check_rc "paused: back" 7 ctl container update worker-1/$p-pause --image "$v:4"
one $p-pause paused "paused back"
check_eq "paused: the image" "$v:2" "$(get $p-pause '{{.Config.Image}}')"
