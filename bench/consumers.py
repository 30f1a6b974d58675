"""Consumer instances of the proxy, and clients that read from them as fast as they can.

A client takes an answer with one or two system calls and looks at its two ends only: `wrk` would read it 8 kB at a
time, and parsing it would take longer than the proxy needs to write it.
"""

import http.client
import json
import re
import socket
import threading
import time

LAST_RECORD = re.compile(rb'"partition":(\d+),"offset":(\d+)\}\]$')
LARGEST_ANSWER = 8 << 20  # of 1 MB of values, with base64 and all that is around them
CONTENT_TYPE = {"Content-Type": "application/vnd.kafka.v2+json"}


class Instance:
    """A consumer instance of the proxy at `address`."""

    def __init__(self, address, group, name):
        self.address = address
        self.path = f"/consumers/{group}/instances/{name}"
        self.call("POST", f"/consumers/{group}", {"name": name, "format": "binary", "auto.offset.reset": "earliest"})

    def subscribe(self, topic):
        self.call("POST", f"{self.path}/subscription", {"topics": [topic]})

    def assign(self, topic, partitions):
        self.assigned = partitions_of(topic, partitions)
        self.call("POST", f"{self.path}/assignments", self.assigned)

    def assignment(self):
        return self.call("GET", f"{self.path}/assignments")["partitions"]

    def rewind(self):
        self.call("POST", f"{self.path}/positions/beginning", self.assigned)

    def delivered(self):
        """Commits what was delivered, and returns the next offset of each partition."""
        self.call("POST", f"{self.path}/offsets")
        committed = self.call("GET", f"{self.path}/offsets", self.assigned)["offsets"]
        return {entry["partition"]: entry["offset"] for entry in committed}

    def delete(self):
        self.call("DELETE", self.path)

    def records_request(self, **query):
        arguments = "&".join(f"{key}={value}" for key, value in query.items())
        accept = "Accept: application/vnd.kafka.binary.v2+json"
        return f"GET {self.path}/records?{arguments} HTTP/1.1\r\nHost: {self.address}\r\n{accept}\r\n\r\n".encode()

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request(method, path, body and json.dumps(body), CONTENT_TYPE)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {content.decode(errors='replace')}")
        return json.loads(content) if content else None


def partitions_of(topic, partitions):
    return {"partitions": [{"topic": topic, "partition": partition} for partition in partitions]}


class Client(threading.Thread):
    """Reads from one instance until `stop` is set or nothing is left, which sets `stop` for all."""

    def __init__(self, instance, max_bytes, stop):
        super().__init__(daemon=True)
        self.request = instance.records_request(max_bytes=max_bytes)
        self.address = instance.address
        self.stop = stop
        self.buffer = memoryview(bytearray(LARGEST_ANSWER))
        self.latencies = []  # of the answers with records, in seconds
        self.errors = 0
        self.tail = None  # partition and offset of the last record of all
        self.first_answer = None
        self.is_at_end = False

    def run(self):
        host, _, port = self.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.settimeout(None)
            self.started = self.ended = time.monotonic()
            while not self.stop.is_set():
                asked = time.monotonic()
                body = self.ask(connection)
                now = time.monotonic()
                if body is None:
                    self.errors += 1
                    self.stop.set()
                elif len(body) <= 2:
                    self.is_at_end = True
                    self.stop.set()
                else:
                    self.latencies.append(now - asked)
                    self.ended = now
                    self.look_at(body)

    def ask(self, connection):
        """Returns the body of an answer with status 200, None for any other."""
        connection.sendall(self.request)
        size, end = 0, -1
        while end < 0:
            received = connection.recv_into(self.buffer[size:])
            if received == 0:
                return None
            size += received
            end = bytes(self.buffer[:1024]).find(b"\r\n\r\n")
        head = bytes(self.buffer[:end]).lower()
        length = re.search(rb"content-length: (\d+)", head)
        if not head.startswith(b"http/1.1 200") or not length:
            return None
        whole = end + 4 + int(length[1])
        while size < whole:
            received = connection.recv_into(self.buffer[size:whole], whole - size, socket.MSG_WAITALL)
            if received == 0:
                return None
            size += received
        return self.buffer[end + 4 : whole]

    def look_at(self, body):
        if self.first_answer is None:
            self.first_answer = bytes(body)
        last = LAST_RECORD.search(bytes(body[-64:]))
        if bytes(body[:2]) == b"[{" and last:
            self.tail = int(last[1]), int(last[2])
        else:
            self.errors += 1

    def ends_at(self, next_offsets):
        """Tells whether the proxy counts up to the last record that came."""
        return self.tail is not None and next_offsets.get(self.tail[0]) == self.tail[1] + 1


def read(instances, max_bytes, seconds):
    """Reads from all instances at once, a client each, for some seconds or until one has nothing left."""
    stop = threading.Event()
    clients = [Client(instance, max_bytes, stop) for instance in instances]
    for client in clients:
        client.start()
    stop.wait(seconds)
    stop.set()
    for client in clients:
        client.join()
    return clients
