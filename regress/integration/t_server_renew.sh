# The server's certificate and the one that signs commands live for seconds:
# both are replaced again and again, nobody is disconnected, and whoever comes
# new meets a certificate that is good.
# timeout: 60

server_conf "server_lifetime: 6s
    command_lifetime: 4s"
must "the server starts" server_start

# The certificate that a stranger sees: serial, public key.
shown()
{
	echo | timeout 5 openssl s_client -connect "127.0.0.1:$PORT" \
	    -alpn h2 2>/dev/null | openssl x509 -noout -"$1" 2>/dev/null
}

must "the agent connects" enrolled worker-1
old=$(shown serial)
key=$(shown pubkey)
other_serial()
{
	[ -n "$(shown serial)" ] && [ "$(shown serial)" != "$old" ]
}
check "there is a certificate" test -n "$old"
check "it is replaced" wait_for 8 other_serial
check_not "with another key" test "$(shown pubkey)" = "$key"
check "the log says it" has "$T/s.log" "server certificate: replaced by serial"
check "a second agent is enrolled under the new one" enrolled worker-2
old=$(shown serial)
check "and replaced again" wait_for 8 other_serial
check "the one that is shown is good" sh -c "
    echo | openssl s_client -connect 127.0.0.1:$PORT -alpn h2 2>/dev/null |
    openssl x509 -noout -checkend 0 | grep -q 'will not expire'"
check "the first agent was there all the time" host_connected worker-1
check_eq "with its first session" 1 \
    "$(grep -c "(worker-1): connected" "$T/s.log")"
check_not "no step failed" has "$T/s.log" "not replaced"
check_not "no key was missed" has "$T/s.log" "none dropped|refuses to sign"
# Signed with a key that is younger than the session.
check_rc "commands are signed and carried out" 1 ctl container logs worker-1/x
said "by the agent" "docker|engine"
check_eq "one session still" 1 \
    "$(grep -c "(worker-1): connected" "$T/s.log")"
