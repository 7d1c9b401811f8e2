#!/bin/sh
# The counter of the tests itself: it must not call a failure a pass.  TAP.

set -u
d=$(mktemp -d) || exit 1
trap 'rm -rf "$d"' EXIT
n=0

# counts WHAT STATUS OUTPUT WANT
counts()
{
	n=$((n + 1))
	printf '%b' "$3" >"$d/x.out"
	echo "$2" >"$d/x.rc"
	sh regress/lab/report.sh "$d" x >/dev/null
	got=$(cat "$d/x.sum")
	if [ "$got" = "$4" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1: '$got', not '$4'"
	fi
}

counts "passed" 0 '1..2\nok 1 - a\nok 2 - b\n' "2 0 0"
counts "failed" 1 '1..2\nok 1 - a\nnot ok 2 - b\n# why\n' "1 1 0"
counts "failed, but exit status 0" 0 'ok 1\nnot ok 2\n' "1 1 0"
counts "skipped" 0 'ok 1 # SKIP no root\n' "0 0 1"
counts "skipped as cmocka says it" 0 '1..1\nnot ok 1 # SKIP t\n' "0 0 1"
counts "stopped before the end" 0 '1..3\nok 1 - a\n' "1 1 0"
counts "died after passing" 139 'ok 1 - a\n' "1 1 0"
counts "no line, status 0" 0 'hello\n' "1 0 0"
counts "no line, status 77" 77 '' "0 0 1"
counts "skipped with a line, status 77" 77 'ok - x # SKIP why\n' "0 0 1"
counts "passed, but status 77" 77 'ok 1\n' "1 1 0"
counts "no line, died" 134 '' "0 1 0"
counts "timed out" 124 'ok 1 - a\n' "1 1 0"

n=$((n + 1))
if sh regress/lab/report.sh -s "$d" >/dev/null; then
	echo "not ok $n - failures make the exit status 1"
else
	echo "ok $n - failures make the exit status 1"
fi
n=$((n + 1))
last=$(sh regress/lab/report.sh -s "$d" | tail -n 1)
if [ "$last" = "1 passed, 1 failed, 0 skipped" ]; then
	echo "ok $n - last line"
else
	echo "not ok $n - last line: $last"
fi
echo "1..$n"
