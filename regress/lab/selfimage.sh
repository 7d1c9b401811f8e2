# Images of Sentinel itself for scenarios that update it.  To be sourced after
# lib.sh.  $v is the repository, of the scenario alone; tag 1 is the real one,
# the others are layers on it.

# self_image: "make image", as $v:1.  The engine has the layers of another
# scenario's already, the registry too.
self_image()
{
	env DOCKER_HOST="unix://$LAB_DIR/docker.sock" \
	    DOCKER_CONFIG="$LAB_DIR/client" \
	    make -s B="$B" IMAGE="$v:1" image >/dev/null &&
	    lab_docker push -q "$v:1" >/dev/null
}

# self_variant TAG LINE...: that one with something changed.
self_variant()
{
	sv=$1
	shift
	printf '%s\n' "FROM $v:1" "$@" |
	    lab_docker build -q --network none -t "$v:$sv" - >/dev/null &&
	    lab_docker push -q "$v:$sv" >/dev/null
}
