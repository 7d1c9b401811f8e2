#!/bin/sh
# Golden configurations: NAME.in -> sentineld -n -v -> NAME.ok or NAME.err.
# What is printed must also be read again to the same.  Prints TAP.
#
# Lines of NAME.in for this script: "#daemon agent", "#chmod MODE",
# "#env NAME=VALUE".  REGEN=1 writes the results instead of comparing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
case ${B:-build} in
/*)	b=${B} ;;
*)	b=$top/${B:-build} ;;
esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
n=0

result() {	# ok-or-not name
	n=$((n + 1))
	echo "$1 $n - conf: $2"
}

# The daemon that "#daemon" names, over file $1, in $tmp, in an environment
# of what follows and nothing else.  Leaves out, err and rc.
check() {
	file=$1
	shift
	rc=0
	(cd "$tmp" && exec env -i "$@" "$b/$daemon" -n -v -f "$file" \
	    >out 2>err) || rc=$?
}

values() {
	sed 's/[ ]*# [^"]*$//' "$1" | grep -v '^ *$'
}

for in in "$here"/*.in; do
	name=$(basename "$in" .in)
	case $(sed -n 's/^#daemon //p' "$in") in
	agent)	daemon=sentinel-agentd ;;
	*)	daemon=sentineld ;;
	esac
	mode=$(sed -n 's/^#chmod //p' "$in")
	set --
	while IFS= read -r line; do
		set -- "$@" "$line"
	done <<-END
	$(sed -n 's/^#env //p' "$in")
	END
	[ -n "${1:-}" ] || set --
	cp "$in" "$tmp/$name.in"
	chmod "${mode:-644}" "$tmp/$name.in"
	check "$name.in" "$@"

	if [ "${REGEN:-}" ]; then
		rm -f "$here/$name.ok" "$here/$name.err"
		if [ $rc -eq 0 ]; then
			cp "$tmp/out" "$here/$name.ok"
		else
			cp "$tmp/err" "$here/$name.err"
		fi
		continue
	fi
	if [ -f "$here/$name.ok" ]; then
		if [ $rc -ne 0 ] || ! diff -u "$here/$name.ok" "$tmp/out" \
		    >"$tmp/diff"; then
			sed 's/^/# /' "$tmp/err" "$tmp/diff"
			result "not ok" "$name is accepted"
			continue
		fi
		result ok "$name is accepted"
		mv "$tmp/out" "$tmp/printed"
		chmod 600 "$tmp/printed"
		check printed "$@"
		values "$tmp/printed" >"$tmp/a"
		values "$tmp/out" >"$tmp/b"
		if [ $rc -eq 0 ] && [ -s "$tmp/a" ] &&
		    diff -u "$tmp/a" "$tmp/b" >"$tmp/diff"; then
			result ok "$name is read again as printed"
		else
			sed 's/^/# /' "$tmp/err" "$tmp/diff"
			result "not ok" "$name is read again as printed"
		fi
	elif [ $rc -eq 65 ] && [ -f "$here/$name.err" ] &&
	    diff -u "$here/$name.err" "$tmp/err" >"$tmp/diff"; then
		result ok "$name is refused"
	else
		echo "# exit status $rc"
		sed 's/^/# /' "$tmp/diff"
		result "not ok" "$name is refused"
	fi
done

daemon=sentineld
cp "$top/etc/sentinel.conf" "$tmp/example"
chmod 644 "$tmp/example"
check example
if [ $rc -eq 0 ]; then
	result ok "etc/sentinel.conf"
else
	sed 's/^/# /' "$tmp/err"
	result "not ok" "etc/sentinel.conf"
fi
check no-such-file
if [ $rc -eq 78 ] && grep -q no-such-file "$tmp/err"; then
	result ok "a missing -f file is refused"
else
	result "not ok" "a missing -f file is refused"
fi
echo "1..$n"
