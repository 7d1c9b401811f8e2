# The variables of sentinel.conf(5) suffice without a file, and with SENTINEL_MODE=
# agent sentineld becomes sentinel-agentd.
# needs: root
# timeout: 60

# The defaults are used, below mounts that only this scenario sees.
mount -t tmpfs tmpfs /run || exit 1
mount -t tmpfs tmpfs /var/lib || exit 1
[ -e /etc/sentinel.conf ] && {
	echo "ok - # SKIP this machine has an /etc/sentinel.conf"
	exit 77
}
CTL_SOCK=/run/sentinel/sentineld.sock
clean="env -i PATH=$PATH"

$clean SENTINEL_CLUSTER=true SENTINEL_CLUSTER_PORT=9555 \
    SENTINEL_CLUSTER_ADVERTISE=sentinel.example.com,192.0.2.7 \
    "$B/sentineld" -d >"$T/s.log" 2>&1 &
echo $! >"$T/s.pid"
must "SENTINEL_CLUSTER=true starts a server" wait_for 15 ctl status
check "on SENTINEL_CLUSTER_PORT" sh -c "ss -ltn | grep -q ':9555 '"
openssl s_client -connect 127.0.0.1:9555 -alpn h2 </dev/null 2>/dev/null |
    openssl x509 -noout -ext subjectAltName >"$T/check.out"
said "SENTINEL_CLUSTER_ADVERTISE: a name" "DNS:sentinel.example.com"
said "SENTINEL_CLUSTER_ADVERTISE: an address" "IP Address:192.0.2.7"
said "localhost is there by itself" "DNS:localhost"
said "127.0.0.1 too" "IP Address:127.0.0.1"

token=$(token)
$clean SENTINEL_MODE=agent SENTINEL_SERVER_ADDR=127.0.0.1:9555 \
    SENTINEL_ENROLL_TOKEN="$token" SENTINEL_HOST_NAME=worker-9 \
    SENTINEL_CLUSTER_DIR="$T/identity" SENTINEL_DOCKER_SOCK=none \
    "$B/sentineld" -d >"$T/a.log" 2>&1 &
echo $! >"$T/a.pid"
must "SENTINEL_MODE=agent: an agent enrols" wait_connected worker-9
check "it is sentinel-agentd" grep -q sentinel-agentd \
    "/proc/$(pid_of a)/comm"
check "SENTINEL_CLUSTER_DIR has its identity" test -s "$T/identity/agent.pem"
check "the agent's own control socket" "$B/sentinelctl" \
    -s /run/sentinel/sentinel-agentd.sock status
for pid in $(pid_of a) $(children "$(pid_of a)"); do
	check_not "the token is not in the environment of $pid" \
	    grep -qa "$token" "/proc/$pid/environ"
	check_not "nor among its arguments" grep -qa "$token" \
	    "/proc/$pid/cmdline"
done
check_not "nor in a log" grep -q "$token" "$T/a.log" "$T/s.log"

# The same token in the environment of an enrolled agent is no trouble.
kill "$(pid_of a)"
wait "$(pid_of a)"
$clean SENTINEL_MODE=agent SENTINEL_SERVER_ADDR=127.0.0.1:9555 \
    SENTINEL_ENROLL_TOKEN="$token" SENTINEL_HOST_NAME=worker-9 \
    SENTINEL_CLUSTER_DIR="$T/identity" SENTINEL_DOCKER_SOCK=none \
    "$B/sentineld" -d >"$T/a.log" 2>&1 &
echo $! >"$T/a.pid"
check "started again with the spent token it connects" wait_connected worker-9
check_eq "as the one host" 1 "$(hosts length)"
