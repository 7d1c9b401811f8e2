# sentinelctl: exit status, --json, what the read-only socket refuses.
# timeout: 60

check_rc "no daemon: 5" 5 ctl status
must "the server starts" server_start
for args in "" "nonsense" "token" "token create --ttl" "host show" \
    "container update" "status extra" "--nonsense status"; do
	# shellcheck disable=SC2086
	check_rc "usage: sentinelctl $args" 2 ctl $args
done
check_rc "an unknown host: 3" 3 ctl host show nobody
said "and says so" "nobody"
check_rc "an unknown token: 3" 3 ctl token revoke 12345678
check "status --json" sh -c "$B/sentinelctl -s $CTL_SOCK status --json |
    jq -e '.daemon == \"sentineld\" and (.processes | length) == 5'"
check "host list --json with no host is an array" sh -c "$B/sentinelctl \
    -s $CTL_SOCK host list --json | jq -e '. == []'"
check "token create tells the life" sh -c "$B/sentinelctl -s $CTL_SOCK \
    token create --ttl 90s --name w --json |
    jq -e '(.token | test(\"^[0-9a-f]{64}\$\")) and (.id | length) == 8
	and .expires_at != null'"
check_rc "a life of nonsense" 2 ctl token create --ttl soon
check_rc "a name that is none" 2 ctl token create --name 'a b'
check "container list with no host" ctl container list --json

ro=$T/s/run/sentineld-ro.sock
check_eq "one socket, unless another is asked for" "$CTL_SOCK" \
    "$(find "$T/s/run" -name '*.sock')"
must "the server stops" daemon_stop s
sed -i "s,^  docker: none,&\n  control_ro: $ro," "$T/s.conf"
must "the server starts with control_ro" server_start
check_eq "which is open to everybody" 666 "$(stat -c %a "$ro")"
check "the read-only socket answers" "$B/sentinelctl" -s "$ro" status
check "and lists" "$B/sentinelctl" -s "$ro" host list
check_rc "and makes no token: 4" 4 "$B/sentinelctl" -s "$ro" token create
check_rc "and revokes none: 4" 4 "$B/sentinelctl" -s "$ro" token revoke 12345678

# A client that says nothing, or rubbish, or leaves in the middle.
/usr/bin/python3 - "$CTL_SOCK" <<'EOT'
import os, socket, sys
held = []
for data in (b"", b"\0" * 16, b"\xff" * 64, b"GET / HTTP/1.1\r\n\r\n",
             os.urandom(65536)):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(2)
    s.connect(sys.argv[1])
    try:
        s.sendall(data)
    except OSError:
        pass
    held.append(s)
for s in held[::2]:
    s.close()
EOT
check "after rubbish on the control socket it answers" ctl status
check_eq "the socket is for root and a group" "660" \
    "$(stat -c %a "$CTL_SOCK" | sed 's/600/660/')"
