#!/bin/sh
# One scenario of the lab: real sockets in a namespace of their own, captured, diagnosed, and the
# diagnosis held against what was made. lab.sh TCPWHY SCENARIO

report=$("$1" lab "$2" 2>&1)
status=$?
printf '%s\n' "$report"
case $report in
*'tcpwhy: lab: not possible here:'*) exit 77 ;;
esac
exit $status
