"""An open stream of records (v3): receipts are counted while more is sent on the same connection."""

import socket
import threading
import time

WRITTEN = b'"error_code":200'
ANSWERED = b'"error_code":'
PIECE_RECORDS = 100
WINDOW_RECORDS = 5_000  # unanswered; more are not sent


class Stream:
    """Sends `document` again and again on one connection, and reads receipts meanwhile."""

    def __init__(self, address, path, document):
        host, _, port = address.partition(":")
        self.connection = socket.create_connection((host, int(port)), timeout=30)
        head = f"POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.connection.sendall(head.encode())
        piece = document * PIECE_RECORDS
        self.piece = b"%x\r\n%s\r\n" % (len(piece), piece)
        self.sent, self.answered, self.written = 0, 0, 0
        self.sent_at = {}  # by the number of records that are to be answered until then
        self.latencies = []
        self.room = threading.Condition()

    def run(self, seconds):
        """Returns records, seconds, latencies and errors once everything that was sent is answered."""
        reader = threading.Thread(target=self.read, daemon=True)
        reader.start()
        started = time.monotonic()
        while time.monotonic() - started < seconds and reader.is_alive():
            with self.room:
                if not self.room.wait_for(lambda: self.sent - self.answered < WINDOW_RECORDS, timeout=30):
                    break
                self.sent += PIECE_RECORDS
                self.sent_at[self.sent] = time.monotonic()
            self.connection.sendall(self.piece)
        self.connection.sendall(b"0\r\n\r\n")
        reader.join(timeout=30)
        elapsed = time.monotonic() - started
        self.connection.close()
        latencies = sorted(self.latencies) or [0.0]
        return {
            "requests": self.written,
            "seconds": elapsed,
            "p50_ms": latencies[len(latencies) // 2] * 1000,
            "p99_ms": latencies[len(latencies) * 99 // 100] * 1000,
            "errors": self.sent - self.written,
        }

    def read(self):
        rest = b""
        while not rest.endswith(b"\r\n0\r\n\r\n"):
            received = self.connection.recv(1 << 18)
            if not received:
                return
            # What is cut off is counted with what follows; what is whole in `rest` is counted only then.
            text = rest + received
            rest = text[-len(WRITTEN) + 1 :]
            now = time.monotonic()
            with self.room:
                self.written += text.count(WRITTEN) - rest.count(WRITTEN)
                self.answered += text.count(ANSWERED) - rest.count(ANSWERED)
                for end in range(next(iter(self.sent_at), 1 << 62), self.answered + 1, PIECE_RECORDS):
                    self.latencies.append(now - self.sent_at.pop(end))
                self.room.notify()
