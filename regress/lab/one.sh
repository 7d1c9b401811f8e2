#!/bin/sh
#
# one.sh DIR SCENARIO: run one scenario and file its result in DIR.
#
# Lines at the head of a scenario say what it needs:
#	# needs: docker		the suite's Docker Engine and registry
#	# needs: root		is skipped for everybody else
#	# needs: full		only with FULL=1
#	# needs: filter		not with SANITIZE=1, which has no system call filter
#	# timeout: N		seconds (default 60)
#	# full: N		seconds with FULL=1 (default five times that)
#	# lock: NAME		not beside others with this lock: names or ports
#				that are the same on the suite's engine
#
# As root a scenario runs in network, mount and pid namespaces of its own:
# port 9443 is always free there, and the kernel ends whatever is left when
# the scenario ends.

set -u
res=$1
t=$2
n=integration.$(basename "$t" .sh)
out=$res/$n.out

. regress/lab/lib.sh

skip()
{
	echo "ok - $n # SKIP $1" >"$out"
	echo 77 >"$res/$n.rc"
	sh regress/lab/report.sh "$res" "$n"
	exit 0
}

needs=$(sed -n 's/^# needs: *//p' "$t")
secs=$(sed -n 's/^# timeout: *//p' "$t")
full=$(sed -n 's/^# full: *//p' "$t")
lock=$(sed -n 's/^# lock: *//p' "$t")
if [ -n "$lock" ]; then
	exec 8>"$res/lock.$lock"
	flock 8
fi
for need in $needs; do
	case $need in
	root)	[ "$(id -u)" -eq 0 ] || skip "needs root" ;;
	filter)	if ldd "$B/sentineld" | grep -q asan; then
			skip "sanitizers and the system call filter exclude each other"
		fi
		;;
	full)	[ "${FULL:-0}" = 1 ] || skip "only with FULL=1" ;;
	docker)	[ "$(id -u)" -eq 0 ] || skip "needs root for a Docker Engine"
		if ! lab_up >"$out" 2>&1; then
			echo "not ok - the lab did not start" >>"$out"
			echo 1 >"$res/$n.rc"
			sh regress/lab/report.sh "$res" "$n"
			exit 0
		fi
		;;
	esac
done

secs=${secs:-60}
[ "${FULL:-0}" = 1 ] && secs=${full:-$((secs * 5))}
T=$(mktemp -d "${LAB_DIR%/*}/s.XXXX") || exit 1
# The daemons' unprivileged children walk through it to their own directories.
chmod 711 "$T"
export T LAB_DIR
begin=$(date +%s)
if [ "$(id -u)" -eq 0 ]; then
	# unshare ignores SIGTERM while it waits, and takes the whole pid
	# namespace with it when it is killed.
	timeout -s KILL "$secs" \
	    unshare --net --mount --pid --fork --kill-child --mount-proc \
	    sh regress/lab/inside.sh "$t" >"$out" 2>&1 8>&-
else
	timeout -k 5 "$secs" sh regress/lab/inside.sh "$t" >"$out" 2>&1 8>&-
fi
rc=$?
# An engine of the scenario's own that had no time to clean up.
[ -d "$T/lab" ] && (lab_stop "$T/lab")
[ $rc -eq 137 ] && echo "not ok - $n: stopped after $secs s" >>"$out"
# A command that is none, or a number that is none: who knows what was tested.
grep -E '^regress/lab/inside\.sh: [0-9]+: .*(not found|Illegal number|unexpected operator|bad number|argument expected)$' \
    "$out" | sed "s/^/not ok - $n: /" >"$T/shell"
cat "$T/shell" >>"$out"
grep -Eq '^(not )?ok ' "$out" || [ $rc -eq 77 ] ||
    echo "not ok - $n: it tests nothing" >>"$out"
if [ $rc -ne 0 ] && [ $rc -ne 77 ] || grep -q '^not ok' "$out"; then
	for log in "$T"/*.log; do
		[ -s "$log" ] || continue
		echo "# --- $(basename "$log")"
		tail -n 60 "$log" | sed 's/^/# /'
	done >>"$out"
fi
echo $(($(date +%s) - begin)) >"$res/$n.sec"
echo $rc >"$res/$n.rc"
[ "${KEEP:-0}" = 1 ] || rm -rf "$T"
sh regress/lab/report.sh "$res" "$n"
