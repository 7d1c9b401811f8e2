#!/bin/sh
#
# The table of messages in sentinel-privsep(7) is that of imsg_types.def.  TAP.

set -u
cd "$(dirname "$0")/../../.." || exit 1
n=0
rows=$(mktemp) || exit 1
trap 'rm -f "$rows"' EXIT

# name min max fd, one row a line
tr '\n' ' ' <lib/imsg_types.def |
    grep -o 'IMSG([A-Z_]*,[^()]*)' |
    sed 's/IMSG(//; s/)//; s/[[:space:]]//g' |
    awk -F, '{ print $1, $5, $6, $7 }' >"$rows"

check()
{
	n=$((n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "# page: $3"
		echo "# table: $2"
	fi
}

while read -r name min max fd; do
	[ "$min" = "$max" ] && bytes=$min || bytes="$min to $max"
	[ "$fd" = FD ] && has=yes || has=no
	line=$(grep "^\.It $name Ta" man/sentinel-privsep.7 |
	    sed 's/.* Ta \([0-9][0-9a-z ]*\) Ta \([a-z]*\)$/\1 \2/')
	check "$name" "$bytes $has" "$line"
done <"$rows"
extra=$(grep -c '^\.It [A-Z_]* Ta .* Ta \(yes\|no\)$' man/sentinel-privsep.7)
check "no other messages" "$(wc -l <"$rows" | tr -d ' ')" "$extra"
echo "1..$n"
