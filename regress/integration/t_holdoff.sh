# A connection that crashes the cluster process is held off, longer each time,
# and nobody else.  The crash is a SIGSEGV while cluster works for a peer at
# an address of its own: the keyholder is stopped, so that the handshake hangs
# in the middle.
# needs: root
# timeout: 60

server_conf
sed -i 's/ping_interval: 1s/&\n    hold_off: 4s/' "$T/s.conf"
must "the server starts" server_start
must "an agent connects" enrolled worker-1
peer=127.0.0.9

# shake ADDRESS: a handshake from there; prints what became of it.
shake()
{
	timeout 8 /usr/bin/python3 -c "
import socket, ssl, sys
c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
c.check_hostname = False
c.verify_mode = ssl.CERT_NONE
c.set_alpn_protocols(['h2'])
s = socket.create_connection(('127.0.0.1', $PORT), timeout=6,
    source_address=('$1', 0))
try:
	s = c.wrap_socket(s)
	print('in', s.version())
except (OSError, EOFError) as e:
	print('out', e)"
}

gets_in()
{
	[ "$(shake "$1")" = "in TLSv1.3" ]
}

# crash: cluster dies of a signal while it works for the peer.
crash()
{
	: >"$T/s.log"
	cr_pid=$(child_of s cluster)
	kill -STOP "$(child_of s keyholder)"
	shake $peer >"$T/shake.out" &
	cr_shake=$!
	# Asleep in the middle: it waits for the signature.
	sleep 0.5
	cr_from=$(($(date +%s%N) / 1000000))
	kill -SEGV "$cr_pid"
	kill -CONT "$(child_of s keyholder)"
	wait $cr_shake
}

check "the peer gets in" gets_in $peer
crash
check "the log names it" wait_log s \
    "died while it worked for address $peer: held off for 4 s, time 1"
check "everybody else is back" wait_for 15 host_connected worker-1
echo "# back after $(($(date +%s%N) / 1000000 - cr_from)) ms"
check "another address gets in" gets_in 127.0.0.8
check_not "the peer does not" gets_in $peer
check "which is logged" has "$T/s.log" "$peer: refused: held off"
check "an event tells" sh -c "$B/sentinelctl -s $CTL_SOCK events |
    grep -q 'address $peer crashed the cluster process: held off for 4 s'"
check "after a while it gets in again" wait_for 8 gets_in $peer
check "the agent stayed" host_connected worker-1

crash
check "the second time it is longer" wait_log s \
    "worked for address $peer: held off for 8 s, time 2"
check "everybody else is back" wait_for 15 host_connected worker-1
check_not "the peer is refused" gets_in $peer

# Without anybody at work, and by a kill from outside, nobody is to blame.
: >"$T/s.log"
kill -SEGV "$(child_of s cluster)"
check "a death for nobody" wait_log s "it worked for nobody when it died"
check "all are back" wait_for 15 host_connected worker-1
check_not "it is still refused by the next process" gets_in $peer
check_not "and nobody else was blamed" has "$T/s.log" "held off for"
