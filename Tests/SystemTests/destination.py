"""A server that spans are sent on to, with the bad days that such servers have."""

import gzip
import http.server
import socket
import threading
from collections import Counter

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

# What it may do with a request; a number is the status that it answers without taking anything.
OK, DROP, HANG, RESTART = "ok", "drop", "hang", "restart"


class Destination:
    """Remembers the spans that it said it took. `mood` says what it does with the next request."""

    def __init__(self, mood=lambda: OK):
        self.mood = mood
        self.accepted = Counter()
        self.requests = Counter()
        self.retry_after = None
        self.lock = threading.RLock()
        self.server = None
        # Nobody else gets the port while the server is down.
        self.reservation = socket.socket()
        self.reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.reservation.bind(("127.0.0.1", 0))
        self.address = self.reservation.getsockname()
        self.endpoint = "http://{}:{}".format(*self.address)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.reservation.close()

    def start(self):
        with self.lock:
            self.server = _Server(self)
            threading.Thread(target=self.server.serve_forever, args=(0.01,)).start()

    def stop(self):
        """From here on connections are refused, and those that there were are reset."""
        with self.lock:
            if self.server:
                self.server.end()
            self.server = None

    def restart(self):
        with self.lock:
            if self.server:
                self.stop()
                self.start()

    def take(self, body):
        ids = [s.span_id for r in body.resource_spans for scope in r.scope_spans for s in scope.spans]
        with self.lock:
            self.accepted.update(ids)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, destination):
        self.destination = destination
        self.connections = set()
        super().__init__(destination.address, _Handler)

    def end(self):
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the client was first

    def handle_error(self, request, client_address):
        """A connection that broke; the client tells of everything that matters."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        self.server.connections.add(self.request)
        super().setup()

    def finish(self):
        self.server.connections.discard(self.request)
        super().finish()

    def do_POST(self):
        destination = self.server.destination
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        message = ExportTraceServiceRequest.FromString(body)
        mood = destination.mood()
        with destination.lock:
            destination.requests[mood] += 1
        if mood == OK:
            destination.take(message)
            self.answer(200)
        elif mood == DROP:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
            self.close_connection = True
        elif mood == HANG:
            # Nothing comes but the end of the connection, when the client has had enough.
            self.connection.recv(1)
            self.close_connection = True
        elif mood == RESTART:
            self.close_connection = True
            threading.Thread(target=destination.restart).start()
        else:
            self.answer(mood)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        if status != 200 and self.server.destination.retry_after is not None:
            self.send_header("Retry-After", str(self.server.destination.retry_after))
        self.end_headers()

    def log_message(self, *_):
        """Says nothing."""
