#!/bin/sh
#
# The table of messages in sentinel-privsep(7) is that of imsg_types.def, and
# those of processes are those of the daemons: what confine_test.c takes for
# granted is here compared with what was promised.  TAP.

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

# Rows of both process tables: user, promises, root, network namespace.
for d in sentineld sentinel-agentd; do
	awk -F'"' '
	/\.pr_name/ { name = $2; user = prom = ""; root = "empty"; net = "host" }
	/\.pr_user/ { user = $2 }
	/PROC_ROOT_STATE/ { root = "state" }
	/PROC_F_NETNS/ { net = "empty" }
	/\.pr_promises/ { prom = $2 }
	/^	}/ && user != "" {
		printf "%s %s %s %s %s\n", name, user, root, net, prom
		user = ""
	}' $d/table.c >"$rows"
	[ -s "$rows" ] || echo "none" >"$rows"
	while read -r name user root net promises; do
		line=$(grep "^\.It $name Ta [0-9]* Ta $user Ta" \
		    man/sentinel-privsep.7 | sed 's/.* Ta \(_[^ ]*\) Ta \(.*\) Ta \([^ ]*\)$/\1 \3 \2/
		    s, data_dir/[a-z]* , state ,')
		check "$d: $name" "$user $root $promises" "$line"
		[ "$name" = uplink ] && want=host || want=empty
		check "$d: $name: network" "$net" "$want"
	done <"$rows"
done
echo "1..$n"
