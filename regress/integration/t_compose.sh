# Configs and secrets that docker compose copies into a container between
# create and start are in no setting of it: an update takes them along, and
# leaves what the container itself has written.
# needs: docker
# timeout: 60

c=cmp
lab_image $c:1 1 && lab_image $c:2 2 || exit 1
v=$LAB_REGISTRY/$c
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
all="$c-app $c-side $c-plain $c-rm"
trap 'for n in $all; do lab_docker rm -fv $n $n.sentinel-next $n.sentinel-prev
    done >/dev/null 2>&1; scenario_end' EXIT

# put CONTAINER PATH MODE OWNER TEXT: as compose does, an archive of one file.
put()
{
	rm -rf "$T/tar"
	mkdir -p "$T/tar/$(dirname "$2")" || return 1
	printf '%s' "$5" >"$T/tar/$2"
	chmod "$3" "$T/tar/$2"
	tar -C "$T/tar" --owner="$4" --group="$4" -c "${2#/}" |
	    lab_docker cp -a - "$1:/" >/dev/null
}

# compose NAME ARGS...: created, not started.
compose()
{
	cm=$c-$1
	shift
	lab_docker create --name "$cm" --label com.docker.compose.project=$c \
	    --label com.docker.compose.service="$cm" \
	    --label com.docker.compose.config-hash=abc "$@" "$v:1" >/dev/null
}

# files CONTAINER: what is of interest, as it is now.
files()
{
	lab_docker exec "$1" /bin/busybox sh -c 'for f in /run/secrets/token \
	    /web.conf /etc/deep/in/app.yml /etc/version /written /etc/self \
	    /mounted; do [ ! -e $f ] || /bin/busybox stat -c "%n %a %u %g" $f
	    [ ! -e $f ] || echo "$(cat $f)"; done'
}

echo mounted >"$T/mounted"
must "a container of compose" compose app -v "$T/mounted:/mounted:ro"
must "with a secret" put $c-app /run/secrets/token 400 1000 s3cr3t
must "a config" put $c-app /web.conf 444 0 "listen 80"
must "one in a directory that the image does not have" \
    put $c-app /etc/deep/in/app.yml 640 4000000 "a: 1"
must "and one over a file of the image" put $c-app /etc/version 444 0 mine
must "it starts" lab_docker start $c-app >/dev/null
must "and writes something itself" lab_docker exec $c-app /bin/sh -c \
    'echo x >/written; echo x >/etc/self'
must "one that shares its network" compose side --network container:$c-app
must "with a secret, too" put $c-side /run/secrets/token 400 1000 other
must "it starts" lab_docker start $c-side >/dev/null
must "one not of compose" lab_docker create --name $c-plain "$v:1" >/dev/null
must "with a file" put $c-plain /web.conf 444 0 "by hand"
must "it starts" lab_docker start $c-plain >/dev/null
must "one that vanishes" compose rm --rm
must "with a secret" put $c-rm /run/secrets/token 400 0 gone
must "it starts" lab_docker start $c-rm >/dev/null
must "the server starts" server_start
must "the agent connects" enrolled worker-1

check_rc "a plan" 8 ctl container plan worker-1/$c-app --image "$v:2"
cp "$T/check.out" "$T/out"
for f in /run/secrets/token /web.conf /etc/deep/in/app.yml /etc/version; do
	said "the plan names $f" "$f, which compose has"
done
check_not "and nothing else" grep -q "/written\|/etc/self\|/mounted, which" \
    "$T/out"
check_not "nor what is in them" grep -q s3cr3t "$T/out"
ctl container plan worker-1/$c-plain --image "$v:2" >"$T/out" 2>&1
check_not "without compose nothing" grep -q "compose" "$T/out"

want=$(files $c-app | grep -v '^/written\|^/etc/self\|^x$')
side=$(files $c-side)
check "it is there before" test -n "$want" -a -n "$side"
check "an update" ctl container update worker-1/$c-app --image "$v:2"
check_eq "they are there as they were" "$want" "$(files $c-app)"
check_eq "with the one that was made anew" "$side" "$(files $c-side)"
check_eq "which was" "container:$(lab_docker inspect -f '{{.Id}}' $c-app)" \
    "$(lab_docker inspect -f '{{.HostConfig.NetworkMode}}' $c-side)"
check "once more" ctl container update worker-1/$c-app --image "$v:1"
check_eq "and still" "$want" "$(files $c-app)"
check_rc "made with --rm" 1 ctl container update worker-1/$c-rm --image "$v:2"
said "there would be no way back" "made with --rm and compose has copied"
check_eq "it runs" true "$(lab_docker inspect -f '{{.State.Running}}' $c-rm)"
check_not "no secret in the journal" grep -qr s3cr3t "$T/worker-1" "$T/s"
