# podman's service as the engine of a lab.  To be sourced: by init.sh inside
# the lab, and by scenarios for lab_podman().
#
# It needs no systemd and no cgroup v2: control groups are cgroupfs, in a
# hierarchy of the lab's own (a cgroup namespace; podman's own parent group
# is made below it), events go to a file, runc is there for Docker anyway.
# Health checks are systemd's timers with podman; init.sh runs them instead,
# one by one, every second.

# podman_conf DIR: its configuration, nothing of it from /etc.
podman_conf()
{
	mkdir -p "$1/tmp"
	cat >"$1/containers.conf" <<-EOT
	[engine]
	cgroup_manager = "cgroupfs"
	events_logger = "file"
	runtime = "runc"
	tmp_dir = "$1/libpod"
	[network]
	network_backend = "netavark"
	network_config_dir = "$1/networks"
	EOT
	# Copies instead of layers: no driver that the host may lack.
	cat >"$1/storage.conf" <<-EOT
	[storage]
	driver = "vfs"
	graphroot = "$1/graph"
	runroot = "$1/runroot"
	EOT
	cat >"$1/registries.conf" <<-EOT
	unqualified-search-registries = ["$LAB_REGISTRY"]
	short-name-mode = "disabled"
	[[registry]]
	location = "$LAB_REGISTRY"
	insecure = true
	EOT
}

podman_env()
{
	CONTAINERS_CONF=$1/containers.conf
	CONTAINERS_STORAGE_CONF=$1/storage.conf
	CONTAINERS_REGISTRIES_CONF=$1/registries.conf
	DISABLE_HC_SYSTEMD=true
	XDG_RUNTIME_DIR=$1/run
	# What a service that is killed leaves there goes with the lab.
	TMPDIR=$1/tmp
	export CONTAINERS_CONF CONTAINERS_STORAGE_CONF \
	    CONTAINERS_REGISTRIES_CONF DISABLE_HC_SYSTEMD \
	    XDG_RUNTIME_DIR TMPDIR
}

# lab_podman ARGUMENTS...: podman's own command in the lab.
lab_podman()
{
	(
		podman_env "$LAB_DIR"
		lab_run podman "$@"
	)
}

# lab_podman_image NAME:TAG FROM LINE...: made from another image and pushed.
# podman's import knows no HEALTHCHECK.
lab_podman_image()
{
	lp_ref=$LAB_REGISTRY/$1
	mkdir -p "$LAB_DIR/build" || return 1
	echo "FROM $LAB_REGISTRY/$2" >"$LAB_DIR/build/Dockerfile"
	shift 2
	printf '%s\n' "$@" >>"$LAB_DIR/build/Dockerfile"
	lab_podman build -q --format docker -t "$lp_ref" "$LAB_DIR/build" \
	    >/dev/null && lab_docker push -q "$lp_ref" >/dev/null
}

# The images of the suite, see lab_images().
lab_podman_images()
{
	lab_image demo:1 1 && lab_image demo:2 2 &&
	    lab_podman_image demo:3 demo:1 'ENV VERSION=3' \
	    'HEALTHCHECK --interval=1s --timeout=2s --retries=2 CMD ["/bin/false"]' &&
	    lab_image demo:4 4 --change 'CMD ["/bin/false"]' &&
	    lab_podman_image demo:5 demo:1 'ENV VERSION=5' \
	    'HEALTHCHECK --interval=1s --timeout=2s --retries=2 CMD ["/bin/true"]'
}

# --- inside, for init.sh ----------------------------------------------------

# Version 2 alone: the directories below are groups, not hierarchies, and
# podman's parent group is in the root.
podman_one_hierarchy()
{
	[ -f /sys/fs/cgroup/cgroup.controllers ]
}

# podman_cgroups CGROUP: into that group; then those below it are all that a
# cgroup namespace shows.
podman_cgroups()
{
	podman_one_hierarchy && return 0
	for pc in /sys/fs/cgroup/*; do
		[ -f "$pc/cgroup.procs" ] || continue
		mkdir -p "$pc/$1" || return 1
		if [ -f "$pc/cpuset.cpus" ]; then
			cat "$pc/cpuset.cpus" >"$pc/$1/cpuset.cpus"
			cat "$pc/cpuset.mems" >"$pc/$1/cpuset.mems"
		fi
		echo $$ >"$pc/$1/cgroup.procs" || return 1
	done
}

# The namespace's view, and no second version beside the first: podman wants
# one or the other.
podman_cgroup_mounts()
{
	podman_one_hierarchy && return 0
	for pc in /sys/fs/cgroup/*; do
		[ -f "$pc/cgroup.procs" ] || continue
		umount "$pc" || return 1
		case ${pc##*/} in
		unified) ;;
		systemd) mount -t cgroup -o none,name=systemd cgroup "$pc" ;;
		*)	mount -t cgroup -o "${pc##*/}" cgroup "$pc" ;;
		esac || return 1
	done
}

# podman_service DIR: in the background; its pid goes to docker.pid.
podman_service()
{
	rm -f "$1/docker.pid" "$1/docker.sock"
	podman system service --time=0 "unix://$1/docker.sock" \
	    >>"$1/podman.log" 2>&1 &
	echo $! >"$1/docker.pid"
}

podman_health()
{
	while :; do
		for ph in $(podman ps -q --filter status=running \
		    --filter health=starting --filter health=healthy \
		    --filter health=unhealthy); do
			podman healthcheck run "$ph"
		done >/dev/null 2>&1
		sleep 1
	done
}
