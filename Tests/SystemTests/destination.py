"""A server that takes OTLP/HTTP, answers as it is told, and keeps what it was sent."""

import gzip
import json
import ssl
import subprocess
import time
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import archives
import cut_server

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


class Handler(cut_server.Handler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        received = Received(self.path, self.lower_headers(), body, time.monotonic(), self.client_address[1])
        self.server.owner.answer(self, received)

    def reply(self, reply):
        self.respond(reply.status, {"Content-Type": "application/x-protobuf", **reply.headers}, reply.body)


class Destination(cut_server.Owner):
    """Answers with `replies` in turn, the last of them for ever."""

    def __init__(self, *replies, tls=None):
        super().__init__()
        self.replies = list(replies) or [Reply()]
        self.requests = []
        self.accepted = []
        self.open(Handler, tls=tls)

    def answer(self, handler, received):
        with self.lock:
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
            self.requests.append(received)
            if reply.status // 100 == 2:
                self.accepted.append(received)
        if reply.status == 0:
            handler.hang_up()
        else:
            handler.reply(reply)

    def answer_with(self, *replies):
        with self.lock:
            self.replies = list(replies)

    def spans(self):
        """The spans that it has said to have."""
        return [span for received in list(self.accepted) for span in archives.flat(received.message())]


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
