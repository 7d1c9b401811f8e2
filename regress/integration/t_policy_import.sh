# A data directory that changes hands: policy_cache.json of another
# implementation is taken over once; one that is broken, no file or a link
# stays where it is, and is told.
# timeout: 60

must "the server starts" server_start
must "the agent connects" enrolled worker-1
must "it stops" daemon_stop worker-1
dir=$T/worker-1/data/cluster
file=$dir/policy_cache.json
state=$T/worker-1/data/state/policy_cache.json
# Without its server from now on, which would tell it otherwise.
must "the server stops" daemon_stop s

theirs()
{
	"$B/sentinelctl" -s "$T/worker-1/run/sentinel-agentd.sock" \
	    settings get "$1" --json | jq -s -e ".[0][0] | $2"
}

again()
{
	daemon_stop worker-1
	: >"$T/worker-1.log"
	agent_start worker-1
	wait_log worker-1 "ready: server"
}

cat >"$file" <<-EOT
	{
	  "policies": {
	    "web": "pinned"
	  },
	  "default_policy": "auto",
	  "poll_interval": 7200000000000,
	  "grace_period": 45000000000,
	  "image_cleanup": false,
	  "hooks_enabled": true,
	  "dependency_aware": true,
	  "rollback_policy": "manual"
	}
EOT
chmod 600 "$file"
agent_start worker-1
check "and takes it over" wait_log worker-1 \
    "policy_cache.json: imported and removed"
check_not "it is gone" test -e "$file"
check "the settings count" wait_for 5 theirs poll_interval \
    '.value == "2h" and .origin == "server"'
check "all of them" theirs rollback_policy '.value == "manual"'
check "and the default" theirs default_policy '.value == "auto"'
check "the override is kept" jq -e '.policies == {web: "pinned"}' "$state"
must "a restart" again
check "forgets nothing" wait_for 5 theirs grace_period '.value == "45s"'

# refused TEXT LINE: what lies there does no harm, is told, and stays.
refused()
{
	must "$1: the agent starts" again
	check "$1: is told" wait_log worker-1 "$2"
	check "$1: stays" test -e "$file"
	check "$1: nothing has changed" wait_for 5 theirs poll_interval \
	    '.value == "2h"'
	rm -rf "$file"
}

echo '{"poll_interval": -1}' >"$file"
refused "a broken one" \
    "policy_cache.json: not imported: poll_interval: not 0 to 30 days"
echo '{"poll_interval": 3600000000000}' >"$T/secret"
ln -s "$T/secret" "$file"
refused "a link" "policy_cache.json: not imported"
mkdir "$file"
refused "a directory" "policy_cache.json: not imported: not a regular file"
truncate -s 20M "$file"
refused "a huge one" "not imported: not a regular file of its own with at most 16 MiB"
check "the link's target is untouched" test -s "$T/secret"

# Killed at any point, the file is taken over in the end, or still there.
n=0
while [ $n -lt 5 ]; do
	n=$((n + 1))
	echo '{"poll_interval": '$n'00000000000}' >"$file"
	daemon_stop worker-1
	agent_start worker-1
	sleep 0.$((n * 7 % 10))
	daemon_stop worker-1 KILL
	if [ ! -e "$file" ] && [ "$(jq .poll_interval "$state")" != \
	    "${n}00000000000" ]; then
		fail "killed the ${n}th time: the file is gone, and not kept"
	fi
done
agent_start worker-1
check "and has the last" wait_for 10 theirs poll_interval \
    '.value == "8m20s"'
