# The lab: a private Docker Engine and a registry.  To be sourced.
#
# Everything of a lab lives in one directory and in one set of namespaces
# (network, mount, pid).  dockerd writes /etc/docker/key.json, a bridge and
# packet filter rules: all of that stays inside.  When the first process of
# the pid namespace is killed, the kernel ends dockerd, its containerd, the
# shims, the containers and the registry with it and drops the mounts; only
# directories of control groups remain, and lab_down() removes those.
#
# A lab's directory:
#	init.pid	its first process, as seen from outside
#	docker.sock	the engine
#	*.log		dockerd, registry, init
#	ready		written when all of it answers
#
# Every wait has a deadline.

# The registry listens on loopback inside the lab's network namespace, so the
# same port serves every lab.
LAB_REGISTRY=127.0.0.1:5000

# wait_for SECONDS COMMAND...: until it succeeds; 1 when the time is over.
wait_for()
{
	wf_end=$(($(date +%s) + $1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$wf_end" ] || return 1
		sleep 0.1
	done
}

# alive PID: there and not a zombie.
alive()
{
	[ -n "$1" ] && [ -r "/proc/$1/stat" ] || return 1
	case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in
	Z*|X*|'') return 1 ;;
	esac
	return 0
}

gone()
{
	! alive "$1"
}

# lab_is_up: the first process runs and all parts have answered.
lab_is_up()
{
	[ -f "$LAB_DIR/ready" ] && [ -f "$LAB_DIR/init.pid" ] &&
	    alive "$(cat "$LAB_DIR/init.pid")"
}

# lab_run COMMAND...: in the lab's namespaces.
lab_run()
{
	nsenter -t "$(cat "$LAB_DIR/init.pid")" -n -m -p -- "$@"
}

# The client takes nothing from the user's settings, and writes none.
lab_docker()
{
	DOCKER_CONFIG="$LAB_DIR/client" docker \
	    -H "unix://$LAB_DIR/docker.sock" "$@"
}

# A control group of its own, so that lab_down() knows what to remove.
lab_cgroup()
{
	echo "sentinel-lab-$(echo "$LAB_DIR" | cksum | cut -d ' ' -f 1)"
}

# lab_start DIR [ENGINE]: start a lab there; 0 when it answers.  The engine is
# docker, or podman behind the same socket.
lab_start()
{
	LAB_DIR=$1
	ls_engine=${2:-docker}
	lab_stop "$LAB_DIR"
	mkdir -p "$LAB_DIR/etc-docker" "$LAB_DIR/client" || return 1
	cat >"$LAB_DIR/registry.yml" <<-EOT
	version: 0.1
	log: { level: warn }
	storage:
	  filesystem: { rootdirectory: $LAB_DIR/registry }
	  delete: { enabled: true }
	http: { addr: "$LAB_REGISTRY" }
	EOT
	# The unshare stays outside and ends with its child; fd 8 and 9 are
	# locks of callers.
	ls_init=$(lab_here)/init.sh
	ls_cg=$(lab_cgroup)
	unshare --net --mount --pid --fork --kill-child --mount-proc \
	    sh "$ls_init" "$LAB_DIR" "$ls_cg" "$ls_engine" \
	    >"$LAB_DIR/init.log" 2>&1 </dev/null 8>&- 9>&- &
	echo $! >"$LAB_DIR/unshare.pid"
	if ! wait_for 10 lab_find_init || ! wait_for 45 lab_is_up; then
		echo "lab in $LAB_DIR did not come up" >&2
		tail -n 30 "$LAB_DIR"/*.log >&2
		lab_stop "$LAB_DIR"
		return 1
	fi
}

lab_find_init()
{
	lf=$(cat "$LAB_DIR/unshare.pid")
	lf=$(cat "/proc/$lf/task/$lf/children" 2>/dev/null)
	lf=${lf%% *}
	# Early on the child may be one of the shell's own.
	[ -n "$lf" ] && grep -qas "/init\.sh" "/proc/$lf/cmdline" &&
	    echo "$lf" >"$LAB_DIR/init.pid"
}

# lab_stop DIR: end it and whatever belongs to it; nothing is left but files.
lab_stop()
{
	LAB_DIR=$1
	for ls_pid in "$(cat "$LAB_DIR/init.pid" 2>/dev/null)" \
	    "$(cat "$LAB_DIR/unshare.pid" 2>/dev/null)"; do
		[ -n "$ls_pid" ] || continue
		# The pid may be somebody else's by now.
		grep -qas "$LAB_DIR" "/proc/$ls_pid/cmdline" || continue
		kill -9 "$ls_pid"
		wait_for 20 gone "$ls_pid" ||
		    echo "process $ls_pid of the lab does not end" >&2
	done
	for ls_cg in /sys/fs/cgroup/*/"$(lab_cgroup)" \
	    /sys/fs/cgroup/"$(lab_cgroup)"; do
		[ -d "$ls_cg" ] || continue
		find "$ls_cg" -depth -type d -exec rmdir {} \; 2>/dev/null
	done
	rm -f "$LAB_DIR/ready" "$LAB_DIR/init.pid" "$LAB_DIR/unshare.pid" \
	    "$LAB_DIR/docker.sock"
}

# lab_up, lab_down: the suite's lab in $LAB_DIR.  The first caller starts it,
# the others wait; a lab that failed once is not tried again.
lab_up()
{
	mkdir -p "$LAB_DIR"
	(
		flock 9
		lab_is_up && exit 0
		[ -f "$LAB_DIR/failed" ] && exit 1
		lab_start "$LAB_DIR" && lab_images demo && exit 0
		touch "$LAB_DIR/failed"
		exit 1
	) 9>"$LAB_DIR.lock"
}

lab_down()
{
	if [ -f "$LAB_DIR/unshare.pid" ]; then
		lab_stop "$LAB_DIR"
	fi
}

# The directory of this file; everything here runs from the top of the tree.
lab_here()
{
	echo "$(pwd -P)/regress/lab"
}

# lab_image NAME:TAG VERSION [CHANGE...]: busybox as an image, pushed to the
# registry.  It prints its version every 5 seconds and ends at once at
# SIGTERM.  More Dockerfile lines (HEALTHCHECK ..., LABEL ...) may follow.
lab_image()
{
	li_ref=$LAB_REGISTRY/$1
	li_ver=$2
	shift 2
	# A scenario's own: another one may be at it on the same engine.
	li_root=${T:-$LAB_DIR}/lab-image
	if [ ! -f "$li_root/bin/busybox" ]; then
		mkdir -p "$li_root/bin" "$li_root/tmp" "$li_root/etc" || return 1
		cp /bin/busybox "$li_root/bin/busybox" || return 1
		for li_app in sh cat sleep env true false ls kill test; do
			ln -sf busybox "$li_root/bin/$li_app"
		done
		cat >"$li_root/bin/run" <<-'EOT'
		#!/bin/sh
		trap 'exit 0' TERM
		while :; do
			echo "version $VERSION"
			sleep 5 &
			wait $!
		done
		EOT
		chmod 755 "$li_root/bin/run"
	fi
	# A file of its own makes every version another image.
	echo "$li_ver" >"$li_root/etc/version"
	set -- --change "ENV VERSION=$li_ver" --change \
	    'CMD ["/bin/run"]' "$@"
	tar -C "$li_root" -c . |
	    lab_docker import "$@" - "$li_ref" >/dev/null || return 1
	lab_docker push -q "$li_ref" >/dev/null
}

# lab_images NAME: five versions.  3 never becomes healthy, 4 dies at once.
# A scenario that moves or removes a tag, or looks at what there is, has a name
# of its own; "demo" is everybody's.
lab_images()
{
	lab_image "$1:1" 1 && lab_image "$1:2" 2 &&
	    lab_image "$1:3" 3 --change \
	    'HEALTHCHECK --interval=1s --timeout=2s --retries=2 CMD ["/bin/false"]' &&
	    lab_image "$1:4" 4 --change 'CMD ["/bin/false"]' &&
	    lab_image "$1:5" 5 --change \
	    'HEALTHCHECK --interval=1s --timeout=2s --retries=2 CMD ["/bin/true"]'
}
