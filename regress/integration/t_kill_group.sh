# The same (t_kill_txn.sh) for a provider and those that share its network
# and each other's processes: one transaction of three containers.
# needs: root
# timeout: 300
# full: 7200
. regress/docker/txn.sh
txn_matrix vpn
exit $SCENARIO_RC
