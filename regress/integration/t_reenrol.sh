# A host comes back with a new token: one in its configuration when the server
# refuses it, one from sentinelctl enroll at any time; the old identity stays
# until the new one is on disk, and is kept.
# timeout: 120

dir=$T/worker-1/data/cluster
sock=$T/worker-1/run/sentinel-agentd.sock

enroll()
{
	timeout 30 "$B/sentinelctl" -s "$sock" enroll --token "$@"
}

host_id()
{
	cat "$dir/host-id"
}

changed()
{
	[ "$(host_id)" != "$1" ]
}

# By its id: the name may be taken by the record of the old one.
is_up()
{
	hosts --arg i "$(host_id)" 'any(.[]; .id == $i and .connected)'
}

mark()
{
	echo "mark $1" >>"$T/worker-1.log"
}

# since MARK REGEX: said after it.
since()
{
	sed "1,/^mark $1/d" "$T/worker-1.log" | grep -Eq -- "$2"
}

must "the server starts" server_start
agent_conf worker-1
(umask 077; token --name worker-1 >"$T/worker-1.token")
agent_start worker-1
must "the agent enrols" wait_connected worker-1
first=$(host_id)

# The token that it has used is a notice and no more.
daemon_stop worker-1
agent_start worker-1
check "a spent token is a notice" wait_log worker-1 "token is spent"
check "the agent is connected" wait_connected worker-1

# Revoked, with nothing but the old identity.
mark revoked
must "the host is revoked" ctl host revoke worker-1 --yes
check "the agent says so" wait_for 10 since revoked \
    "certificate has been revoked.*fix: .*re-enroll with a new token"
check "the old identity goes on trying" wait_for 10 sh -c "
    [ \$(sed '1,/^mark revoked/d' $T/worker-1.log |
    grep -c 'certificate has been revoked') -ge 3 ]"
check_eq "nothing was retired" 0 "$(ls -d "$dir"/retired-* 2>/dev/null | wc -l)"

# A bad token changes nothing.
bad=00112233445566778899aabbccddeeff$(token --name other | cut -c 33-64)
echo "$bad" >"$T/bad"
check_rc "sentinelctl enroll with a token nobody made fails" 1 enroll "$T/bad"
said "with the server's words" "invalid enrollment token"
check_eq "the old identity is still there" "$first" "$(host_id)"
check_rc "on the command line it is refused" 2 enroll "$bad"
said "with the reason" "every user can read a command line"
check_rc "a short one is refused" 2 sh -c "echo 0011 |
    $B/sentinelctl -s $sock enroll --token -"
said "with the reason" "token too short"
check_rc "without one, too" 2 timeout 10 "$B/sentinelctl" -s "$sock" enroll
check_rc "the server enrols nowhere" 2 sh -c "echo $bad |
    $B/sentinelctl -s $CTL_SOCK enroll --token -"

# sentinelctl enroll, from standard input.
check "a new token brings it back" sh -c "
    $B/sentinelctl -s $CTL_SOCK token create --json | jq -r .token |
    $B/sentinelctl -s $sock enroll --token -"
check "under a new id" changed "$first"
check "it is connected" wait_for 10 is_up
second=$(host_id)
old=$(ls -d "$dir"/retired-*)
check_eq "the old files are kept" "agent-key.pem agent.pem ca.pem host-id token-spent" \
    "$(ls "$old" | tr '\n' ' ' | sed 's/ $//')"
check_eq "as they were" "$first" "$(cat "$old/host-id")"
check_eq "closed to others" 700 "$(stat -c %a "$old")"
check_not "nothing is left over" test -e "$dir/next"

# Also of a host that is well: sentinelctl asks, nobody else.
sleep 1
check "a host that is connected can enrol again" sh -c "
    $B/sentinelctl -s $CTL_SOCK token create --json | jq -r .token |
    $B/sentinelctl -s $sock enroll --token -"
check "under a new id" changed "$second"
check "it is connected" wait_for 10 is_up
third=$(host_id)

# A new token in the configuration waits for a refusal.
daemon_stop worker-1
(umask 077; token >"$T/worker-1.token")
mark token
agent_start worker-1
check "a new token is not used without need" wait_for 10 since token \
    "used only if the server refuses this host"
check "the host is connected" wait_for 10 is_up
check_eq "under its id" "$third" "$(host_id)"
must "the host is removed" ctl host remove "$third" --yes
check "then it is used" wait_for 10 changed "$third"
check "and the host is connected" wait_for 10 is_up
check_eq "three identities are kept" 3 "$(ls -d "$dir"/retired-* | wc -l)"

# After a restart it is that host.
last=$(host_id)
daemon_stop worker-1
mark restart
agent_start worker-1
check "after a restart, too" wait_for 10 since restart "session with .* established"
check_eq "it is the same" "$last" "$(host_id)"
check "its token is spent now" since restart "token is spent"
daemon_stop worker-1
daemon_stop s
