"""HTTP/2 by hand: frames go over the socket exactly as a test says (RFC 9113)."""

import socket
import struct
from dataclasses import dataclass

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1
NO_ERROR, REFUSED_STREAM, ENHANCE_YOUR_CALM = 0, 7, 11
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclass
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def error(self):
        """The code of a RST_STREAM or GOAWAY."""
        return struct.unpack(">I", self.payload[-4:] if self.kind == RST_STREAM else self.payload[4:8])[0]


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name, value):
    """A field that no table of HPACK is asked for."""

    def text(value):
        value = value if isinstance(value, bytes) else value.encode()
        # A length of seven bits, and the rest in bytes of seven.
        length, out = len(value), b""
        if length < 127:
            return bytes([length]) + value
        length -= 127
        while length >= 128:
            out += bytes([length & 127 | 128])
            length >>= 7
        return b"\x7f" + out + bytes([length]) + value

    return b"\x00" + text(name) + text(value)


def head(path=EXPORT, method="POST", **fields):
    """The block of a request's head. Underscores of further names become hyphens."""
    fields = {"content-type": "application/grpc", "te": "trailers", **fields}
    pseudo = {":method": method, ":scheme": "http", ":path": path, ":authority": "weir.test"}
    pairs = [*pseudo.items(), *((name.replace("_", "-"), value) for name, value in fields.items())]
    return b"".join(literal(name, value) for name, value in pairs)


def message(body, flag=0):
    return struct.pack(">BI", flag, len(body)) + body


class Wire:
    """One connection, plain or over what `wrap` makes of a socket."""

    def __init__(self, endpoint, begin=True, wrap=lambda plain: plain, timeout=20):
        host, port = endpoint.rsplit(":", 1)
        self.socket = wrap(socket.create_connection((host, int(port)), timeout=timeout))
        self.decoder = hpack.Decoder()
        self.buffer = b""
        if begin:
            self.send(PREFACE + frame(SETTINGS))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *data):
        self.socket.sendall(b"".join(data))

    def send_what_it_takes(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            return

    def next(self):
        """The next frame; nil at the end. Acknowledges settings and pings, as every client does."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                return None
            if not piece:
                return None
            self.buffer += piece
        length = int.from_bytes(self.buffer[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", self.buffer[3:9])
        found = Frame(kind, flags, stream, self.buffer[9 : 9 + length])
        self.buffer = self.buffer[9 + length :]
        if kind in (SETTINGS, PING) and not flags & ACK:
            self.send_what_it_takes(frame(kind, ACK, 0, found.payload if kind == PING else b""))
        return found

    def until(self, *kinds):
        """The next frame of one of these kinds; nil where the connection ends first."""
        while (found := self.next()) and found.kind not in kinds:
            if found.kind == HEADERS:
                self.decoder.decode(found.payload)
        return found

    def end(self):
        """Everything up to the end."""
        found = []
        while one := self.next():
            found.append(one)
        return found

    def request(self, stream, body=None, block=None):
        """A whole request; without a body it is but a head that says that one comes."""
        whole = frame(HEADERS, END_HEADERS, stream, block or head())
        return whole + (frame(DATA, END_STREAM, stream, body) if body is not None else b"")

    def answer(self, stream):
        """The fields of an answer, those behind its body included; none where the stream ends without one."""
        fields = {}
        while found := self.next():
            if found.kind == HEADERS:
                decoded = dict(self.decoder.decode(found.payload))
                if found.stream == stream:
                    fields.update(decoded)
            if found.stream == stream and (found.kind == RST_STREAM or found.flags & END_STREAM):
                return fields
        return fields

    def call(self, stream, body, block=None):
        self.send(self.request(stream, body, block))
        return self.answer(stream)
