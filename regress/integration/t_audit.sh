# The audit trail: every act and attempt is in it, no secret is, and kill -9 at
# any moment leaves it whole.
# timeout: 120

server_conf
ro=$T/s/run/ro.sock
sed -i "s,^  docker: none,&\n  control_ro: $ro," "$T/s.conf"
must "the server starts" server_start
mkdir "$T/a"
conn="--server 127.0.0.1:$PORT --ca $T/s/data/cluster/ca.pem --dir $T/a"
agent="$PEER/agent.py"

# trail FILTER: jq over the array of records.
trail()
{
	ctl audit list --json "$@" | jq -e "$FILTER"
}

# recorded TEXT FILTER: some record is so.
recorded()
{
	rc_text=$1
	FILTER="any(.[]; $2)"
	check "recorded: $rc_text" trail
}

whole()
{
	ctl audit verify
}

check "an empty trail is whole" whole
said "and says so" "no records"

good=$(token --name fred)
id=$(echo "$good" | cut -c 1-8)
check_rc "a wrong token" 1 $agent enroll $conn --name fred \
    --token "$id$(openssl rand -hex 28)"
check_rc "the wrong host" 1 $agent enroll $conn --name eve --token "$good"
must "the right one" $agent enroll $conn --name fred --token "$good"
mkdir "$T/b"
check_rc "once more with another key" 1 $agent enroll $conn --dir "$T/b" \
    --name fred --token "$good"
short=$(token --ttl 1s)
gone=$(token)
check "a token is revoked" ctl token revoke "$(echo "$gone" | cut -c 1-8)"
check_rc "and offered" 1 $agent enroll $conn --dir "$T/b" --token "$gone"
for act in "pause fred" "resume fred" "label fred env=prod" \
    "rename fred frida" "revoke frida --yes"; do
	check "host $act" ctl host $act
done
check_rc "the revoked host comes back" 1 $agent run $conn --seconds 3

me="uid $(id -u)"
recorded "who made the token" ".actor == \"$me\" and
    .action == \"token.create\" and .subject == \"token $id\" and
    .outcome == \"ok\" and (.text | contains(\"host name fred\"))"
recorded "a guess, without a word of it" \
    '.actor == "address 127.0.0.1" and .action == "token.fail" and
    (has("subject") | not) and .outcome == "refused" and
    .text == "invalid enrollment token"'
recorded "the wrong host" ".action == \"token.fail\" and
    .subject == \"token $id\" and .text == \"token is for another host name\""
recorded "the use" ".action == \"token.use\" and .subject == \"token $id\""
recorded "the enrolment" '.action == "host.enroll" and
    (.subject | startswith("host fred (")) and .outcome == "ok"'
recorded "a token used twice" ".subject == \"token $id\" and
    .outcome == \"refused\" and .text == \"token already used\""
recorded "the revocation of a token" ".actor == \"$me\" and
    .action == \"token.revoke\""
recorded "and what it prevented" '.action == "token.fail" and
    .text == "token has been revoked"'
for act in pause resume label rename; do
	recorded "host $act" ".actor == \"$me\" and
	    .action == \"host.$act\" and (.subject | startswith(\"host fred (\"))"
done
recorded "host revoke" ".actor == \"$me\" and .action == \"host.revoke\" and
    (.text | startswith(\"serial \"))"
recorded "the revoked host" '.action == "host.refuse" and
    (.text | startswith("certificate has been revoked"))'
FILTER='any(.[]; .action == "token.expire")'
check "recorded: the expiry, when it comes" wait_for 5 trail
recorded "of that token" ".actor == \"sentineld\" and
    .subject == \"token $(echo "$short" | cut -c 1-8)\""

# Each carries the hash of the one before.
FILTER='. as $a | length > 15 and all(range(1; length);
    $a[.].previous == $a[. - 1].hash and $a[.].seq == $a[. - 1].seq + 1)'
check "they are chained" trail
check "the trail is whole" whole
said "with number and hash of the newest" "SHA-256 of number [0-9]+: [0-9a-f]{64}"
FILTER='length == 3'
check "the newest three" trail --limit 3
FILTER='length == 0'
sleep 2
check "none of the last second" trail --since 1s
ctl audit list --json --limit 100000 >"$T/trail"
secrets="$(echo "$good" | cut -c 9-40)|$(echo "$gone" | cut -c 9-40)|\
$(echo "$short" | cut -c 9-40)"
check_eq "three secrets" 98 "${#secrets}"
check_not "no secret is in it" has "$T/trail" "$secrets"
check_not "nor in the log" has "$T/s.log" "$secrets"
check_rc "read-only: 4" 4 "$B/sentinelctl" -s "$ro" audit list

# kill -9 while there is something to write: whole, and nothing done is lost.
seed=$(date +%s)
echo "# seed $seed"
i=0
: >"$T/done"
while [ $i -lt 5 ]; do
	(
		n=0
		while ctl token create --json >"$T/one" 2>/dev/null; do
			jq -r .id "$T/one" >>"$T/done"
			n=$((n + 1))
		done
	) &
	loop=$!
	sleep "0.$(((seed + i * 37) % 7 + 2))"
	daemon_stop s KILL
	wait $loop
	must "it starts after kill -9" server_start
	check "and the trail is whole" whole
	i=$((i + 1))
done
ctl audit list --json --limit 100000 |
    jq -r '.[] | select(.action == "token.create") | .subject[6:]' |
    sort >"$T/recorded"
ctl token list --json | jq -r '.[].id' | sort >"$T/tokens"
check "every token has its record: $(wc -l <"$T/tokens")" \
    cmp "$T/tokens" "$T/recorded"
sort "$T/done" >"$T/shown"
check "there were tokens" test -s "$T/shown"
check_empty "and every one that was shown is there" \
    comm -23 "$T/shown" "$T/tokens"
must "the server stops" daemon_stop s
check "the log bears witness of the newest" has "$T/s.log" \
    "audit: [0-9]+ records written, SHA-256 of the newest [0-9a-f]{64}"
