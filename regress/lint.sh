#!/bin/sh
#
# The manual pages, the options they describe and the C sources.  TAP.

set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
n=0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

# result WHAT STATUS: one test line; the log is printed when it failed.
result()
{
	n=$((n + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		sed 's/^/# /' "$log"
	fi
}

# options_of_usage PROGRAM: the option letters and words its usage line
# shows, one a line.  "[-dnv] [-f file]" has -d, -n, -v and -f.
options_of_usage()
{
	"$B/$1" -? 2>&1 </dev/null | sed -n '/^usage:/,$p' | tr -c '[:alnum:]-' '\n' |
	while read -r word; do
		case $word in
		--?*)	echo "$word" ;;
		-?*)	echo "${word#-}" | sed 's/./&\n/g' | sed '/^$/d;s/^/-/' ;;
		esac
	done | sort -u
}

# options_of_page PAGE: the same from ".Op Fl dnv", ".It Fl f Ar file" and
# the like.
options_of_page()
{
	grep '^\.' "$1" | awk '{
		for (i = 1; i < NF; i++)
			if ($i == "Fl" && $(i + 1) ~ /^[-[:alnum:]]+$/)
				print $(i + 1)
	}' | while read -r word; do
		case $word in
		-*)	echo "-$word" ;;
		*)	echo "$word" | sed 's/./&\n/g' | sed '/^$/d;s/^/-/' ;;
		esac
	done | sort -u
}

for page in man/*.[1-9]; do
	[ -f "$page" ] || continue
	mandoc -Tlint -Wwarning "$page" >"$log" 2>&1
	[ ! -s "$log" ]
	result "mandoc $page" $?
done

for prog in sentineld sentinel-agentd sentinelctl; do
	if [ ! -x "$B/$prog" ] || [ ! -f "man/$prog.8" ]; then
		n=$((n + 1))
		echo "ok $n - options of $prog # SKIP not built or no page"
		continue
	fi
	options_of_usage "$prog" >"$log.usage"
	options_of_page "man/$prog.8" >"$log.page"
	[ -s "$log.usage" ] &&
	    diff -u "$log.usage" "$log.page" >"$log" 2>&1
	result "options of $prog: usage and page agree" $?
	rm -f "$log.usage" "$log.page"
done

# The results of unchanged files are kept in the build directory.  Of the
# system's headers cppcheck sees only the list and tree macros: all of them
# would take minutes.  It wants readdir_r(), which POSIX has dropped, takes a
# key for RB_FIND() with only its key members set for uninitialised, and has
# accept4() with a NULL address wrong.  NULL is a pointer, as POSIX demands.
mkdir -p "$B/cppcheck/res" "$B/cppcheck/inc/bsd/sys"
cp /usr/include/bsd/sys/queue.h /usr/include/bsd/sys/tree.h \
    "$B/cppcheck/inc/bsd/sys/"
# shellcheck disable=SC2046
cppcheck --quiet -j 2 --error-exitcode=1 \
    --cppcheck-build-dir="$B/cppcheck/res" \
    --std=c11 --enable=warning,portability --inline-suppr \
    --suppress=missingInclude --suppress=readdirCalled \
    --suppress=ctuuninitvar --suppress=varFuncNullUB \
    '-Daccept4(a,b,c,d)=accept(a,b,c)' \
    --suppress="*:$B/cppcheck/inc/*" --library=posix --library=gnu \
    -D_GNU_SOURCE -D__linux__ -I"$B/cppcheck/inc" -Ilib -Isentineld \
    -Isentinel-agentd -Isentinelctl \
    $(ls -d lib sentineld sentinel-agentd sentinelctl 2>/dev/null) \
    >"$log" 2>&1
result "cppcheck" $?

# The shell parts must parse; "sh" is dash on Debian.
for f in regress/*.sh regress/*/*.sh .ci/deps etc/sentinel.init etc/rc.d/*; do
	sh -n "$f"
done >"$log" 2>&1
[ ! -s "$log" ]
result "shell scripts parse" $?

/usr/bin/python3 -B regress/docs.py >"$log" 2>&1
result "the documents say what the tree has" $?

/usr/bin/python3 -B regress/shape.py >"$log" 2>&1
result "lines, functions and files are short" $?

for f in regress/*.py regress/peer/*.py; do
	[ -f "$f" ] || continue
	/usr/bin/python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' \
	    "$f" >"$log" 2>&1
	result "$f parses" $?
done

echo "1..$n"
