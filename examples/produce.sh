#!/usr/bin/env bash
# Writes records to a topic in every way there is. PROXY and TOPIC come from the environment; ends with an error at the
# first call that fails. The topic has to exist, except with --dev or where the brokers create topics by themselves.
set -euo pipefail

proxy=${PROXY:-http://127.0.0.1:8082}
topic=${TOPIC:-hello}
json='application/vnd.kafka.json.v2+json'
binary='application/vnd.kafka.binary.v2+json'

# produce PATH CONTENT-TYPE BODY [CURL-OPTION ...]. With strict the status tells whether every record was written: 200 if
# so, 207 if some were, else an error.
produce() {
    local answer
    answer=$(curl --silent --show-error --max-time 60 --write-out '\n%{http_code}' \
        -H "Content-Type: $2" --data-binary "$3" "${@:4}" "$proxy$1?strict=true")
    echo "${answer%$'\n'*}"
    [[ ${answer##*$'\n'} == 200 ]]
}

echo '# any JSON values'
produce "/topics/$topic" "$json" '{"records":[{"value":{"temperature":21.5}},{"value":"text"},{"value":[1,2,3]}]}'

echo '# any bytes, as base64'
produce "/topics/$topic" "$binary" "{\"records\":[{\"value\":\"$(printf 'any bytes' | base64)\"}]}"

echo '# with a key: records of one key are in one partition, in order'
produce "/topics/$topic" "$json" '{"records":[{"key":"sensor-1","value":1},{"key":"sensor-1","value":2}]}'

echo '# a null value: the tombstone of a key'
produce "/topics/$topic" "$json" '{"records":[{"key":"sensor-1","value":null}]}'

echo '# with headers (their values are base64) and a time in milliseconds'
produce "/topics/$topic" "$json" \
    '{"records":[{"value":1,"timestamp":1700000000000,"headers":[{"key":"source","value":"c2Vuc29yLTE="}]}]}'

echo '# to one partition'
produce "/topics/$topic/partitions/0" "$json" '{"records":[{"value":1}]}'

echo '# compressed'
printf '{"records":[{"value":"small"}]}' | gzip | produce "/topics/$topic" "$json" @- -H 'Content-Encoding: gzip'
