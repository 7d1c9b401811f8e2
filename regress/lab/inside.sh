#!/bin/sh
# inside.sh SCENARIO: the first process of a scenario's namespaces.
set -u
[ "$(id -u)" -eq 0 ] && ip link set lo up
PATH=$PWD/regress/lab/bin:$PATH
export PATH
. regress/lab/lib.sh
. regress/lab/sentinel.sh
trap scenario_end EXIT
trap 'exit 143' HUP INT TERM
. "$1"
exit "$SCENARIO_RC"
