# container logs -f: what becomes of it when its container is restarted or
# updated, when Docker or a process on the way dies, when nobody reads; and the
# times of --since and --until.  The engine is this scenario's own.
# needs: root
# timeout: 120

c=flife
trap 'lab_docker rm -f $c $c-flood >/dev/null 2>&1; scenario_end
    lab_stop "$T/lab"' EXIT
must "an engine of its own" lab_start "$T/lab"
LAB_DIR=$T/lab
must "its images" lab_image demo:1 1
must "and a second one" lab_image demo:2 2
AGENT_DOCKER=unix://$LAB_DIR/docker.sock
lab_docker run -d --name $c "$LAB_REGISTRY/demo:1" sh -c 'n=0; trap "exit 0" \
    TERM; while :; do n=$((n+1)); echo "out $n"; sleep 0.2; done' \
    >/dev/null || exit 1
lab_docker create --name $c-flood "$LAB_REGISTRY/demo:1" sh -c 'l=x; for i in \
    1 2 3 4 5 6 7 8 9; do l=$l$l; done; while :; do echo "$l"; done' \
    >/dev/null || exit 1

server_conf
sed -i "s,^  docker: none,  docker: unix://$LAB_DIR/docker.sock,
    s/^    logs_timeout: .*/&\n    follow_idle_timeout: 1s/" "$T/s.conf"
must "the server starts" server_start
must "the agent connects" enrolled worker-1
must "the server has its own Docker" wait_for 10 sh -c "$B/sentinelctl \
    -s $CTL_SOCK container list --host local --json | jq -e 'length > 0'"

# follow NAME TARGET [OPTIONS]: in the background, output in $T/NAME.out.
follow()
{
	fo_name=$1
	shift
	"$B/sentinelctl" -s "$CTL_SOCK" container logs -f "$@" \
	    >"$T/$fo_name.out" 2>"$T/$fo_name.err" </dev/null &
	echo $! >"$T/$fo_name.fpid"
	must "$fo_name: lines come" wait_for 10 grep -q . "$T/$fo_name.out"
}

fpid()
{
	cat "$T/$1.fpid"
}

# ends NAME STATUS REGEX: within 10 s, with that status and line.
ends()
{
	check "$1: it ends" wait_for 10 gone "$(fpid "$1")"
	wait "$(fpid "$1")"
	check_eq "$1: its status" "$2" "$?"
	check "$1: it says why" has "$T/$1.err" "^sentinelctl: $3"
}

# both TEXT STATUS REGEX: of the agent's Docker, and of the server's own.
both()
{
	ends "$1" "$2" "$3"
	ends "$1-local" "$2" "$3"
}

begin_both()
{
	follow "$1" "worker-1/$c" --tail 1
	follow "$1-local" "local/$c" --tail 1
}

# --- the container ---------------------------------------------------------
begin_both restart
ctl container restart worker-1/$c >/dev/null
both restart 0 "container \"$c\" has ended"
begin_both rename
lab_docker rename $c $c-other
n=$(wc -l <"$T/rename.out")
check "renamed it goes on" wait_for 5 sh -c \
    "[ \$(wc -l <$T/rename.out) -gt $((n + 2)) ]"
lab_docker rename $c-other $c
kill "$(fpid rename)" "$(fpid rename-local)"

follow update worker-1/$c --tail 1
check "an update" ctl container update worker-1/$c --image "$LAB_REGISTRY/demo:2"
ends update 1 "container \"$c\" was stopped by an update that is under way"
follow after worker-1/$c --tail 1
kill "$(fpid after)"

# --- who is on the way -----------------------------------------------------
follow docker worker-1/$c --tail 1
kill -9 "$(child_of worker-1 docker)"
ends docker 1 "the docker process of the agent has died"
must "there is another one" wait_for 10 child_of worker-1 docker
must "and it knows Docker" wait_for 10 ctl container logs worker-1/$c --tail 1
follow own local/$c --tail 1
kill -9 "$(child_of s docker)"
ends own 5 "the docker process died"
follow uplink worker-1/$c --tail 1
kill -9 "$(child_of worker-1 uplink)"
ends uplink 5 "host worker-1 disconnected"
must "the agent is back" wait_connected worker-1
# All of the agent ends with its engine; its service manager starts it again.
follow again worker-1/$c --tail 1
kill -9 "$(child_of worker-1 engine)"
ends again 5 "host worker-1 disconnected"
check "the agent ends" wait_for 10 gone "$(pid_of worker-1)"
agent_start worker-1
must "and comes back" wait_connected worker-1

# --- a reader that takes nothing -------------------------------------------
lab_docker start $c-flood >/dev/null
before=$(find "/proc/$(child_of worker-1 docker)/fd" -lname 'socket:*' | wc -l)
follow idle worker-1/$c-flood --tail 1
kill -STOP "$(fpid idle)"
check "who takes nothing is ended" wait_log s \
    "logs of $c-flood .*nobody has read them for 1 s" 15
check "at Docker too" wait_for 5 sh -c "[ \$(find \
    /proc/$(child_of worker-1 docker)/fd -lname 'socket:*' | wc -l) -le \
    $before ]"
kill -CONT "$(fpid idle)"
ends idle 6 "nothing of this log was read for 1 s: ended"
lab_docker rm -f $c-flood >/dev/null
follow quiet worker-1/$c --tail 1
sleep 2
check "who reads what comes is not" alive "$(fpid quiet)"
kill "$(fpid quiet)"

# --- times ------------------------------------------------------------------
stamp()
{
	ctl container logs "$1" --timestamps --tail 1 | cut -d ' ' -f 1
}
for target in worker-1/$c local/$c; do
	t1=$(stamp $target)
	sleep 2
	ctl container logs $target -t --since "$t1" >"$T/since"
	check "$target: since a time: not what is older" sh -c "head -n 1 \
	    $T/since | cut -c 1-19 | awk '\$1 < \"$(echo "$t1" |
	    cut -c 1-19)\" { exit 1 }'"
	check "$target: but what is younger" test "$(wc -l <"$T/since")" -gt 1
	sec=$(date -d "$t1" +%s)
	ctl container logs $target -t --until "$sec" >"$T/until"
	check "$target: until one: something" test -s "$T/until"
	check "$target: and nothing after it" sh -c "tail -n 1 $T/until |
	    cut -c 1-19 | awk '\$1 > \"$(date -u -d "@$sec" \
	    +%Y-%m-%dT%H:%M:%S)\" { exit 1 }'"
	ctl container logs $target -t --until "$sec" --tail 2 >"$T/two"
	check_eq "$target: the last two of them" "$(tail -n 2 "$T/until")" \
	    "$(cat "$T/two")"
done
check_rc "--until and -f: 2" 2 ctl container logs -f worker-1/$c --until 1s
check_rc "a time that is none: 2" 2 ctl container logs worker-1/$c \
    --since 2026-02-30

# --- Docker, last --------------------------------------------------------------
begin_both dockerd
pgrep -x dockerd >"$T/dockerd"
kill -9 "$(cat "$T/dockerd")"
both dockerd 1 "."
exit $SCENARIO_RC
