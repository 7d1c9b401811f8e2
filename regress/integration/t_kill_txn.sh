# The update transaction against a real engine: the updater or the engine is
# killed at records of the journal and at requests, requests are refused and
# lost; afterwards the container is the old or the new one as a whole and
# nothing of the update is left.  A sample with a printed seed in two of these
# kinds of containers, all with FULL=1.
# needs: root
# timeout: 300
# full: 5400
. regress/docker/txn.sh
txn_matrix rich paused stopped deaf joined host auto
exit $SCENARIO_RC
