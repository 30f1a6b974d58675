#!/usr/bin/env python3
"""Produces and consumes through a fleet until SIGTERM, then tells what became of it and fails if anything was lost.

Each producer keeps a connection, sends ten records at a time and counts every answer that is not 200 with ten offsets.
Consumers commit what they have read; one whose instance is gone is told so with 40403 and is created again. Needs nothing
but Python.
"""

import argparse
import http.client
import json
import signal
import sys
import threading
import time
from urllib.parse import urlsplit

JSON = "application/vnd.kafka.json.v2+json"
V2 = "application/vnd.kafka.v2+json"
BATCH = 10

stopping = threading.Event()
drained = threading.Event()


class Connection:
    """One connection to the fleet, made again after an error."""

    def __init__(self, address):
        self.address = address
        self.http = None

    def call(self, method, path, body=None, content=V2, accept=V2):
        try:
            self.http = self.http or http.client.HTTPConnection(self.address, timeout=60)
            headers = {"Accept": accept} | ({"Content-Type": content} if body is not None else {})
            text = None if body is None else json.dumps(body)
            self.http.request(method, path, text, headers)
            answer = self.http.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            if self.http:
                self.http.close()
            self.http = None
            raise
        return answer.status, json.loads(text) if text else None


class Tally:
    """What happened, from all threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.requests = 0
        self.failures = []
        self.slowest = 0.0
        self.acknowledged = set()
        self.read = set()
        self.again = 0
        self.moved = 0
        self.rebalanced = 0
        self.unclear = []

    def fail(self, what):
        with self.lock:
            self.failures.append(what)

    def missing(self):
        with self.lock:
            return self.acknowledged - self.read


def produce(number, address, topic, tally):
    connection, count = Connection(address), 0
    while not stopping.is_set():
        ids = [f"{number}-{count + index}" for index in range(BATCH)]
        count += BATCH
        records = [{"key": name, "value": {"id": name}} for name in ids]
        begin = time.monotonic()
        try:
            status, body = connection.call("POST", f"/topics/{topic}", {"records": records}, JSON)
            good = status == 200 and all(offset.get("error_code") is None for offset in body["offsets"])
        except (OSError, http.client.HTTPException, ValueError) as error:
            status, body, good = 0, repr(error), False
        with tally.lock:
            tally.requests += 1
            tally.slowest = max(tally.slowest, time.monotonic() - begin)
            if good:
                tally.acknowledged.update(ids)
        if not good:
            tally.fail(f"{status} {body}")
        time.sleep(0.005)


def consume(address, group, topic, tally):
    connection, base = Connection(address), None
    while not drained.is_set():
        try:
            if base is None:
                base = join(connection, group, topic)
            status, body = connection.call("GET", f"{base}/records?timeout=1000", accept=JSON)
            if status == 200:
                note(tally, body)
                status, body = connection.call("POST", f"{base}/offsets")
        except (OSError, http.client.HTTPException, ValueError) as error:
            status, body = 0, repr(error)
        if status == 404 and isinstance(body, dict) and body.get("error_code") == 40403:
            # This is what clients are told: the instance is gone, make another one.
            base = None
            with tally.lock:
                tally.moved += 1
        elif status == 500 and "rebalanced meanwhile" in str(body):
            # Another member came or went between a read and its commit: the records are delivered again.
            with tally.lock:
                tally.rebalanced += 1
        elif status not in (200, 204):
            with tally.lock:
                tally.unclear.append(f"{status} {body}")
            time.sleep(0.1)
    if base:
        connection.call("DELETE", base)


def join(connection, group, topic):
    settings = {"format": "json", "auto.offset.reset": "earliest", "auto.commit.enable": "false"}
    status, body = connection.call("POST", f"/consumers/{group}", settings)
    if status != 200:
        raise ValueError(f"{status} {body}")
    base = urlsplit(body["base_uri"]).path
    status, body = connection.call("POST", f"{base}/subscription", {"topics": [topic]})
    if status != 204:
        raise ValueError(f"{status} {body}")
    return base


def note(tally, records):
    with tally.lock:
        for record in records:
            name = record["value"]["id"]
            tally.again += name in tally.read
            tally.read.add(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True, help="HOST:PORT of the fleet")
    parser.add_argument("--topic", required=True)
    parser.add_argument("--producers", type=int, default=4)
    parser.add_argument("--consumers", type=int, default=3)
    arguments = parser.parse_args()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())

    tally = Tally()
    makers = [
        threading.Thread(target=produce, args=(number, arguments.address, arguments.topic, tally))
        for number in range(arguments.producers)
    ]
    takers = [
        threading.Thread(target=consume, args=(arguments.address, f"{arguments.topic}-readers", arguments.topic, tally))
        for _ in range(arguments.consumers)
    ]
    for thread in makers + takers:
        thread.start()
    while not stopping.wait(0.2):
        pass
    for thread in makers:
        thread.join()
    deadline = time.monotonic() + 90
    while tally.missing() and time.monotonic() < deadline:
        time.sleep(0.2)
    drained.set()
    for thread in takers:
        thread.join()

    missing = tally.missing()
    print(f"produce requests: {tally.requests}, failed: {len(tally.failures)}, slowest: {tally.slowest * 1000:.0f} ms")
    print(f"records acknowledged: {len(tally.acknowledged)}, not read: {len(missing)}, read again: {tally.again}")
    print(f"consumers told to begin again (40403): {tally.moved}, to commit later: {tally.rebalanced}, "
          f"anything else: {len(tally.unclear)}")
    for line in tally.failures[:10] + tally.unclear[:10]:
        print(f"  {line}")
    sys.exit(1 if tally.failures or missing or tally.unclear or not tally.acknowledged else 0)


main()
