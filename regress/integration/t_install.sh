# What "make install" puts where, and the service script: start, status,
# reload, restart and stop, with the exit statuses of the LSB; the units and
# the rc.d scripts name what was installed.
# needs: root
# timeout: 60

dest=$T/dest
make -s install B="$B" DESTDIR="$dest" INIT="systemd sysv rc.d" \
    >"$T/install.log" 2>&1
check_eq "make install" 0 $?
cat >"$T/want" <<EOT
755 /etc/init.d/sentinel-agentd
755 /etc/init.d/sentineld
755 /etc/rc.d/sentinel_agentd
755 /etc/rc.d/sentineld
644 /usr/lib/systemd/system/sentinel-agentd.service
644 /usr/lib/systemd/system/sentineld.service
644 /usr/lib/sysusers.d/sentinel.conf
644 /usr/lib/tmpfiles.d/sentinel.conf
755 /usr/local/bin/sentinelctl
755 /usr/local/sbin/sentinel-agentd
755 /usr/local/sbin/sentineld
644 /usr/local/share/doc/sentinel/sentinel.conf
EOT
for page in man/*.[578]; do
	echo "644 /usr/local/share/man/man${page##*.}/${page#man/}"
done >>"$T/want"
(cd "$dest" && find . -type f -printf '%m /%P\n') | sort >"$T/got"
check "exactly these files, with these modes" sh -c \
    "sort $T/want | diff - $T/got"
check_not "nothing is left to be filled in" grep -rn '@[a-z]*@' \
    "$dest/etc" "$dest/usr/lib"

dest2=$T/other
make -s install B="$B" DESTDIR="$dest2" PREFIX=/opt/snt SYSCONFDIR=/opt/etc \
    UNITDIR=/opt/units SYSUSERSDIR=/opt/users TMPFILESDIR=/opt/tmp \
    >"$T/install.log" 2>&1
check_eq "everything can be elsewhere" "opt" "$(ls "$dest2")"
check "the units follow" grep -q "^ExecStart=/opt/snt/sbin/sentineld " \
    "$dest2/opt/units/sentineld.service"
check "the scripts too" grep -q "^daemon=/opt/snt/sbin/sentineld$" \
    "$dest2/opt/etc/init.d/sentineld"

# In this mount namespace it is installed.
mkdir "$T/etc"
cp -a /etc/. "$T/etc"
rm -f "$T/etc/default/sentineld" "$T/etc/sentinel.conf"
mount --bind "$T/etc" /etc
mkdir -p /usr/local
mount --bind "$dest/usr/local" /usr/local
cp "$dest/etc/init.d/"* /etc/init.d/
rc=/etc/init.d/sentineld

# The page is looked for in the manual of this machine.
verify()
{
	systemd-analyze verify "$T/$1.service" 2>&1 | grep "$1.service" |
	    grep -v "Command 'man "
	return 0
}

for unit in sentineld sentinel-agentd; do
	cp "$dest/usr/lib/systemd/system/$unit.service" "$T/"
	command -v systemd-analyze >/dev/null || continue
	check_empty "$unit.service: systemd finds nothing wrong" verify $unit
	ex=$(systemd-analyze security --offline=true \
	    "$T/$unit.service" 2>/dev/null |
	    sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p')
	echo "# systemd-analyze security: $unit $ex"
	check "$unit.service: exposure $ex is below 5" \
	    awk -v e="${ex:-99}" 'BEGIN { exit !(e < 5) }'
done

check_rc "status without a configuration: not running" 3 $rc status
check_rc "start without one: not configured" 6 $rc start
check_rc "an unknown word" 2 $rc bounce
check_rc "none" 2 $rc
said "the words" "usage: .*start.*stop.*status"

server_conf
cp "$T/s.conf" /etc/sentinel.conf
data=$T/s/data
check_rc "start: 0 when the daemon is ready" 0 $rc start
server=$(cat "$data/lock")
echo "$server" >"$T/s.pid"
check "it answers at once" ctl status
check "it is no child of ours" test "$(ps -o ppid= -p "$server")" -le 1
check_rc "start again: it runs already" 0 $rc start
said "says so" "is running already, pid $server"
check_rc "status: running" 0 $rc status
said "with the pid" "is running, pid $server"
check_eq "rc.d(8) finds the parent by its pattern, and nobody else" \
    "$server" "$(pgrep -xf "$(sed -n 's/^pexp="\(.*\)"$/\1/p' \
    "$dest/etc/rc.d/sentineld")")"

sed -i 's/heartbeat_timeout: 5s/heartbeat_timeout: 6s/' /etc/sentinel.conf
check_rc "reload" 0 $rc reload
check "is a reload" wait_for 10 sh -c "$B/sentinelctl -s $CTL_SOCK \
    audit list | grep -q 'changed server.timers.heartbeat_timeout'"
echo "surprise: 1" >>/etc/sentinel.conf
check_rc "reload of a broken file: refused" 6 $rc reload
said "with the line" "sentinel.conf:[0-9]+:[0-9]+: .*surprise"
check_rc "restart into a broken file: refused" 6 $rc restart
check_rc "and it still runs" 0 $rc status
said "as before" "pid $server"
sed -i '$d' /etc/sentinel.conf
check_rc "restart" 0 $rc restart
check "is another daemon" test "$(cat "$data/lock")" != "$server"
check_rc "try-restart" 0 $rc try-restart
check_rc "force-reload of one that runs" 0 $rc force-reload
server=$(cat "$data/lock")
echo "$server" >"$T/s.pid"
check_rc "stop" 0 $rc stop
check "it is gone" gone "$server"
check "and so are its children" none_left sentineld
check_rc "stop again" 0 $rc stop
check_rc "status" 3 $rc status
check_rc "reload: not running" 7 $rc reload
check_rc "try-restart: stays stopped" 0 $rc try-restart
check_rc "status" 3 $rc status
# The pid in the lock may be somebody else's by now.
echo $$ >"$data/lock"
check_rc "a pid that is another's: not running" 3 $rc status
check_rc "force-reload of one that does not run: start" 0 $rc force-reload
cp "$data/lock" "$T/s.pid"
check_rc "stop" 0 $rc stop
check_rc "as another user: status only" 4 setpriv --reuid 65534 --clear-groups \
    $rc start
echo "privileges: keep" >>/etc/sentinel.conf
sed -i '/^privileges: drop/d' /etc/sentinel.conf
check_rc "what the daemon itself refuses" 4 $rc start
sed -i '/^privileges: keep/d' /etc/sentinel.conf
chmod -x /usr/local/sbin/sentineld
check_rc "a daemon that is not there" 5 $rc start
chmod +x /usr/local/sbin/sentineld

# The agent's, without a server to find.
agent_conf worker-1
(umask 077; echo 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff \
    >"$T/worker-1.token")
cp "$T/worker-1.conf" /etc/sentinel.conf
check_rc "the agent's script: start" 0 /etc/init.d/sentinel-agentd start
cp "$T/worker-1/data/lock" "$T/worker-1.pid"
check_rc "status" 0 /etc/init.d/sentinel-agentd status
check_rc "reload" 0 /etc/init.d/sentinel-agentd reload
check_rc "stop" 0 /etc/init.d/sentinel-agentd stop
check "nobody is left behind" none_left sentinel-agentd

# A user for each process, where systemd-sysusers does not run.
check "make users" make -s users
check "makes them all" sh -c \
    "awk '\$1 == \"u\" { print \$2 }' etc/sentinel.sysusers | xargs -n 1 id"
check "and can be repeated" make -s users
cp "$T/s.conf" /etc/sentinel.conf
check_rc "start" 0 $rc start
cp "$data/lock" "$T/s.pid"
check_eq "the keyholder has its own" "$(id -u _snt-key)" \
    "$(ps -o euid= -p "$(child_of s keyholder)" | tr -d ' ')"
check_rc "stop" 0 $rc stop
