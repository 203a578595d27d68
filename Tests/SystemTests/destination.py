"""A server that takes OTLP/HTTP, answers as it is told, and keeps what it was sent."""

import gzip
import http.server
import json
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import archives

DECODERS = {"": bytes, "gzip": gzip.decompress, "zstd": archives.whole_zstd}


@dataclass
class Received:
    """A request as it came."""

    path: str
    headers: dict
    body: bytes
    time: float
    connection: int

    def content(self):
        """The body without its compression."""
        return DECODERS[self.headers.get("content-encoding", "")](self.body)

    def message(self):
        if self.headers["content-type"] == "application/json":
            return archives.from_json(json.loads(self.content()))
        return ExportTraceServiceRequest.FromString(self.content())


@dataclass
class Reply:
    """What to answer; status 0 hangs up without a word."""

    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes = b""


class Destination:
    """Answers with `replies` in turn, the last of them for ever."""

    def __init__(self, *replies, port=0, tls=None):
        self.replies = list(replies) or [Reply()]
        self.requests = []
        self.accepted = []
        self._lock = threading.Lock()
        destination = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                destination._answer(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                """A client that does not believe the certificate hangs up; that is no news."""

        self._server = Server(("127.0.0.1", port), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def _answer(self, handler):
        body = handler.rfile.read(int(handler.headers["content-length"]))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        received = Received(handler.path, headers, body, time.monotonic(), handler.client_address[1])
        with self._lock:
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            self.requests.append(received)
            if reply.status // 100 == 2:
                self.accepted.append(received)
        if reply.status == 0:
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
            return
        handler.send_response(reply.status)
        for name, value in {"Content-Type": "application/x-protobuf", **reply.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        handler.wfile.write(reply.body)

    def answer_with(self, *replies):
        with self._lock:
            self.replies = list(replies)

    def spans(self):
        """The spans that it has said to have."""
        return [span for received in list(self.accepted) for span in archives.flat(received.message())]

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Certificate:
    """A key and a certificate for 127.0.0.1 that it signed itself."""

    def __init__(self, directory, name):
        self.key, self.file = directory / f"{name}.key", directory / f"{name}.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
            + ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
            + ["-keyout", self.key, "-out", self.file],
            check=True,
            capture_output=True,
        )

    def server(self, clients=None):
        """Speaks TLS with this certificate; wants one of its own from clients if `clients` is given."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients.file)
        return context
