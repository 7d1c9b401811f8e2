# Tokens for several hosts: each use once, with labels, also when many ask at
# the same time and when answers are lost.
# timeout: 120

must "the server starts" server_start
conn="--server 127.0.0.1:$PORT --ca $T/s/data/cluster/ca.pem"
agent="$PEER/agent.py"

# machine N [OPTIONS]: enrol with $token from a directory of its own.
machine()
{
	mc_dir=$T/m$1
	shift
	mkdir -p "$mc_dir"
	$agent enroll $conn --dir "$mc_dir" --token "$token" "$@"
}

# token_is ID FILTER
token_is()
{
	ctl token list --json | jq -e --arg id "$(echo "$1" | cut -c 1-8)" \
	    "any(.[]; .id == \$id and ($2))"
}

check_rc "too many uses: 2" 2 ctl token create --uses 1001
check_rc "a name and several uses: 2" 2 ctl token create --uses 2 --name x
check_rc "a label that is none: 2" 2 ctl token create --label x
check_rc "a label without a value: 2" 2 ctl token create --label x=

token=$(token --uses 3 --label env=prod --label rack=7)
check "a token for three" token_is "$token" '.state == "open" and
    .uses == 3 and .used == 0 and .labels == {env: "prod", rack: "7"} and
    .creator != null'
must "the first" machine 1 --name web
must "the second" machine 2 --name web
check "of the same name: two hosts" hosts 'map(.name) | sort == ["web", "web-2"]'
check "with the labels" hosts 'all(.[]; .labels == {env: "prod", rack: "7"})'

# Their answers were lost: uncounted, each the host it was.
first=$(cat "$T/m1/host-id")
second=$(cat "$T/m2/host-id")
must "the first again" machine 1 --name web --keep-key
must "the second again" machine 2 --name web --keep-key
check_eq "is the same host" "$first" "$(cat "$T/m1/host-id")"
check_eq "and the second one, too" "$second" "$(cat "$T/m2/host-id")"
check "nothing was counted" token_is "$token" '.used == 2 and .state == "open"'
must "a restart" daemon_stop s
must "forgets nothing" server_start
must "the second after it" machine 2 --name web --keep-key
check_eq "is the same host still" "$second" "$(cat "$T/m2/host-id")"

# Four machines for the last use.
for n in 3 4 5 6; do
	machine $n --name late >"$T/m$n.log" 2>&1 &
	echo $! >>"$T/pids"
done
# shellcheck disable=SC2046
wait $(cat "$T/pids")
check_eq "one of four gets the last use" 1 \
    "$(cat "$T"/m[3-6].log | grep -c '"enrolled"')"
check_eq "the others are told why" 3 \
    "$(cat "$T"/m[3-6].log | grep -c 'PERMISSION_DENIED: token already used')"
check "it is used up" token_is "$token" '.used == 3 and .state == "issued"'
check_eq "three hosts" 3 "$(hosts length)"

# Seen: it cannot be had again, and the token is done.
for n in 1 2; do
	$agent run $conn --dir "$T/m$n" --seconds 0.2 >/dev/null 2>&1
done
check_rc "the first once more" 1 machine 1 --name web --keep-key
said "no" "token already used"
check "not all were seen" token_is "$token" '.state == "issued"'
for n in 3 4 5 6; do
	[ -f "$T/m$n/host-id" ] &&
	    $agent run $conn --dir "$T/m$n" --seconds 0.2 >/dev/null 2>&1
done
check "now they were" token_is "$token" '.state == "used"'

# Revoked and expired with uses left.
token=$(token --uses 2)
must "one of two" machine 9 --name x9
check "revoke" ctl token revoke "$(echo "$token" | cut -c 1-8)"
check_rc "the other one" 1 machine 10 --name x10
said "is told so" "PERMISSION_DENIED: token has been revoked"
check "the first stays" hosts 'any(.[]; .name == "x9")'
token=$(token --uses 2 --ttl 3s)
must "one of two in time" machine 11 --name x11
sleep 3
check_rc "the other too late" 1 machine 12 --name x12
said "is told so" "PERMISSION_DENIED: token expired"
must "but a lost answer is no new use" machine 11 --name x11 --keep-key
check "the list says" token_is "$token" '.state == "expired" and .used == 1'

# Ours.
(umask 077; token --label site=here >"$T/ours.token")
agent_start ours
must "our agent connects" wait_connected ours
check "and has the label" hosts \
    'any(.[]; .name == "ours" and .labels == {site: "here"})'
check "all is recorded" sh -c "$B/sentinelctl -s $CTL_SOCK audit list --json |
    jq -e '[.[] | select(.action == \"token.use\")] | length == 6'"
