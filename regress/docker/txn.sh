# What the scenarios of the kill matrix have in common: an engine of their
# own, for it is killed, with images and networks.  To be sourced with T set.
p=txn
trap 'lab_stop "$T/lab"' EXIT
must "an engine of its own" lab_start "$T/lab"
LAB_DIR=$T/lab
DOCKER_CONFIG=$LAB_DIR/client
export DOCKER_CONFIG

mkdir -p "$T/image/bin"
cp /bin/busybox "$T/image/bin/busybox"
ln -s busybox "$T/image/bin/sh"
ln -s busybox "$T/image/bin/sleep"
cat >"$T/image/bin/run" <<-'EOT'
	#!/bin/sh
	[ -e /bad ] && exit 1
	[ -n "$DEAF" ] && trap '' TERM || trap 'exit 0' TERM
	while :; do sleep 1 & wait $!; done
EOT
chmod 755 "$T/image/bin/run"

# txn_image TAG
txn_image()
{
	echo "$1" >"$T/image/version"
	[ "$1" = bad ] && touch "$T/image/bad"
	tar -C "$T/image" -c . | lab_docker import \
	    --change 'CMD ["/bin/run"]' - $p:"$1" >/dev/null
}

must "its first image" txn_image 1
must "its second image" txn_image 2
must "its bad image" txn_image bad
must "a network" lab_docker network create --subnet 10.77.1.0/24 $p-a
must "another network" lab_docker network create --subnet 10.77.2.0/24 $p-b

# txn_matrix WORLD...
txn_matrix()
{
	"$B/docker/txn_crash" "$LAB_DIR" "$T" $p "$@" || SCENARIO_RC=1
}
