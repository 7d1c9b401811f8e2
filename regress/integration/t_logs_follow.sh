# container logs -f: lines come as they are written, from an agent's containers
# and from the server's own; a reader that stands still costs nobody memory or
# heartbeats; whatever ends it ends it at Docker.
# needs: docker
# timeout: 120

c=follow
trap 'lab_docker rm -f $c $c-tty $c-flood >/dev/null 2>&1; scenario_end' EXIT
AGENT_DOCKER=unix://$LAB_DIR/docker.sock

# A line to each stream, numbered, every 0.2 s, and one that is no UTF-8.
lab_docker run -d --name $c "$LAB_REGISTRY/demo:1" sh -c 'n=0; trap "exit 0" \
    TERM; printf "bad \377 byte\n"; while :; do n=$((n+1)); echo "out $n";
    echo "err $n" >&2; sleep 0.2; done' >/dev/null || exit 1
lab_docker run -d -t --name $c-tty "$LAB_REGISTRY/demo:1" sh -c 'while :; do
    echo "tty line"; sleep 0.2; done' >/dev/null || exit 1
lab_docker create --name $c-flood "$LAB_REGISTRY/demo:1" sh -c 'l=x; for i in \
    1 2 3 4 5 6 7 8 9; do l=$l$l; done; while :; do echo "$l"; done' \
    >/dev/null || exit 1

server_conf
sed -i "s,^  docker: none,  docker: unix://$LAB_DIR/docker.sock," "$T/s.conf"
must "the server starts" server_start
must "the agent connects" enrolled worker-1

# follow NAME TARGET [OPTIONS]: in the background, output in $T/NAME.out.
follow()
{
	fo_name=$1
	shift
	"$B/sentinelctl" -s "$CTL_SOCK" container logs -f "$@" \
	    >"$T/$fo_name.out" 2>"$T/$fo_name.err" </dev/null &
	echo $! >"$T/$fo_name.fpid"
}

fpid()
{
	cat "$T/$1.fpid"
}

lines()
{
	[ "$(grep -c "$2" "$T/$1.out")" -ge "$3" ]
}

# sockets NAME: how many the daemon's docker process holds.
sockets()
{
	find "/proc/$(child_of "$1" docker)/fd" -lname 'socket:*' | wc -l
}

# pages NAME: kilobytes of its own, of all its processes.
pages()
{
	for pa_pid in $(pid_of "$1") $(children "$(pid_of "$1")"); do
		cat "/proc/$pa_pid/smaps_rollup"
	done 2>/dev/null | awk '/^Private_Dirty:/ { n += $2 } END { print n }'
}

for host in worker-1 local; do
	[ $host = worker-1 ] && daemon=worker-1 || daemon=s
	before=$(sockets $daemon)
	follow $host $host/$c
	check "$host: old lines and new ones come" wait_for 10 lines $host \
	    "^out " 3
	n=$(wc -l <"$T/$host.out")
	check "$host: and go on" wait_for 5 lines $host "" $((n + 6))
	check "$host: of both streams" has "$T/$host.out" "^err [0-9]+$"
	check "$host: what is no UTF-8 is repaired" has "$T/$host.out" \
	    "^bad $(printf '\357\277\275') byte$"
	kill "$(fpid $host)"
	wait "$(fpid $host)" 2>/dev/null
	check "$host: with its client it ends at Docker" wait_for 5 sh -c "
	    [ \$(find /proc/$(child_of $daemon docker)/fd -lname 'socket:*' |
	    wc -l) -le $before ]"
done

follow err worker-1/$c --stderr -t --since 1m --json
check "stderr alone, with times, as JSON" wait_for 5 sh -c "tail -n 1 \
    $T/err.out | jq -e '.stream == \"stderr\" and
    (.line | test(\"^20[0-9-]*T.*Z err [0-9]+\$\"))'"
check_not "and nothing of stdout" grep -q '"stdout"' "$T/err.out"
kill "$(fpid err)"
check "the tail has the same options" sh -c "$B/sentinelctl -s $CTL_SOCK \
    container logs worker-1/$c --stdout --timestamps --lines 5 |
    awk '!/^20.*Z out [0-9]+\$/ { exit 1 }'"
sleep 1
check_empty "and a time from which on" ctl container logs worker-1/$c-flood \
    --since 1s

follow tty worker-1/$c-tty
check "a terminal's lines have no carriage return" wait_for 5 lines tty \
    "^tty line$" 2
kill "$(fpid tty)"

for i in 1 2 3 4 5 6; do
	follow many$i worker-1/$c
done
for i in 1 2 3 4 5 6; do
	check "follow $i of 6" wait_for 5 lines many$i "^out" 1
done
check_rc "a seventh is refused" 1 ctl container logs -f worker-1/$c
said "and told why" "6 logs of host worker-1 are followed already"
check "other commands of that host go on" ctl container start \
    worker-1/$c-tty
lab_docker stop -t 1 $c >/dev/null
for i in 1 2 3 4 5 6; do
	wait "$(fpid many$i)"
	check_eq "follow $i ends with its container" "0 sentinelctl: container\
 \"$c\" has ended" "$? $(cat "$T/many$i.err")"
done
check_rc "one that does not exist: 3" 3 ctl container logs -f worker-1/none
lab_docker start $c >/dev/null
follow again worker-1/$c --lines 1
check "after its start it is followed again" wait_for 5 lines again "^out" 3

# The flood, and a reader that stands still.
lab_docker start $c-flood >/dev/null
follow flood worker-1/$c-flood --lines 1
check "the flood comes" wait_for 10 lines flood "^x*$" 1000
kill -STOP "$(fpid flood)"
sleep 1
srv=$(pages s)
agt=$(pages worker-1)
ctlkb=$(awk '/^RssAnon/ { print $2 }' "/proc/$(fpid flood)/status")
sleep 5
if ! ldd "$B/sentinel-agentd" | grep -q asan; then
	for d in "s $srv" "worker-1 $agt"; do
		now=$(pages "${d% *}")
		check "a reader that stands still: ${d% *} grew from ${d#* }\
 to $now kB, by less than 2 MB" test $((now - ${d#* })) -lt 2048
	done
	check "and sentinelctl takes $ctlkb kB" test "$ctlkb" -lt 4096
fi
check "the host is connected all the while" host_connected worker-1
check_eq "its stream was never lost" 1 \
    "$(grep -c "connected from" "$T/s.log")"
check "the other follow goes on" sh -c "n=\$(wc -l <$T/again.out); sleep 1
    [ \$(wc -l <$T/again.out) -gt \$n ]"
kill -CONT "$(fpid flood)"
check "then it hears how many lines it has missed" wait_for 10 has \
    "$T/flood.err" "^sentinelctl: [0-9]+ lines skipped$"
n=$(wc -l <"$T/flood.out")
check "and the flood comes again" wait_for 5 lines flood "" $((n + 1000))
lab_docker kill $c-flood >/dev/null
check "until the container is killed" wait_for 20 gone "$(fpid flood)"

# What ends a session ends what it carries.
before=$(sockets worker-1)
ctl host revoke --yes worker-1 >/dev/null
check "revoked, its host is followed no more" wait_for 5 gone "$(fpid again)"
check "and told why" has "$T/again.err" "worker-1 disconnected"
check "at Docker too" wait_for 5 sh -c "[ \$(find \
    /proc/$(child_of worker-1 docker)/fd -lname 'socket:*' | wc -l) -lt \
    $before ]"
