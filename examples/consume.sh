#!/usr/bin/env bash
# Reads a topic from its beginning as a member of a consumer group, commits, and leaves. PROXY and TOPIC come from the
# environment; ends with an error at the first call that fails. The topic has to exist.
set -euo pipefail

proxy=${PROXY:-http://127.0.0.1:8082}
topic=${TOPIC:-hello}
group=${GROUP:-example-$RANDOM}

# call METHOD URL [BODY]
call() {
    curl --silent --show-error --fail-with-body --max-time 60 -X "$1" "$2" \
        -H 'Content-Type: application/vnd.kafka.v2+json' ${3:+--data-binary "$3"}
}

created=$(call POST "$proxy/consumers/$group" '{"format":"json","auto.offset.reset":"earliest"}')
instance=$(sed -n 's/.*"base_uri":"\([^"]*\)".*/\1/p' <<<"$created")
trap 'call DELETE "$instance"' EXIT
echo "# $instance"

call POST "$instance/subscription" "{\"topics\":[\"$topic\"]}"

echo '# records; the first read waits until the group has given this member its partitions'
call GET "$instance/records?timeout=10000"
echo

echo '# commit what was delivered'
call POST "$instance/offsets"
echo
