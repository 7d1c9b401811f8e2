#!/bin/sh
#
# demo.sh up DIR	a private engine, a registry, sentineld and an agent;
#			one container is moved from version 1 to version 2
# demo.sh down DIR	end all of it and remove DIR
#
# Everything is below DIR and in namespaces of its own (network, mounts,
# processes); "down" ends them and removes the control groups.

set -u
unset CDPATH
cd "$(dirname "$0")/../.." || exit 1
. regress/lab/lib.sh

B=${B:-build}
dir=$2
case $dir in
/*)	;;
*)	dir=$(pwd -P)/$dir ;;
esac
LAB_DIR=$dir/lab
image=$LAB_REGISTRY/hello
ctl="$B/sentinelctl -s $dir/sentineld.sock"

die()
{
	echo "demo: $*" >&2
	exit 1
}

title()
{
	printf '\n== %s\n' "$*"
}

# show COMMAND...: print it as it could be typed, and run it.
show()
{
	echo "\$ $*"
	"$@"
}

# The longest socket path is one of the engine's; sun_path has 108 bytes.
check_length()
{
	longest=$LAB_DIR/exec/containerd/containerd.sock.ttrpc
	[ ${#longest} -le 107 ] && return
	echo "demo: $dir is too long: a socket there would have a path of" \
	    "${#longest} bytes, and 107 is the most." >&2
	die "use a shorter directory: make demo DEMO_DIR=/tmp/sentinel-demo"
}

write_conf()
{
	cat >"$dir/sentinel.conf" <<-EOT
	# Written by "make demo".  The server and the agent read the same file.
	run_dir: $dir/run
	server:
	  data_dir: $dir/server
	  control: $dir/sentineld.sock
	  control_ro: none
	  docker: none
	  cluster:
	    enabled: true
	    listen: "127.0.0.1:9443"
	agent:
	  server: "127.0.0.1:9443"
	  name: worker-1
	  enroll_token_file: $dir/token
	  data_dir: $dir/agent
	  control: $dir/sentinel-agentd.sock
	  control_ro: none
	  docker: unix://$LAB_DIR/docker.sock
	  docker_root: $LAB_DIR/data
	EOT
}

# start NAME: a daemon in the lab's namespaces, its log in DIR/NAME.log.
start()
{
	lab_run setsid sh -c '"$1" -d -f "$2" >>"$3" 2>&1 </dev/null &' \
	    sh "$(cd "$B" && pwd -P)/$1" "$dir/sentinel.conf" "$dir/$1.log" ||
	    die "$1 does not start"
}

# until SECONDS WHAT LOG COMMAND...
until_true()
{
	ut_secs=$1
	ut_what=$2
	ut_log=$3
	shift 3
	wait_for "$ut_secs" "$@" && return
	tail -n 20 "$dir/$ut_log" >&2
	die "$ut_what: not within $ut_secs s; see $dir/$ut_log"
}

is_listed()
{
	$ctl container list --json | jq -e 'any(.[]; .name == "web")'
}

is_connected()
{
	$ctl host list --json |
	    jq -e 'any(.[]; .name == "worker-1" and .connected)'
}

version_now()
{
	lab_docker inspect -f '{{.Config.Image}} {{.State.Status}}' web
}

start_engine()
{
	title "a private Docker Engine and a registry in $LAB_DIR"
	lab_start "$LAB_DIR" || die "the engine does not start"
	for v in 1 2; do
		lab_image "hello:$v" $v --change \
		    'HEALTHCHECK --interval=1s --timeout=2s --retries=3 CMD ["/bin/test","-f","/etc/version"]' ||
		    die "cannot make the image $image:$v"
	done
	# The new version has to come from the registry.
	lab_docker rmi "$image:2" >/dev/null || die "cannot drop $image:2"
	lab_docker run -d --name web --label demo=yes "$image:1" >/dev/null ||
	    die "cannot start the container"
	echo "\$ docker -H unix://$LAB_DIR/docker.sock ps"
	lab_docker ps --format 'table {{.Names}}\t{{.Image}}\t{{.Status}}'
}

start_server()
{
	title "sentineld"
	start sentineld
	until_true 15 "sentineld answers" sentineld.log $ctl status
	show $ctl status
}

start_agent()
{
	title "a token, and sentinel-agentd enrols with it"
	echo "\$ $ctl token create --ttl 1h --name worker-1"
	(umask 077 && $ctl token create --ttl 1h --name worker-1 --json |
	    jq -r .token >"$dir/token") || die "no token"
	start sentinel-agentd
	until_true 20 "the agent connects" sentinel-agentd.log is_connected
	show $ctl host list
	until_true 20 "the container is listed" sentinel-agentd.log is_listed
}

update()
{
	title "before"
	before=$(version_now)
	show $ctl container list
	title "the update"
	show $ctl container update worker-1/web --image "$image:2" ||
	    die "the update failed; see $dir/sentinel-agentd.log"
	title "after"
	after=$(version_now)
	until_true 20 "the list shows it" sentineld.log is_listed
	show $ctl container list
	show $ctl container logs worker-1/web --lines 3
	echo
	echo "before: $before"
	echo "after:  $after"
	[ "$after" = "$image:2 running" ] ||
	    die "the container is not on version 2"
	lab_docker logs web 2>&1 | grep -q '^version 2$' ||
	    die "the container does not say that it is version 2"
	echo "The container web on worker-1 runs version 2."
}

farewell()
{
	cat <<-EOT

	Everything goes on running.  To look around:

	  $ctl host show worker-1
	  $ctl container logs worker-1/web
	  $ctl container update worker-1/web --image $image:1
	  $ctl events
	  DOCKER_HOST=unix://$LAB_DIR/docker.sock docker ps
	  ps -eo user,pid,args | grep 'sentine[l]'
	  tail -f $dir/sentineld.log $dir/sentinel-agentd.log

	The configuration is $dir/sentinel.conf.  To stop and remove it all:

	  make demo-down$([ "$2" = "$B/demo" ] || echo " DEMO_DIR=$2")
	EOT
}

up()
{
	[ "$(id -u)" -eq 0 ] ||
	    die "needs root, for a Docker Engine and users of its own"
	check_length
	if [ -f "$dir/.sentinel-demo" ]; then
		echo "demo: one is there already, starting again from nothing"
		down
	fi
	if [ -d "$dir" ] && [ -n "$(ls -A "$dir")" ]; then
		die "$dir is not empty and not a demo; use another DEMO_DIR"
	fi
	mkdir -p "$dir" && touch "$dir/.sentinel-demo" ||
	    die "cannot write to $dir"
	chmod 711 "$dir"
	trap 'echo "demo: stopped half way; clean up: make demo-down" >&2' EXIT
	start_engine
	write_conf
	start_server
	start_agent
	update
	trap - EXIT
	farewell "$@"
}

down()
{
	if [ ! -f "$dir/.sentinel-demo" ]; then
		echo "demo: nothing in $dir"
		return
	fi
	# Gently first: the daemons close what they have open.
	for log in sentinel-agentd sentineld; do
		[ -f "$LAB_DIR/init.pid" ] || break
		lab_run pkill -TERM -P 1 -x "$log" 2>/dev/null
		wait_for 6 daemon_gone "$log"
	done
	lab_stop "$LAB_DIR"
	rm -rf "$dir"
	[ -d "$dir" ] && die "$dir cannot be removed"
	echo "demo: stopped and removed"
}

daemon_gone()
{
	! lab_run pgrep -P 1 -x "$1"
}

case ${1:-} in
up)	up "$@" ;;
down)	down ;;
*)	die "usage: demo.sh up|down DIR" ;;
esac
