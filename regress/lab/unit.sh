#!/bin/sh
#
# unit.sh DIR TEST: run one unit test and file its result in DIR.

set -u
res=$1
t=$2
n=$(echo "$t" | sed -e "s,^$B/,," -e 's,^regress/,,' -e 's,/,.,g')
case $t in
*.sh)	timeout -k 5 120 sh "$t" ;;
*)	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 120 "$t" ;;
esac >"$res/$n.out" 2>&1
echo $? >"$res/$n.rc"
sh regress/lab/report.sh "$res" "$n"
