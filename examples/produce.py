#!/usr/bin/env python3
"""Writes records with Python's standard library alone. PROXY and TOPIC come from the environment.

The topic has to exist, except with --dev or where the brokers create topics by themselves.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

PROXY = os.environ.get("PROXY", "http://127.0.0.1:8082")
TOPIC = os.environ.get("TOPIC", "hello")


def main():
    records = [{"key": f"sensor-{n % 3}", "value": {"reading": n}} for n in range(10)]
    for record, place in zip(records, produce(TOPIC, records)):
        print(f"{record['key']}: partition {place['partition']}, offset {place['offset']}")


def produce(topic, records):
    """Returns where each record is, in their order; ends the program if one of them is not written."""
    answer = call(f"/topics/{topic}", {"records": records})
    failed = [place["error"] for place in answer["offsets"] if place["error_code"] is not None]
    if failed:
        # The others are written: send only the failed ones again.
        sys.exit(f"{len(failed)} of {len(records)} records were not written: {failed[0]}")
    return answer["offsets"]


def call(path, body, attempts=5):
    """Returns the answer; waits and tries again where the proxy asks for it (429 and 503 have a Retry-After)."""
    request = urllib.request.Request(
        PROXY + path,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/vnd.kafka.json.v2+json", "Accept": "application/vnd.kafka.v2+json"},
    )
    for attempt in range(1, attempts + 1):
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            wait = error.headers.get("Retry-After")
            if wait is None or attempt == attempts:
                sys.exit(f"{path} answered {error.code}: {error.read().decode()}")
            time.sleep(int(wait))
        except urllib.error.URLError as error:
            sys.exit(f"{PROXY} cannot be reached: {error.reason}")


if __name__ == "__main__":
    main()
