# The names in the server's certificate follow the configuration and the
# machine's addresses, without a restart and without losing an agent.
# needs: root
# timeout: 60

server_conf "server_lifetime: 6s"
must "the server starts" server_start
must "an agent connects" enrolled worker-1

names()
{
	openssl s_client -connect "127.0.0.1:$PORT" -alpn h2 </dev/null \
	    2>/dev/null | openssl x509 -noout -ext subjectAltName 2>/dev/null
}

has_name()
{
	names | grep -Eq "$1(,|\$)"
}

has_no_name()
{
	names >"$T/names" && [ -s "$T/names" ] && ! grep -q "$1" "$T/names"
}

check "localhost is in it" has_name "DNS:localhost"
check_not "an address that is not there is not" has_name \
    "IP Address:10.77.66.5"
ip addr add 10.77.66.5/32 dev lo || fail "no address"
check "a new private address is in the next one" wait_for 8 has_name \
    "IP Address:10.77.66.5"
ip addr del 10.77.66.5/32 dev lo
check "and not in the one after it has gone" wait_for 8 has_no_name \
    "10.77.66.5"
check_eq "the agent's session is the first one" 1 \
    "$(grep -c "(worker-1): connected" "$T/s.log")"
check "which is there" host_connected worker-1

# A setting.
check "names are set at run time" ctl settings set cluster.advertise \
    "two.example, 192.0.2.8, TWO.example"
check "the name is in a new certificate" wait_for 5 has_name "DNS:two.example"
check_eq "once" 1 "$(names | grep -io two.example | wc -l)"
check "the address too" has_name "IP Address:192.0.2.8"
check_rc "what is no name is refused" 2 ctl settings set cluster.advertise \
    "three.example:9443"
check "and nothing has changed" has_name "DNS:two.example"

# The configuration, read again; it counts before a setting.
sed -i "s/^    server_lifetime: .*/    server_lifetime: 1h\n    advertise: [ one.example, 192.0.2.9 ]/" \
    "$T/s.conf"
check "another configuration is read" ctl reload
check "its name is in a new certificate" wait_for 5 has_name "DNS:one.example"
check "the setting does not count any more" has_no_name two.example
check "its address too" has_name "IP Address:192.0.2.9"
check "and it lives as long as it says" sh -c "$B/sentinelctl -s $CTL_SOCK \
    cert list --json | jq -e '.[] | select(.kind == \"server\") |
    (.not_after | fromdate) - now | . > 3000 and . <= 3600'"
sleep 1
serial=$(openssl s_client -connect "127.0.0.1:$PORT" </dev/null -alpn h2 \
    2>/dev/null | openssl x509 -noout -serial)
check "the same one read again" ctl reload
sleep 2
check_eq "is no reason for another certificate" "$serial" \
    "$(openssl s_client -connect "127.0.0.1:$PORT" -alpn h2 </dev/null \
    2>/dev/null | openssl x509 -noout -serial)"
check_eq "the agent's session is still the first one" 1 \
    "$(grep -c "(worker-1): connected" "$T/s.log")"
