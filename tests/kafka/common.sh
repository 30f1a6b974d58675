# What `broker`, `worker` and `registry` share, which source this file. It fetches Kafka once into a cache, runs java as a child
# that never outlives whoever started the script, and says when it is ready.
#
# The script sets before the first call: here (this folder) and version (Kafka's). Before `run` it defines is_ready,
# which looks for what it needs, perhaps in `new_log`.

readonly ready_seconds=120

fail() {
    complain "$2"
    exit "$1"
}

complain() {
    echo "tests/kafka/${0##*/}: $1" >&2
}

require() {
    command -v "$1" >/dev/null || fail 69 "\`$1\` is not installed: $2"
}

# Sets `logging`, options of java, and `logging_profile`, a profile of pom.xml.
choose_logging() {
    if [[ $version == 3.* ]]; then
        logging_profile=reload4j
        logging=("-Dlog4j.configuration=file:$here/reload4j.properties")
    else
        logging_profile=log4j2
        logging=("-Dlog4j2.configurationFile=file:$here/log4j2.properties")
    fi
}

# Sets `libs` to the folder of jars and fills it if it is not there. The folder is named after the sum of pom.xml, so a
# changed pom fetches anew and never pulls the jars away from a running broker.
fetch() {
    libs=$(cache)/libs-$(pom_sum)-$version
    fill "$libs" -P "$logging_profile" dependency:copy-dependencies -DincludeScope=runtime
}

pom_sum() {
    cksum <"$here/pom.xml" | cut -d ' ' -f 1
}

cache() {
    echo "${KAFKA_REST_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kafka-rest-proxy/kafka-$version}"
}

# fill FOLDER MAVEN_ARGUMENT ...: runs maven unless the folder is there. It appears whole or not at all.
fill() {
    local folder=$1 log
    shift
    if [[ -d $folder ]]; then
        return
    fi
    require mvn "it fetches Kafka $version"
    require flock "it keeps two runs from fetching Kafka at once"
    mkdir -p "$(cache)"
    log=$(cache)/mvn.log
    (
        flock 9
        if [[ ! -d $folder ]]; then
            rm -rf "$folder.part"
            mvn -q -B -f "$here/pom.xml" -Dkafka.version="$version" "$@" -DoutputDirectory="$folder.part" \
                </dev/null >"$log" 2>&1 || fail 69 "\`mvn\` could not fetch Kafka $version, see $log"
            mv "$folder.part" "$folder"
        fi
    ) 9>"$(cache)/lock"
}

# run WHAT ADDRESS LOG JAVA ARGUMENT ...: runs java until it ends and exits with its status. Prints
# "ready ADDRESS pid JAVA_PID" when is_ready says so. Java is a child, not this process: somebody has to see stdin
# close.
run() {
    local what=$1 address=$2 log=$3 log_start=1 status
    shift 3
    if [[ -f $log ]]; then
        log_start=$(($(wc -c <"$log") + 1))
    fi
    "$@" </dev/null >>"$log" 2>&1 &
    java=$!
    owner_gone=''
    trap 'kill -TERM "$java" 2>/dev/null || true' TERM INT HUP
    trap 'owner_gone=yes' USR1
    watch_stdin
    announce

    # A trap cuts `wait` short, hence the loop.
    while true; do
        status=0
        # stderr is closed to bash's own "Killed java ...".
        { wait "$java" || status=$?; } 2>/dev/null
        kill -0 "$java" 2>/dev/null || break
    done
    if [[ -n ${watcher:-} ]]; then
        kill -KILL "$watcher" 2>/dev/null || true
    fi
    if [[ -n $owner_gone && -n $remove_dir ]]; then
        rm -rf "$dir"
    fi
    exit "$status"
}

# The watcher kills java itself, so that java ends even if this script was killed before. It ignores signals, as some
# go to every process of a test run at once and java may not heed its own.
watch_stdin() {
    if [[ -n $stdin_ignore || -t 0 ]]; then
        return
    fi
    exec 3<&0
    (
        trap '' TERM INT HUP
        while read -r _; do :; done
        kill -USR1 $$ || true
        kill -KILL "$java"
    ) <&3 >/dev/null 2>&1 &
    watcher=$!
}

announce() {
    local deadline=$((SECONDS + ready_seconds))
    until is_ready; do
        if ! kill -0 "$java" 2>/dev/null; then
            new_log | tail -n 40 >&2
            complain "$what $version ended before it was ready, see $log"
            return
        fi
        if ((SECONDS >= deadline)); then
            complain "$what $version is not ready after $ready_seconds s, see $log"
            kill -KILL "$java" 2>/dev/null || true
            return
        fi
        sleep 0.1
    done
    echo "ready $address pid $java"
}

# Prints what java logged since it was started; an older run may have left its own lines before.
new_log() {
    tail -c "+$log_start" "$log"
}
