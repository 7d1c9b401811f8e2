# Tokens and CSRs that are not good get a clear answer, and cost nothing.
# timeout: 90

must "the server starts" server_start
mkdir "$T/a"
conn="--server 127.0.0.1:$PORT --ca $T/s/data/cluster/ca.pem --dir $T/a"

# refused TEXT STATUS-REGEX OPTIONS...
refused()
{
	rf_text=$1
	rf_want=$2
	shift 2
	check_rc "$rf_text" 1 $PEER/agent.py enroll $conn "$@" &&
	    said "$rf_text: the answer" "\"$rf_want"
}

good=$(token --name fred)
check_eq "a token has 64 characters" 64 "${#good}"
pin=$(openssl x509 -in "$T/s/data/cluster/ca.pem" -noout -pubkey |
    openssl pkey -pubin -outform DER | openssl dgst -sha256 -r | cut -c 1-32)
check_eq "and ends in the pin of the CA" "$pin" "$(echo "$good" | cut -c 33-)"

refused "no token" "INVALID_ARGUMENT: token is required"
refused "no CSR" "INVALID_ARGUMENT: CSR is required" --token "$good" \
    --csr empty
refused "a short token" "INVALID_ARGUMENT: token too short" --token abc
refused "half a token" "(INVALID_ARGUMENT|PERMISSION_DENIED): " \
    --token "$(echo "$good" | cut -c 1-32)"
refused "not hex" "(INVALID_ARGUMENT|PERMISSION_DENIED): " --token \
    "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
refused "an unknown token" "PERMISSION_DENIED: invalid enrollment token" \
    --token "$(openssl rand -hex 32)"
# The first half alone must not tell that there is such a token.
refused "a right id, a wrong secret" \
    "PERMISSION_DENIED: invalid enrollment token" \
    --token "$(echo "$good" | cut -c 1-8)$(openssl rand -hex 28)"

for csr in garbage broken-signature trailing huge; do
	check_rc "a CSR with $csr" 1 $PEER/agent.py enroll $conn \
	    --token "$good" --csr "$csr"
done
check "is in the audit trail, too" ctl audit list
said "with its reason" "failed to sign certificate"
check_rc "a host name that is not UTF-8" 1 $PEER/agent.py enroll $conn \
    --token "$good" --misbehave bad-utf8
check_rc "a host name with a NUL" 1 $PEER/agent.py enroll $conn \
    --token "$good" --misbehave nul
must "after all that the token is still good" $PEER/agent.py enroll $conn \
    --token "$good" --name fred --misbehave unknown-field
first=$(cat "$T/a/host-id")

# The answer was lost: same token, same key.
must "the same token and key" $PEER/agent.py enroll $conn --token "$good" \
    --name fred --keep-key
check_eq "are the same host" "$first" "$(cat "$T/a/host-id")"
refused "the same token with another key" \
    "PERMISSION_DENIED: token already used" --token "$good" --name fred
check_eq "nobody else came in" 1 "$(hosts length)"

short=$(token --ttl 1s)
sleep 2
refused "an expired token" "PERMISSION_DENIED: token expired" --token "$short"

revoked=$(token)
check "a token is revoked" ctl token revoke "$(echo "$revoked" | cut -c 1-8)"
refused "a revoked token" "PERMISSION_DENIED: " --token "$revoked"
check_rc "revoking an unknown token" 3 ctl token revoke 00000000
ctl token list --json >"$T/list"
check "the list of tokens" has "$T/list" "$(echo "$revoked" | cut -c 1-8)"
check_not "has no secrets" has "$T/list" "$(echo "$revoked" | cut -c 9-40)"

# Our own agent: same texts, and it names what to do.
for bad in "abc:token too short" "$short:token expired" \
    "$(openssl rand -hex 16)$pin:invalid enrollment token"; do
	n=agent-${bad##*[ :]}
	agent_conf "$n"
	(umask 077; echo "${bad%%:*}" >"$T/$n.token")
	agent_start "$n"
	check "our agent says: ${bad#*:}" wait_log "$n" "${bad#*:}"
	daemon_stop "$n" || :
done
check_eq "still one host" 1 "$(hosts length)"
