#!/usr/bin/env bash
# Walks through the REST API of Kafka Connect: every call of its original page, in its order, and what came since, for a
# connector that reads a file. PROXY (or a worker) and TOPIC come from the environment; the topic and the plugin
# FileStreamSource have to exist. Ends with an error at the first call that fails, and removes what it made.
set -euo pipefail

proxy=${PROXY:-http://127.0.0.1:8082}
topic=${TOPIC:-hello}
name=walk-$RANDOM
file=$(mktemp)
trap 'rm -f "$file"; call DELETE "/connectors/$name" >/dev/null 2>&1 || true' EXIT
printf 'one\ntwo\n' >"$file"

# call METHOD PATH [BODY]
call() {
    curl --silent --show-error --fail-with-body --max-time 120 -X "$1" "$proxy$2" \
        -H 'Content-Type: application/json' ${3:+--data-binary "$3"}
}

show() {
    echo "# $1 $2"
    call "$@"
    echo
}

# until_seen PATH TEXT: what a worker does takes a moment to show.
until_seen() {
    local answer='' _
    for _ in {1..120}; do
        answer=$(call GET "$1" 2>/dev/null) || true
        [[ $answer != *"$2"* ]] || { echo "# GET $1"; echo "$answer"; return; }
        sleep 0.5
    done
    echo "no $2 in $answer" >&2
    return 1
}

show GET /connectors
show POST /connectors "{\"name\":\"$name\",\"config\":{\"connector.class\":\"FileStreamSource\",\"tasks.max\":\"1\",\"file\":\"$file\",\"topic\":\"$topic\"}}"
show GET "/connectors/$name"
show GET "/connectors/$name/config"
show PUT "/connectors/$name/config" "{\"connector.class\":\"FileStreamSource\",\"tasks.max\":\"1\",\"file\":\"$file\",\"topic\":\"$topic\",\"batch.size\":\"100\"}"
until_seen "/connectors/$name/status" '"tasks":[{"id":0,"state":"RUNNING"'
show POST "/connectors/$name/restart"
show PUT "/connectors/$name/pause"
until_seen "/connectors/$name/status" PAUSED
show PUT "/connectors/$name/resume"
until_seen "/connectors/$name/status" '"tasks":[{"id":0,"state":"RUNNING"'
show GET "/connectors/$name/tasks"
show GET "/connectors/$name/tasks/0/status"
show POST "/connectors/$name/tasks/0/restart"
show GET /connector-plugins
show PUT /connector-plugins/FileStreamSource/config/validate "{\"name\":\"$name\",\"connector.class\":\"FileStreamSource\",\"topic\":\"$topic\"}" | cut -c 1-300

echo '# what came since'
show PATCH "/connectors/$name/config" '{"batch.size":"200"}'
show GET /connectors?expand=status\&expand=info
until_seen "/connectors/$name/topics" "$topic"
until_seen "/connectors/$name/offsets" position
show PUT "/connectors/$name/stop"
until_seen "/connectors/$name/status" '"tasks":[]'
show PATCH "/connectors/$name/offsets" "{\"offsets\":[{\"partition\":{\"filename\":\"$file\"},\"offset\":{\"position\":4}}]}"
show DELETE "/connectors/$name/offsets"
show GET /connector-plugins/FileStreamSource/config | cut -c 1-300
show DELETE "/connectors/$name/"
