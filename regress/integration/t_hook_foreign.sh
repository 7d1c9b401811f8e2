# Hooks with an agent that is not ours: it runs none by itself, cuts commands
# at blanks and has no shell, so the server runs them around its updates.
# timeout: 60

SENTINEL_HOOKS=true
export SENTINEL_HOOKS
must "the server starts" server_start
mkdir "$T/a"
conn="--server 127.0.0.1:$PORT --ca $T/s/data/cluster/ca.pem --dir $T/a"
must "it enrols" $PEER/agent.py enroll $conn --token "$(token)" --name foreign
$PEER/agent.py run $conn --seconds 60 --container web \
    >"$T/foreign.log" 2>&1 &
echo $! >"$T/foreign.pid"
must "its session" wait_connected foreign
# The word comes with its first heartbeat.
must "it says that it runs hooks" wait_for 10 sh -c "$B/sentinelctl \
    -s $CTL_SOCK host show foreign --json | jq -e '.features | index(\"hooks\")'"

# commands: what it was asked for since the last look.
seen=0
commands()
{
	grep -oE '"(kind": "(update_container|run_hook)|phase": "[a-z-]*)"' \
	    "$T/foreign.log" | sed 's/.*: "//; s/"//' | grep -v run_hook |
	    tail -n "+$((seen + 1))" | tr '\n' ' '
}

# From here on.
mark()
{
	seen=0
	seen=$(commands | wc -w)
}

check "run a command" ctl hook run foreign/web pre --command '["/bin/ls","-l"]'
said "its output" "^ran /bin/ls$"
check "it was sent as words" has "$T/foreign.log" \
    '"words": \["/bin/ls", "-l"\]'
check_rc "a line for a shell is refused: 1" 1 ctl hook run foreign/web pre \
    --command 'ls -l'
said "says why" "has no shell for hooks: give the command as an array"
check_rc "a word with a blank: 1" 1 ctl hook set foreign/web pre '["/x","a b"]'
said "says why" "cuts commands at blanks"
check_rc "a container that is not there: 3" 3 ctl hook run foreign/none pre \
    --command '["/x"]'
check_rc "its failure: 1" 1 ctl hook run foreign/web pre \
    --command '["/exit","4"]'
said "says so" "exit code 4"

check "set both" ctl hook set foreign/web pre '["/before"]'
check "the second" ctl hook set foreign/web post '["/after"]' --timeout 7s
mark
check "an update" ctl container update foreign/web --image example/web:2
check "runs them around it" wait_for 5 sh -c "grep -q '/after' $T/foreign.log"
check_eq "in order" "pre-update update_container post-update " "$(commands)"
check "the post hook is in the history" wait_for 5 sh -c "$B/sentinelctl \
    -s $CTL_SOCK history list --json | jq -e 'any(.[]; .action == \"hook \
post-update\" and .outcome == \"success\")'"

check "another one" ctl hook set foreign/web pre '["/exit","75"]'
mark
check_rc "that skips: 75" 75 ctl container update foreign/web \
    --image example/web:3
check_eq "no update was asked for" "pre-update " "$(commands)"
check "one that fails" ctl hook set foreign/web pre '["/exit","1"]'
check_rc "refuses: 1" 1 ctl container update foreign/web --image example/web:3
said "says why" "pre-update hook: exit code 1"
mark
check "without hooks" ctl container update foreign/web --image example/web:3 \
    --skip-hooks
check_eq "none was run" "update_container " "$(commands)"
kill "$(pid_of foreign)"
