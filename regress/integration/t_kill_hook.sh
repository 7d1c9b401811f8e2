# The same (t_kill_txn.sh) for a container with hooks: none runs twice, and
# none that has lost its updater runs on.
# needs: root
# timeout: 300
# full: 3600
. regress/docker/txn.sh
txn_matrix hook
exit $SCENARIO_RC
