# The update transaction against a real engine: the updater is killed at
# records of its journal and at requests, requests are refused and lost;
# afterwards the container is the old or the new one as a whole and nothing
# of the update is left.  A sample with a printed seed, all with FULL=1.
# needs: docker
# timeout: 600

p=txn
DOCKER_CONFIG=$LAB_DIR/client
export DOCKER_CONFIG
trap 'for w in rich paused stopped deaf joined host other auto vpn-u2 vpn-u1 \
    vpn; do
	lab_docker rm -fv $p-$w $p-$w.sentinel-next $p-$w.sentinel-prev
    done >/dev/null 2>&1
    lab_docker network rm $p-a $p-b >/dev/null 2>&1
    lab_docker volume rm $p-data >/dev/null 2>&1' EXIT

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

# image TAG
image()
{
	echo "$1" >"$T/image/version"
	[ "$1" = bad ] && touch "$T/image/bad"
	tar -C "$T/image" -c . | lab_docker import \
	    --change 'CMD ["/bin/run"]' - $p:"$1" >/dev/null
}

must "its first image" image 1
must "its second image" image 2
must "its bad image" image bad
must "a network" lab_docker network create --subnet 10.77.1.0/24 $p-a
must "another network" lab_docker network create --subnet 10.77.2.0/24 $p-b
"$B/docker/txn_crash" "$LAB_DIR/docker.sock" "$T" $p || SCENARIO_RC=1
exit $SCENARIO_RC
