# Every process has its own user, its own root, a filter, and no network
# where it needs none: the tables of doc/architecture.md, 3.1 and 3.2.
# needs: root filter
# timeout: 60

must "the server starts" server_start
must "an agent connects" enrolled worker-1

field()
{
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# confined NAME ROLE ROOT NETNS: ROOT is a directory, NETNS own or host.
confined()
{
	pid=$(child_of "$1" "$2")
	if [ -z "$pid" ]; then
		fail "$1: there is no process $2"
		return
	fi
	# shellcheck disable=SC2046
	set -- "$1 $2" "$3" "$4" $(field "$pid" Uid) $(field "$pid" Gid)
	# 4-7 real, effective, saved and file system uid; 8-11 gid
	if [ "$4" -ne 0 ] && [ "$4$5$6" = "$4$4$4" ] && [ "$8$9" = "$8$8" ]; then
		pass "$1: user $4"
	else
		fail "$1: user $4 $5 $6, group $8 $9"
	fi
	echo "$4" >>"$T/uids"
	check_eq "$1: no further groups" "$8" "$(field "$pid" Groups |
	    tr -d ' ')"
	check_eq "$1: Seccomp" 2 "$(field "$pid" Seccomp)"
	check_eq "$1: NoNewPrivs" 1 "$(field "$pid" NoNewPrivs)"
	for set in CapPrm CapEff CapInh CapBnd CapAmb; do
		check_eq "$1: $set" 0000000000000000 "$(field "$pid" $set)"
	done
	check_eq "$1: root" "$(stat -Lc %d:%i "$2")" \
	    "$(stat -Lc %d:%i "/proc/$pid/root")"
	net=$(readlink "/proc/$pid/ns/net")
	if [ "$3" = own ]; then
		[ "$net" != "$(readlink /proc/self/ns/net)" ]
	else
		[ "$net" = "$(readlink /proc/self/ns/net)" ]
	fi
	check_eq "$1: network: $3" 0 $?
	check_eq "$1: environment is empty" 0 \
	    "$(tr -d '\0' <"/proc/$pid/environ" | wc -c)"
	check_eq "$1: no core" "0 0" "$(awk '/^Max core/ { print $5, $6 }' \
	    "/proc/$pid/limits")"
	check_not "$1: no directory is open" sh -c \
	    "for f in /proc/$pid/fd/*; do [ -d \$f ] && [ \$(stat -Lc %d:%i \$f) \
	    != \$(stat -Lc %d:%i $2) ] && exit 0; done; exit 1"
}

confined s keyholder "$T/s/run/empty" own
confined s cluster "$T/s/run/empty" own
confined s engine "$T/s/data/db" own
confined s control "$T/s/run/empty" own
confined worker-1 keyholder "$T/worker-1/run/empty" own
confined worker-1 uplink "$T/worker-1/run/empty" host
confined worker-1 engine "$T/worker-1/data/state" own
confined worker-1 control "$T/worker-1/run/empty" own

sort "$T/uids" >"$T/users"
check_eq "eight processes" 8 "$(wc -l <"$T/users")"
check_empty "no two of them share a user" uniq -d "$T/users"
check "the parent's filter" test "$(field "$(pid_of s)" Seccomp)" = 2

check_eq "run_dir/empty" "0:0 555" "$(stat -c '%u:%g %a' "$T/s/run/empty")"
check_eq "data_dir" "0 711" "$(stat -c '%u %a' "$T/s/data")"
check_eq "cluster/" "0 700" "$(stat -c '%u %a' "$T/s/data/cluster")"
check_eq "db/ is the engine's" "$(field "$(child_of s engine)" Uid |
    cut -f 1) 700" "$(stat -c '%u %a' "$T/s/data/db")"
check_eq "state/ is the engine's" "$(field "$(child_of worker-1 engine)" Uid |
    cut -f 1) 700" "$(stat -c '%u %a' "$T/worker-1/data/state")"
check "the titles show the roles" sh -c "ps -eo args | grep -q \
    '^sentineld: keyholder' && ps -eo args |
    grep -q '^sentinel-agentd: uplink'"
check_eq "status knows every process" 5 "$(ctl status --json |
    jq '.processes | length')"
