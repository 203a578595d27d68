"""HTTP/1.1 by hand: what goes over the socket is exactly what a test says, and what comes back is parsed strictly."""

import json
import re
import socket
from dataclasses import dataclass

from google.protobuf import json_format
from google.rpc import error_details_pb2  # noqa: F401, makes BadRequest known to json_format
from google.rpc import status_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
TRACES = "/v1/traces"


@dataclass
class Answer:
    """One response; header names in lower case."""

    status: int
    version: str
    headers: dict
    body: bytes

    @property
    def content_type(self):
        return self.headers.get("content-type", "").split(";")[0].strip()

    def response(self):
        """The answer as ExportTraceServiceResponse, decoded in the encoding that it names."""
        assert self.status == 200, f"{self.status}: {self.body[:300]!r}"
        if self.content_type == PROTOBUF:
            return ExportTraceServiceResponse.FromString(self.body)
        assert self.content_type == JSON, self.headers
        return json_format.Parse(self.body, ExportTraceServiceResponse())

    def rejected(self):
        """The number of spans that were not taken, with the rules of partial success checked on the way."""
        response = self.response()
        if not response.HasField("partial_success"):
            return 0
        partial = response.partial_success
        assert partial.rejected_spans > 0, "a partial_success that rejects nothing has to be left unset"
        assert partial.error_message, "rejected spans without a reason"
        return partial.rejected_spans

    def error(self):
        """The answer as google.rpc.Status, decoded in the encoding that it names."""
        assert self.status >= 400, f"{self.status}: {self.body[:300]!r}"
        if self.content_type == PROTOBUF:
            status = status_pb2.Status.FromString(self.body)
        else:
            assert self.content_type == JSON, f"{self.status} with {self.headers}: {self.body[:300]!r}"
            status = json_format.Parse(self.body, status_pb2.Status())
        assert status.message, "a Status that says nothing"
        return status

    def retry_after(self):
        """Seconds to wait as the answer says; whole and at least one, so that no client comes back at once."""
        seconds = int(self.headers["retry-after"])
        assert seconds >= 1
        return seconds


class Closed(Exception):
    """The server closed the connection before a whole response."""


class Connection:
    """One TCP connection to the server under test."""

    def __init__(self, endpoint, timeout=15.0):
        host, port = endpoint.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_what_it_takes(self, data):
        """Sends until done or until the server has closed its side; the answer is still to be read."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def _fill(self):
        try:
            received = self.socket.recv(65536)
        except ConnectionResetError as error:
            raise Closed(f"reset after {self.buffer[:200]!r}") from error
        if not received:
            raise Closed(f"closed after {self.buffer[:200]!r}")
        self.buffer += received

    def _until(self, mark):
        while mark not in self.buffer:
            self._fill()
        head, self.buffer = self.buffer.split(mark, 1)
        return head

    def _exactly(self, count):
        while len(self.buffer) < count:
            self._fill()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def head(self):
        """Reads a status line and headers."""
        lines = self._until(b"\r\n\r\n").decode("ascii").split("\r\n")
        match = re.fullmatch(r"(HTTP/1\.[01]) ([1-5]\d\d) ?(.*)", lines[0])
        assert match, f"not a status line: {lines[0]!r}"
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            assert colon and re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name), f"not a header: {line!r}"
            assert name.lower() not in headers, f"{name} twice"
            headers[name.lower()] = value.strip()
        return match[1], int(match[2]), headers

    def read(self, bodyless=False):
        """Reads one final response."""
        version, status, headers = self.head()
        assert status >= 200, f"an interim response {status} that nobody asked for"
        # RFC 9110 8.6: a 204 has no body, and says no length of one.
        if bodyless or status == 204:
            return Answer(status, version, headers, b"")
        if "transfer-encoding" in headers:
            assert headers["transfer-encoding"].lower() == "chunked" and "content-length" not in headers
            return Answer(status, version, headers, self._chunks())
        return Answer(status, version, headers, self._exactly(int(headers["content-length"])))

    def _chunks(self):
        body = b""
        while size := int(self._until(b"\r\n"), 16):
            body += self._exactly(size)
            assert self._exactly(2) == b"\r\n"
        assert self._until(b"\r\n") == b""
        return body

    def rest(self):
        """Everything up to the end of the connection; fails if the server keeps it open past the time-out."""
        try:
            while True:
                self._fill()
        except Closed:
            data, self.buffer = self.buffer, b""
            return data

    def answers_until_closed(self):
        """All responses up to the end of the connection."""
        answers = []
        while True:
            try:
                answers.append(self.read())
            except Closed:
                return answers


def request(body=b"", content_type=PROTOBUF, encoding=None, method="POST", path=TRACES, version="HTTP/1.1", headers=()):
    """The bytes of one request. `headers` are further pairs; a Content-Length among them replaces ours."""
    lines = [f"{method} {path} {version}", "Host: weir.test"]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    if encoding is not None:
        lines.append(f"Content-Encoding: {encoding}")
    given = {name.lower() for name, _ in headers}
    if not given & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(body, sizes=(1, 7, 4096)):
    """The body in chunks of these sizes in turn, with the closing chunk."""
    out, turn = b"", 0
    while body:
        size = sizes[turn % len(sizes)]
        piece, body = body[:size], body[size:]
        out += b"%x\r\n%s\r\n" % (len(piece), piece)
        turn += 1
    return out + b"0\r\n\r\n"


def exchange(endpoint, data):
    """Sends the bytes over a connection of their own and reads one response."""
    with Connection(endpoint) as connection:
        connection.send_what_it_takes(data)
        return connection.read()


def post(endpoint, body, content_type=PROTOBUF, encoding=None, headers=()):
    return exchange(endpoint, request(body, content_type, encoding, headers=headers))


def post_json(endpoint, value, **further):
    """Posts a value, or JSON text as it is."""
    body = value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
    return post(endpoint, body, JSON, **further)


def refused(answer, spans=1):
    """Whether nothing was taken: the request as a whole, or all of its spans one by one."""
    return answer.rejected() == spans if answer.status == 200 else answer.status == 400
