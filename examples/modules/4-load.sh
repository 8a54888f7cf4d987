#!/usr/bin/env bash
# Users who ask for /computation, each again as soon as it has its answer.
#   ./4-load.sh [SECONDS] [USERS]
set -euo pipefail
seconds=${1:-120} users=${2:-50} port=${PORT:-8000}

name=$(aws elbv2 describe-load-balancers --names app --query 'LoadBalancers[0].DNSName' --output text)
counts=$(mktemp)
trap 'rm -f "$counts"' EXIT
for ((i = 0; i < users; i++)); do
	(
		answered=0 failed=0
		while ((SECONDS < seconds)); do
			if curl -fsS -o /dev/null -m 60 -H "Host: $name" "http://127.0.0.1:$port/computation"; then
				answered=$((answered + 1))
			else
				failed=$((failed + 1))
			fi
		done
		echo "$answered $failed" >>"$counts"
	) &
done
wait
awk '{a += $1; f += $2} END {print a " answered, " f + 0 " failed"}' "$counts"
