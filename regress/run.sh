#!/bin/sh
#
# Run the tests and count them.
#
#	run.sh [lint] [unit] [conf] [fuzz] [integration]
#
# Environment: B = build directory (default build); FULL=1 = the long
# scenarios too; KEEP=1 = keep the working directory; ONLY=pattern = only
# the scenarios and unit tests whose name matches; JOBS = scenarios at the
# same time (default one more than there are processors: they wait more than
# they work).
#
# Every test speaks TAP; a program that prints no test line counts as one
# test by its exit status (0 passed, 77 skipped, anything else failed).
# Failed tests are listed with their output; the very last line is
# "N passed, N failed, N skipped" and the exit status is 1 on failure.

set -u
unset CDPATH
top=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$top" || exit 1
B=${B:-build}
case $B in
/*)	;;
*)	B=$top/$B ;;
esac
FULL=${FULL:-0}
ONLY=${ONLY:-}
CPUS=$(nproc)
JOBS=${JOBS:-$((CPUS + 1))}
export B FULL

. regress/lab/lib.sh

# The path is short on purpose: a socket path has 107 bytes.
work=$(mktemp -d "${TMPDIR:-/tmp}/snt.XXXXXX") || exit 1
chmod 711 "$work"
mkdir "$work/res"
export LAB_DIR="$work/lab"

finish()
{
	trap - EXIT HUP INT TERM
	lab_down
	if [ "${KEEP:-0}" = 1 ]; then
		echo "kept: $work"
	else
		rm -rf "$work"
	fi
}
trap finish EXIT
trap 'finish; exit 130' HUP INT TERM

selected()
{
	[ -z "$ONLY" ] && return 0
	# shellcheck disable=SC2254
	case $1 in
	$ONLY|*/$ONLY) return 0 ;;
	esac
	return 1
}

# result NAME RC: file the output $work/res/NAME.out and print one line.
result()
{
	echo "$2" >"$work/res/$1.rc"
	sh regress/lab/report.sh "$work/res" "$1"
}

unit()
{
	for t in "$B"/unit/*/*_test regress/unit/*/*_test.sh; do
		[ -f "$t" ] || continue
		selected "$t" && echo "$t"
	done >"$work/list"
	xargs -P "$CPUS" -n 1 sh regress/lab/unit.sh "$work/res" <"$work/list"
}

conf()
{
	[ -f regress/conf/run.sh ] || return
	timeout -k 5 120 sh regress/conf/run.sh >"$work/res/conf.out" 2>&1
	result conf $?
}

fuzz()
{
	FUZZ_RUNS=2000 timeout -k 5 300 sh regress/fuzz/run.sh \
	    >"$work/res/fuzz.out" 2>&1
	result fuzz $?
}

lint()
{
	timeout -k 5 300 sh regress/lint.sh >"$work/res/lint.out" 2>&1
	result lint $?
}

integration()
{
	# A slot takes the next scenario when it is free, and those that may
	# take long come first, so that no slot is left with one of them.
	for t in regress/integration/t_*.sh; do
		[ -f "$t" ] || continue
		selected "$t" || continue
		n=$(sed -n 's/^# timeout: *//p' "$t")
		echo "${n:-60} $t"
	done | sort -s -k 1,1nr | cut -d ' ' -f 2 >"$work/list"
	xargs -P "$JOBS" -n 1 sh regress/lab/one.sh "$work/res" <"$work/list"
	lab_down
}

[ $# -gt 0 ] || set -- lint unit conf fuzz integration
for part in "$@"; do
	case $part in
	lint|unit|conf|fuzz|integration)
		echo "== $part"
		$part
		;;
	*)	echo "usage: run.sh [lint] [unit] [conf] [fuzz] [integration]" >&2
		exit 2
		;;
	esac
done

sh regress/lab/report.sh -s "$work/res"
