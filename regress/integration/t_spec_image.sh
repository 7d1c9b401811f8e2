# What a container has from its image is the new image's after an update: it
# is compared with one that was made of the new image with the same options.
# And: networks that were made anew or are gone, references with a digest.
# needs: docker
# timeout: 60

c=spi
# img VERSION USER DIRECTORY PORT VOLUME: what an import can say.
img()
{
	lab_image $c:"$1" "$1" --change "ENV FROM_IMAGE=$1 BOTH=image-$1" \
	    --change "LABEL from.image=$1 both=image-$1" \
	    --change "USER $2" --change "WORKDIR $3" --change "EXPOSE $4" \
	    --change "VOLUME $5" --change "ONBUILD RUN echo $1" --change \
	    "HEALTHCHECK --interval=${1}s --retries=9 CMD [\"/bin/true\", \"$1\"]" \
	    --change 'ENTRYPOINT ["/bin/sh", "-c"]' \
	    --change "CMD [\"echo $1; exec /bin/run\"]"
}
img 1 1001 /etc 7001 /v1 && img 2 1002 /bin 7002 /v2 || exit 1
v=$LAB_REGISTRY/$c
all="$c-plain $c-some $c-fresh $c-net $c-lost $c-digest"
trap 'lab_docker rm -fv $all >/dev/null 2>&1
    lab_docker network rm $c-a $c-b >/dev/null 2>&1; scenario_end' EXIT

# made NAME VERSION: with nothing said, and with a few things.
made()
{
	case $1 in
	plain) lab_docker run -d --name "$3" "$v:$2" ;;
	some) lab_docker run -d --name "$3" -e BOTH=mine -e OWN=1 \
	    --label both=mine --label own=1 --workdir /tmp --expose 99 \
	    --health-retries 3 "$v:$2" "echo mine; exec /bin/run" ;;
	esac >/dev/null
}

get()
{
	lab_docker inspect -f "$2" $c-"$1"
}

# config NAME: without its own name, and the volume it brought along.
config()
{
	lab_docker inspect $c-"$1" | jq -S '.[0] | .Id[0:12] as $short | .Config
	    | .Env |= sort | del(.Volumes["/v1"])
	    | if .Hostname == $short then .Hostname = "SHORT" else . end' \
	    >"$T/$1.config"
	cat "$T/$1.config"
}

must "nothing said" made plain 1 $c-plain
must "some things said" made some 1 $c-some
must "a network" lab_docker network create --subnet 10.82.1.0/24 $c-a
must "another" lab_docker network create --subnet 10.82.2.0/24 $c-b
for n in net lost; do
	must "$n" lab_docker create --name $c-$n --network $c-a "$v:1"
	must "$n is on two networks" lab_docker network connect $c-b $c-$n
done
must "a network was removed" lab_docker network rm $c-b
old=$(lab_docker network inspect -f '{{.Id}}' $c-a)
must "the other one, too" lab_docker network rm $c-a
digest=$(lab_docker image inspect -f '{{index .RepoDigests 0}}' "$v:1")
must "one by its digest" lab_docker run -d --name $c-digest \
    "$v:1@${digest#*@}" "exec /bin/run"
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
must "the server starts" server_start
must "the agent connects" enrolled worker-1

for n in plain some; do
	check "$n: an update" ctl container update worker-1/$c-$n --image "$v:2"
	must "$n: a new one" made $n 2 $c-fresh
	fresh=$(config fresh)
	check "$n: it says something" grep -q 'FROM_IMAGE=2' "$T/fresh.config"
	check_eq "$n: as one of the new image" "$fresh" "$(config $n)"
	lab_docker rm -fv $c-fresh >/dev/null
done
check_eq "its volume of the old image stays" 1 "$(get plain '{{range .Mounts
    }}{{.Destination}}{{"\n"}}{{end}}' | grep -c '^/v1$')"

# Networks go by their names.
check_rc "both networks are gone" 1 ctl container update worker-1/$c-lost \
    --image "$v:2"
said "which it says" "network .$c-[ab]. of the container does not exist"
check_eq "and has touched nothing" "$v:1 created" \
    "$(get lost '{{.Config.Image}} {{.State.Status}}')"
must "they are made anew" lab_docker network create --subnet 10.82.3.0/24 $c-a
must "both" lab_docker network create --subnet 10.82.4.0/24 $c-b
check_not "the same one" test "$old" = \
    "$(lab_docker network inspect -f '{{.Id}}' $c-a)"
check "networks of the same names" ctl container update worker-1/$c-net \
    --image "$v:2"
check "it starts there" lab_docker start $c-net
check_eq "on both" "10.82.3 10.82.4" "$(get net '{{range
    .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' |
    sed 's/\.[0-9]* / /g; s/ $//')"

# The tag moves; the container's image does not.
shown()
{
	ctl container list --host worker-1 --json | jq -r --arg n $c-lost \
	    '.. | objects | select(.name? == $n) | .digest? // .image_digest?'
}
was=$(shown)
check "its digest is shown" test -n "$was"
must "the tag moves" lab_docker tag "$v:2" "$v:1"
lab_docker rename $c-lost $c-lost-x && lab_docker rename $c-lost-x $c-lost
sleep 1
check_eq "it has the digest of its image" "$was" "$(shown)"

# A reference with a digest is what it says: nothing newer is there.
check "by its digest" ctl container update worker-1/$c-digest
check_eq "it is the same" "$v:1@${digest#*@}" \
    "$(get digest '{{.Config.Image}}')"
check "to another tag" ctl container update worker-1/$c-digest --image "$v:2"
check_eq "it has that" "$v:2" "$(get digest '{{.Config.Image}}')"
