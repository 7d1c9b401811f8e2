#!/bin/sh
#
# init.sh DIR CGROUP ENGINE: the first process of a lab's namespaces.  Starts
# the engine (docker or podman) and the registry, says "ready" and reaps until
# it is killed.

set -u
dir=$1
cgroup=$2
engine=$3

. "${0%/*}/lib.sh"
. "${0%/*}/podman.sh"
if [ "$engine" = podman ] && [ -z "${CGROUPNS:-}" ]; then
	podman_cgroups "$cgroup" || exit 1
	export CGROUPNS=1
	exec unshare --cgroup sh "$0" "$@"
fi

ip link set lo up || exit 1
# What daemons leave in /run stays here too.
mount -t tmpfs tmpfs /run || exit 1
# Where containers of the lab look for their engine.
ln -s "$dir/docker.sock" /run/docker.sock
# The engine's id comes from key.json there.
[ -d /etc/docker ] || mkdir -p /etc/docker
mount --bind "$dir/etc-docker" /etc/docker || exit 1
PATH=/usr/sbin:/usr/bin:/sbin:/bin

if [ "$engine" = podman ]; then
	podman_cgroup_mounts || exit 1
	podman_conf "$dir"
	podman_env "$dir"
	podman_health &
fi

docker-registry serve "$dir/registry.yml" >"$dir/registry.log" 2>&1 &

# engine: (re)start it; the command "lab_engine" of a scenario may kill it.
engine()
{
	if [ "$engine" = podman ]; then
		podman_service "$dir"
		return
	fi
	rm -f "$dir/docker.pid" "$dir/docker.sock"
	dockerd --data-root "$dir/data" --exec-root "$dir/exec" \
	    -H "unix://$dir/docker.sock" -p "$dir/docker.pid" \
	    --cgroup-parent "/$cgroup" >>"$dir/dockerd.log" 2>&1 &
}

answers()
{
	curl -s -m 2 --unix-socket "$dir/docker.sock" http://d/_ping |
	    grep -q OK && curl -s -m 2 http://127.0.0.1:5000/v2/ >/dev/null
}

engine
n=0
until answers; do
	n=$((n + 1))
	[ $n -lt 400 ] || { echo "no answer from dockerd or registry"; exit 1; }
	sleep 0.1
done
echo ready >"$dir/ready"
echo "ready after $n tenths of a second"

# A stop file keeps the engine down, so that a scenario can look at that.
while :; do
	sleep 0.3 &
	wait $!
	[ -e "$dir/engine.stop" ] && continue
	p=$(cat "$dir/docker.pid" 2>/dev/null)
	if [ -n "$p" ] && ! kill -0 "$p" 2>/dev/null; then
		echo "engine $p ended, starting it again"
		engine
	fi
done
