#!/usr/bin/env bash
# Writes and reads records with schemas: Avro, JSON Schema and Protobuf, by text and by id, with a plain key beside an Avro
# value, and in v3. PROXY and TOPIC come from the environment; the topic has to exist, and the proxy needs a registry.
# Ends with an error at the first call that fails.
set -euo pipefail

proxy=${PROXY:-http://127.0.0.1:8082}
topic=${TOPIC:-hello}

# call METHOD PATH MEDIA_TYPE [BODY]
call() {
    curl --silent --show-error --fail-with-body --max-time 60 -X "$1" "$proxy$2" -H "Content-Type: $3" \
        ${4:+--data-binary "$4"}
}

# produce FORMAT BODY [QUERY]
produce() {
    echo "# $1"
    call POST "/topics/$topic${3:-}" "application/vnd.kafka.$1.v2+json" "$2"
    echo
}

# read_from OFFSET ACCEPT [QUERY]: one record, without an instance.
read_from() {
    curl --silent --show-error --fail-with-body "$proxy/topics/$topic/partitions/0/records?offset=$1&limit=1${3:-}" \
        -H "Accept: application/vnd.kafka.$2.v2+json"
    echo
}

order='{\"type\":\"record\",\"name\":\"Order\",\"fields\":[{\"name\":\"id\",\"type\":\"long\"},{\"name\":\"note\",\"type\":[\"null\",\"string\"]}]}'
answer=$(produce avro "{\"value_schema\":\"$order\",\"records\":[{\"partition\":0,\"value\":{\"id\":1,\"note\":{\"string\":\"first\"}}}]}")
echo "$answer"
id=$(sed -n 's/.*"value_schema_id":\([0-9]*\).*/\1/p' <<<"$answer")
first=$(sed -n 's/.*"offset":\([0-9]*\).*/\1/p' <<<"$answer")

echo '# the same schema by its id, and a plain text as key'
produce avro "{\"value_schema_id\":$id,\"records\":[{\"partition\":0,\"key\":\"k\",\"value\":{\"id\":2,\"note\":null}}]}" '?key_format=string'
read_from "$first" avro
read_from $((first + 1)) avro '&key_format=string'

echo '# v3: by the latest version of the subject, and with a schema of its own for the key'
call POST "/v3/clusters/any/topics/$topic/records" application/json \
    '{"partition_id":0,"key":{"type":"AVRO","schema":"\"string\"","data":"k"},"value":{"data":{"id":3,"note":null}}}'
echo
