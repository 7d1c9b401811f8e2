# Two hosts with an engine of their own and a container of the same name each:
# whatever is asked of one never touches the other.  An agent that enrols under
# the name of another host, and containers under the names that an update needs.
# needs: root
# timeout: 180

trap 'scenario_end; lab_stop "$T/east"; lab_stop "$T/lab"' EXIT
v=$LAB_REGISTRY/demo
c=app

# at LAB COMMAND...: on that host's engine.
at()
{
	LAB_DIR=$T/$1
	shift
	"$@"
}

# Each has a registry of its own: the same references, other images.
for lab in lab east; do
	must "$lab: an engine" lab_start "$T/$lab"
	must "$lab: image 1" at $lab lab_image demo:1 "$lab-1"
	must "$lab: image 2" at $lab lab_image demo:2 "$lab-2"
	must "$lab: the container" at $lab lab_docker run -d --name $c \
	    -v data:/data "$v:1"
	at $lab lab_docker rmi "$v:2" >/dev/null 2>&1
done
must "the server starts" server_start
AGENT_DOCKER=unix://$T/lab/docker.sock
must "the first agent connects" enrolled west
AGENT_DOCKER=unix://$T/east/docker.sock
must "the second connects" enrolled east

# is LAB FORMAT: of the container there.
is()
{
	at "$1" lab_docker inspect -f "$2" $c
}

# all LAB: every container there, with id and start.
all()
{
	at "$1" lab_docker ps -aq --no-trunc |
	    at "$1" xargs docker -H "unix://$T/$1/docker.sock" inspect \
	    -f '{{.Name}} {{.Id}} {{.State.Status}} {{.State.StartedAt}}' |
	    sort
}

# rows FILTER: jq on the history.
rows()
{
	ctl history list --json | jq -e "$1"
}

check "both are listed, each with its host" wait_for 10 sh -c "$B/sentinelctl \
    -s $CTL_SOCK container list --json | jq -e '[.[] |
    select(.name == \"$c\") | .host_name] | sort == [\"east\", \"west\"]'"

# --- one of them --------------------------------------------------------
all east >"$T/east.before"
check_rc "a plan of one" 8 ctl container plan west/$c --image "$v:2"
check "show tells the one" sh -c "$B/sentinelctl -s $CTL_SOCK container show \
    west/$c --json | grep -q '$(is lab '{{.Id}}')'"
check_not "and not the other" sh -c "$B/sentinelctl -s $CTL_SOCK container show \
    west/$c --json | grep -q '$(is east '{{.Id}}')'"
check "its logs" sh -c "$B/sentinelctl -s $CTL_SOCK container logs west/$c |
    grep -q '^version lab-1'"
check "and the other's" sh -c "$B/sentinelctl -s $CTL_SOCK container logs \
    east/$c | grep -q '^version east-1'"
check "stop" ctl container stop west/$c
check_eq "it is stopped, the other runs" "false true" \
    "$(is lab '{{.State.Running}}') $(is east '{{.State.Running}}')"
check "start" ctl container start west/$c
check "restart" ctl container restart west/$c
check "an update" ctl container update west/$c --image "$v:2"
check_eq "it has the image of its own registry" lab-2 \
    "$(at lab lab_docker exec $c cat /etc/version)"
sleep 1
check "back" ctl container rollback west/$c
check_eq "it has the image before" lab-1 \
    "$(at lab lab_docker exec $c cat /etc/version)"
all east >"$T/east.after"
check "the namesake was not touched by any of it" diff "$T/east.before" \
    "$T/east.after"
check_rc "without a host: neither" 3 ctl container stop $c
check_rc "nor is it guessed" 3 ctl container stop we/$c

# --- both at the same time ----------------------------------------------
ctl container update west/$c --image "$v:2" --force >"$T/west.out" 2>&1 &
west=$!
ctl container update east/$c --image "$v:2" >"$T/east.out" 2>&1 &
east=$!
check "an update of the one" wait $west
check "and of the other" wait $east
for lab in lab east; do
	check_eq "$lab: its own image, one container" "$lab-2 $c running" \
	    "$(at $lab lab_docker exec $c cat /etc/version) \
$(at $lab lab_docker ps -a --format '{{.Names}} {{.State}}')"
done
check "a row for each of them" wait_for 5 rows "[.[] | select(.container ==
    \"$c\" and .action == \"update\" and .outcome == \"success\") |
    .host_name] | sort == [\"east\", \"west\", \"west\"]"
check "the roll-back is the first one's alone" rows "[.[] |
    select(.action == \"rollback\") | .host_name] == [\"west\"]"
check "and the rows of a host are its own" sh -c "$B/sentinelctl -s $CTL_SOCK \
    history list east --json | jq -e 'length > 0 and
    all(.[]; .host_name == \"east\")'"
# 2 is in quarantine after the roll-back, there and not here.
all lab >"$T/lab.before"
check "back on the second" ctl container rollback east/$c
check_rc "its quarantine" 1 ctl container update east/$c --image "$v:2"
said "says so" "quarantine"
check "is not the first one's" ctl container update west/$c --image "$v:2"
all lab >"$T/lab.after"
check "which has the image already" diff "$T/lab.before" "$T/lab.after"

# --- another agent of that name -----------------------------------------
AGENT_DOCKER=none
agent_conf twin
sed -i 's/name: twin/name: west/' "$T/twin.conf"
(umask 077; token >"$T/twin.token")
agent_start twin
check "it is a host of another name" wait_connected west-2
check "the server says so" has "$T/s.log" "west-2"
check "the first is still who it was" wait_connected west
check_rc "what it is asked does not reach the first" 1 ctl container stop west-2/$c
check_eq "and runs" "true" "$(is lab '{{.State.Running}}')"

# --- names that an update needs -----------------------------------------
for name in $c.sentinel-prev $c.sentinel-next; do
	at lab lab_docker create --name $name "$v:1" >/dev/null
	all lab >"$T/lab.before"
	check_rc "$name is somebody's: 1" 1 ctl container update west/$c \
	    --image "$v:1"
	said "says what is in the way" "\"$name\" is in the way"
	check_rc "$name: so does the plan" 1 ctl container plan west/$c \
	    --image "$v:1"
	all lab >"$T/lab.after"
	check "$name: nothing was touched" diff "$T/lab.before" "$T/lab.after"
	at lab lab_docker rm $name >/dev/null
done
check "without them" ctl container update west/$c --image "$v:1"
