# The agent finds its server by name: name servers, search domains, the hosts
# file, several addresses of which some are dead; and says what went wrong.
# needs: root
# timeout: 90

# Of this scenario's mount namespace only.
printf 'nameserver 127.0.0.1\nsearch lan.test\n' >"$T/resolv.conf"
printf '127.0.0.1 localhost\n127.0.0.1 byfile.test\n' >"$T/hosts"
must "a resolv.conf of its own" mount --bind "$T/resolv.conf" /etc/resolv.conf
must "a hosts file of its own" mount --bind "$T/hosts" /etc/hosts

# 127.0.0.9 refuses; ::1 is nobody's: the server listens on 127.0.0.1 only.
/usr/bin/python3 regress/lab/dns.py 53 server.lan.test=127.0.0.1 \
    two.test=127.0.0.9 two.test=::1 two.test=127.0.0.1 dead.test=127.0.0.9 \
    moved.other.test=127.0.0.1 \
    >"$T/dns.log" 2>&1 &
echo $! >"$T/dns.pid"
must "a name server" wait_for 5 has "$T/dns.log" ready

server_conf 'advertise: [ server, server.lan.test, two.test, byfile.test, later.test, moved ]'
must "the server starts" server_start

AGENT_SERVER=server.lan.test:$PORT
must "by its full name" enrolled full
check "both kinds of address were asked for" sh -c \
    "grep -q '^asked 1 server.lan.test' $T/dns.log &&
    grep -q '^asked 28 server.lan.test' $T/dns.log"
AGENT_SERVER=server:$PORT
must "by a search domain" enrolled search
AGENT_SERVER=two.test:$PORT
must "dead addresses are passed by" enrolled two
AGENT_SERVER=byfile.test:$PORT
must "by the hosts file" enrolled byfile
check_not "without asking anybody" has "$T/dns.log" byfile
AGENT_SERVER=localhost:$PORT
must "localhost" enrolled loopback

n=0
for bad in "nobody.test:does not exist|NXDOMAIN|name" \
    "dead.test:127\.0\.0\.9: Connection refused" \
    "silent.test:no name server answers"; do
	n=$((n + 1))
	AGENT_SERVER=${bad%%:*}:$PORT
	(umask 077; token >"$T/bad$n.token")
	agent_start bad$n
	check "${bad%%:*}: the agent says why" wait_log bad$n \
	    "cannot enrol: .*(${bad#*:})" 15
	daemon_stop bad$n || :
done

# The files change while the agent runs; uplink, which has no file, gets them.
for late in later.test moved; do
	AGENT_SERVER=$late:$PORT
	(umask 077; token >"$T/$late.token")
	agent_start $late
	must "$late: not known yet" wait_log $late "cannot enrol: $late"
done
echo '127.0.0.1 later.test' >>"$T/hosts"
check "the new hosts file is used" wait_log later.test "enrolled at" 15
check_eq "the agent says so" 1 "$(grep -c '/etc/hosts has changed' \
    "$T/later.test.log")"
printf 'nameserver 127.0.0.1\nsearch other.test\n' >"$T/resolv.conf"
check "the new resolv.conf is used" wait_log moved "enrolled at" 15
daemon_stop later.test || :
daemon_stop moved || :

# A name that is not in the certificate.
echo '127.0.0.1 other.test' >>"$T/hosts"
AGENT_SERVER=other.test:$PORT
(umask 077; token >"$T/other.token")
agent_start other
check "another name: the agent says what to do" wait_log other \
    "other.test.*(advertise|server_name)"
daemon_stop other || :
# server_name says which one to expect.
agent_conf other "server_name: server"
agent_start other
check "server_name makes up for it" wait_connected other
