#!/bin/sh
# The checks that scenarios are made of: each of them must be able to fail.
set -u
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
PATH=$PWD/regress/lab/bin:$PATH
. regress/lab/lib.sh
. regress/lab/sentinel.sh

n=0

# expect WORD TEXT CHECK...: its first line begins with this word.
expect()
{
	ex_word=$1
	ex_text=$2
	shift 2
	n=$((n + 1))
	ex_got=$("$@" | head -n 1)
	case $ex_got in
	"$ex_word - "*)	echo "ok $n - $ex_text" ;;
	*)	echo "not ok $n - $ex_text: $ex_got" ;;
	esac
}

nothing()
{
	:
}

nothing_yes()
{
	nothing | jq -e 'true'
}

nothing_all()
{
	nothing | jq -se 'all(.[]; .x)' "$@"
}

false_said()
{
	echo '[{"a": 1}, {"a": 2}]' | jq -e 'any(.[]; .a == 3)'
}

true_said()
{
	echo '[{"a": 1}, {"a": 2}]' | jq -e 'any(.[]; .a == 2)'
}

empty_said()
{
	echo '{"a": ""}' | jq -er .a
}

reads_check_out()
{
	check "says hello" echo hello >/dev/null
	check "$1" grep -q "$2" "$T/check.out"
}

says()
{
	check "says hello" echo hello >/dev/null
	said "$1" "$2"
}

echo line >"$T/some"
: >"$T/none"

expect ok "check: true" check x true
expect "not ok" "check: false" check x false
expect "not ok" "check: no such command" check x no-such-command
expect "not ok" "check: jq had no input" check x nothing_yes
expect ok "check: jq says true" check x true_said
expect "not ok" "check: jq says false" check x false_said
expect ok "check: jq prints an empty line" check x empty_said
expect ok "check_not: false" check_not x false
expect "not ok" "check_not: true" check_not x true
expect "not ok" "check_not: no such command" check_not x no-such-command
expect "not ok" "check_not: jq had no input" check_not x nothing_yes
expect ok "check_not: jq says false" check_not x false_said
expect ok "check_not: no such line" check_not x has "$T/some" other
expect "not ok" "check_not: there is" check_not x has "$T/some" line
expect "not ok" "check_not: an empty file" check_not x has "$T/none" line
expect "not ok" "check_not: no file" check_not x has "$T/absent" line
expect ok "check_rc: that one" check_rc x 3 sh -c 'exit 3'
expect "not ok" "check_rc: another one" check_rc x 3 sh -c 'exit 4'
expect ok "check_empty: nothing" check_empty x nothing
expect "not ok" "check_empty: something" check_empty x echo something
expect "not ok" "check_empty: a failure" check_empty x false
expect ok "check_eq: the same" check_eq x a a
expect "not ok" "check_eq: another" check_eq x a b
expect "not ok" "check_eq: nothing there" check_eq x a ""
expect "not ok" "check_eq: nothing on both sides" check_eq x "" ""
expect ok "said: what was said" says x hel
expect "not ok" "said: what was not" says x bye
expect ok "a check reads the output of the last" reads_check_out x hel
expect "not ok" "and finds no more there" reads_check_out x bye
echo "1..$n"
