# The foreign agent and the foreign server with each other: what they report
# about Sentinel is worth as much as this.
# timeout: 60

mkfifo "$T/in"
$PEER/server.py --listen "127.0.0.1:$PORT" --dir "$T/ca" \
    <"$T/in" >"$T/peer-server.log" 2>&1 &
echo $! >"$T/peer-server.pid"
exec 7>"$T/in"
must "the server listens" wait_for 15 has "$T/peer-server.log" ready
token=$(jq -r 'select(.event == "ready").token' "$T/peer-server.log")

mkdir "$T/a"
agent="$PEER/agent.py"
conn="--server 127.0.0.1:$PORT --ca $T/ca/ca.pem --dir $T/a"
must "enrolment" $agent enroll $conn --token "$token" --name fred
check_rc "a wrong token" 1 $agent enroll $conn --token 00 --name fred
said "is named" "PERMISSION_DENIED: invalid"
must "enrolment again" $agent enroll $conn --token "$token" --name fred

$agent run $conn --container web --seconds 20 >"$T/peer-agent.log" 2>&1 &
echo $! >"$T/peer-agent.pid"
echo list >&7
echo stop web >&7
echo logs web 3 >&7
echo update web example/web:2 >&7
for event in container_list container_action_result fetch_logs_result \
    update_result; do
	check "$event" wait_log peer-server "\"$event\""
done
echo end UNAVAILABLE bye >&7
check "end of the stream" wait_log peer-agent '"end".*UNAVAILABLE: bye'
echo quit >&7
