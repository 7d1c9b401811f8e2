#!/bin/sh
#
# Run every fuzz harness of $B/fuzz/bin: FUZZ_RUNS inputs each, or for
# FUZZ_SECONDS.  Samples for a harness X_fuzz lie in regress/fuzz/X/.  TAP.

set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
if [ -n "${FUZZ_RUNS:-}" ]; then
	limit=-runs=$FUZZ_RUNS
else
	limit=-max_total_time=${FUZZ_SECONDS:-60}
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0
for src in regress/fuzz/*_fuzz.c; do
	name=$(basename "$src" .c)
	n=$((n + 1))
	corpus=$dir/$name
	mkdir "$corpus"
	samples=regress/fuzz/${name%_fuzz}
	[ -d "$samples" ] || samples=
	# New inputs go to the temporary directory; a crash is kept in $B.
	# shellcheck disable=SC2086
	if "$B/fuzz/bin/$name" "$limit" -timeout=10 -rss_limit_mb=2048 \
	    -artifact_prefix="$B/fuzz/$name-" "$corpus" $samples \
	    >"$dir/log" 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		tail -30 "$dir/log" | sed 's/^/# /'
	fi
done
echo "1..$n"
