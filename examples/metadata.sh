#!/usr/bin/env bash
# Shows what the proxy knows of the cluster and of one topic, which has to exist. PROXY and TOPIC come from the
# environment; ends with an error at the first call that fails.
set -euo pipefail

proxy=${PROXY:-http://127.0.0.1:8082}
topic=${TOPIC:-hello}

for path in /brokers /topics "/topics/$topic" "/topics/$topic/partitions" "/topics/$topic/partitions/0" \
    "/topics/$topic/partitions/0/offsets"; do
    echo "# $path"
    curl --silent --show-error --fail-with-body --max-time 60 "$proxy$path"
    echo
done
