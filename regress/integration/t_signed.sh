# Who has the streams, and even the CA, but not the key that signs commands,
# does not command an agent that has seen signed ones.
# needs: docker
# timeout: 90

c=signed
lab_docker run -d --name $c "$LAB_REGISTRY/demo:1" >/dev/null || exit 1
trap 'lab_docker rm -f $c >/dev/null 2>&1; scenario_end' EXIT
AGENT_DOCKER=unix://$LAB_DIR/docker.sock

started()
{
	lab_docker inspect -f '{{.State.Running}} {{.State.StartedAt}}' $c
}

must "the server starts" server_start
must "the agent connects" enrolled worker-1
check "a signed command is carried out" ctl container restart worker-1/$c
must "the server stops" daemon_stop s
before=$(started)

# The attacker: this cluster's CA, a server certificate of his own from it.
mkdir "$T/ca"
cp "$T/s/data/cluster/ca.pem" "$T/s/data/cluster/ca-key.pem" "$T/ca/"
mkfifo "$T/in"
$PEER/server.py --listen "127.0.0.1:$PORT" --dir "$T/ca" --mtls \
    <"$T/in" >"$T/server.log" 2>&1 &
echo $! >"$T/server.pid"
exec 7>"$T/in"
must "the agent connects to somebody with the CA" wait_log server \
    '"channel"' 20

# refused LINE WHAT: what the false server sends has no effect.
refused()
{
	echo "$1" >&7
	sleep 2
	check_eq "$2: the container is not touched" "$before" "$(started)"
}

refused "stop $c" "a plain stop"
check "the agent says why" has "$T/worker-1.log" "signed|signature"
refused "restart $c" "a plain restart"
refused "update $c $LAB_REGISTRY/demo:2" "a plain update"
check_eq "it is the old image" "$LAB_REGISTRY/demo:1" \
    "$(lab_docker inspect -f '{{.Config.Image}}' $c)"
# ServerMessage.signed_command with body, signature and certificate "abc".
refused "raw a206 0f 0a03616263 1203616263 1a03616263" "a false signature"
# A result of the first session may come once more: it was not acknowledged.
check "nothing it sent succeeded" sh -c "grep '^{' $T/server.log | jq -s -e '
    [.[] | select(.event == \"sent\").request_id] as \$sent |
    (\$sent | length) == 3 and
    all(.[] | select(.outcome == \"success\"); .request_id | IN(\$sent[]) | not)'"

# A command signed with a key the CA did certify, but as a server.
/usr/bin/python3 -B - "$T" "$c" >"$T/forged" <<'EOT' || fail "no forgery"
import subprocess, sys
sys.path.insert(0, "regress/peer")
import hashlib, peer
pb = peer.messages()
t, name = sys.argv[1:3]
m = pb.ServerMessage(request_id="ab" * 8)
m.container_action.container_name = name
m.container_action.action = "stop"
body = pb.CommandBody(
    host_id=peer.read(t + "/worker-1/data/cluster/host-id").decode(),
    session_nonce=b"\0" * 16, request_id="ab" * 8,
    message=m.SerializeToString()).SerializeToString()
key = t + "/ca/server-key.pem"
signature = peer.openssl(
    "dgst", "-sha256", "-sign", key,
    data=b"sentinel-command\0" + hashlib.sha256(body).digest())
chain = subprocess.run(
    ["openssl", "s_client", "-connect", "127.0.0.1:9443", "-alpn", "h2",
     "-cert", t + "/worker-1/data/cluster/agent.pem", "-key",
     t + "/worker-1/data/cluster/agent-key.pem"], input=b"",
    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
der = peer.openssl("x509", "-outform", "DER", data=chain)
out = pb.ServerMessage(request_id="ab" * 8)
out.signed_command.body = body
out.signed_command.signature = signature
out.signed_command.certificate = der
print("raw", out.SerializeToString().hex())
EOT
refused "$(cat "$T/forged")" "a server's certificate instead of the command's"
echo quit >&7
exec 7>&-
wait "$(pid_of server)" 2>/dev/null

must "the real server starts" server_start
check "the agent is back" wait_connected worker-1
check "and obeys it" ctl container stop worker-1/$c
