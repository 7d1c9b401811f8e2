# Two enrolments on one token at the same time, 100 rounds: one wins each.
# timeout: 120

must "the server starts" server_start
i=0
while [ $i -lt 100 ]; do
	token --name "race-$i" || break
	i=$((i + 1))
done >"$T/tokens"
check_eq "a hundred tokens" 100 "$(sort -u "$T/tokens" | grep -c .)"
mkdir "$T/a"
check "one of two wins, a hundred times" $PEER/agent.py race \
    --server "127.0.0.1:$PORT" --ca "$T/s/data/cluster/ca.pem" \
    --dir "$T/a" --tokens "$T/tokens"
check_eq "a hundred hosts" 100 "$(hosts length)"
