# Part of run.sh: containers on one host.  Needs root and what the suite's lab
# needs; prints a line and returns where they are not there.
CONTAINERS=200

# settled_pss PID: PSS of the tree once it does not move any more.
settled_pss()
{
	sp_last=0
	for sp_n in 1 2 3 4 5 6 7 8 9 10; do
		sp_now=$(pss "$1")
		[ "$sp_now" = "$sp_last" ] && break
		sp_last=$sp_now
		sleep 1
	done
	echo "$sp_now"
}

live_conf()
{
	cat >"$T/a.conf" <<-EOT
	mode: agent
	privileges: drop
	run_dir: $T/arun
	agent:
	  server: "127.0.0.1:$PORT"
	  name: live
	  enroll_token_file: $T/a.token
	  data_dir: $T/adata
	  docker: unix://$LAB_DIR/docker.sock
	EOT
	chmod 711 "$T"
	mkdir -p "$T/adata" "$T/arun"
}

# live_has N: the server lists so many containers.
live_has()
{
	"$B/sentinelctl" -s "$CTL" container list --host live --json \
	    >"$T/list" 2>&1 &&
	    [ "$(grep -o '"image_digest"' "$T/list" | wc -l)" -eq "$1" ]
}

live_containers()
{
	lc_n=0
	while [ $lc_n -lt $CONTAINERS ]; do
		lc_n=$((lc_n + 1))
		echo "live-$lc_n"
	done | xargs -P 4 -I {} docker -H "unix://$LAB_DIR/docker.sock" \
	    create --name {} -l "app=live" -l "sentinel.policy=manual" \
	    "$LAB_REGISTRY/demo:1" >/dev/null
}

live()
{
	if [ "$(id -u)" -ne 0 ] || ! command -v dockerd >/dev/null ||
	    ! command -v unshare >/dev/null; then
		echo "containers: not measured: needs root and dockerd"
		return
	fi
	lab_start "$T/lab" && lab_image demo:1 1 || {
		echo "containers: not measured: the lab did not start"
		return
	}
	server_start
	live_conf
	"$B/sentinelctl" -s "$CTL" token create --json |
	    sed -n 's/.*"token": *"\([0-9a-f]*\)".*/\1/p' >"$T/a.token"
	chmod 600 "$T/a.token"
	"$B/sentinel-agentd" -d -f "$T/a.conf" >>"$T/a.log" 2>&1 &
	echo $! >"$T/a.pid"
	wait_for 20 live_has 0 && sleep 3
	l_empty=$(settled_pss "$(cat "$T/a.pid")")
	live_containers
	wait_for 60 live_has $CONTAINERS || die "the containers do not show"
	sleep 3
	l_full=$(settled_pss "$(cat "$T/a.pid")")
	read -r l_seen l_usec <<-EOT
	$($ON_CLIENT "$B/bench/lists" "$LAB_DIR/docker.sock" 21 || echo "0 0")
	EOT
	[ "$l_seen" -eq $CONTAINERS ] || die "a list of $l_seen containers"
	echo "containers: a list of $l_seen takes" \
	    "$(calc "$l_usec / 1000") ms (goal 150 ms); the agent's memory" \
	    "grows by $((l_full - l_empty)) KiB to $l_full KiB of PSS" \
	    "(goal 2048 KiB)"
	kill "$(cat "$T/a.pid")"
	wait "$(cat "$T/a.pid")" 2>/dev/null
	rm -f "$T/a.pid"
	server_stop
	lab_stop "$T/lab"
}
