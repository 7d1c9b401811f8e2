#!/bin/sh
#
# report.sh DIR NAME	count what DIR/NAME.out and DIR/NAME.rc say into
#			DIR/NAME.sum and print one line
# report.sh -s DIR	list the failed ones with their output, then the sum;
#			exit status 1 if there are failures or nothing ran

set -u

count()
{
	awk -v rc="$2" '
	/^1\.\.[0-9]+/	{ plan += substr($1, 4) }
	# cmocka writes "not ok N # SKIP name"
	/^(not )?ok.*# *SKIP/ { s++; next }
	/^not ok/	{ f++; next }
	/^ok/		{ p++ }
	END {
		n = p + f + s
		if (n == 0 && rc == 77)
			s = 1
		else if (n == 0 && rc == 0)
			p = 1
		else if (rc == 77 && s == n)
			;		# skipped, and said why
		else if (rc != 0 && f == 0)
			f++		# died, or failed without saying where
		else if (plan > n)
			f++		# stopped half way
		printf "%d %d %d\n", p, f, s
	}' "$1"
}

if [ "$1" = -s ]; then
	dir=$2
	for sum in "$dir"/*.sum; do
		[ -f "$sum" ] || continue
		read -r p f s <"$sum"
		[ "$f" -eq 0 ] && continue
		n=$(basename "$sum" .sum)
		echo
		echo "== failed: $n (exit status $(cat "$dir/$n.rc"))"
		if [ "$(wc -l <"$dir/$n.out")" -gt 300 ]; then
			grep -A 20 '^not ok' "$dir/$n.out" | head -n 150
			echo "[...]"
		fi
		tail -n 300 "$dir/$n.out"
	done
	cat "$dir"/*.sum 2>/dev/null | awk '
		{ p += $1; f += $2; s += $3 }
		END {
			printf "%d passed, %d failed, %d skipped\n", p, f, s
			exit (f > 0 || p == 0)
		}'
	exit
fi

dir=$1
n=$2
rc=$(cat "$dir/$n.rc")
count "$dir/$n.out" "$rc" >"$dir/$n.sum"
read -r p f s <"$dir/$n.sum"
word=ok
[ "$p" -eq 0 ] && word=skip
[ "$f" -gt 0 ] && word=FAIL
line="$word $n: $p passed"
[ "$f" -gt 0 ] && line="$line, $f failed"
[ "$s" -gt 0 ] && line="$line, $s skipped"
[ -f "$dir/$n.sec" ] && line="$line ($(cat "$dir/$n.sec") s)"
echo "$line"
# The size of a kill matrix, and how much of it held.
sed -n 's/^# matrix: /	/p' "$dir/$n.out"
