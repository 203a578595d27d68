"""Clients that mean harm, or do it, at every door for HTTP: each is bounded, answered or cut, counted and logged, and
others are served meanwhile. Other doors: test_hostile_others.py. That for gRPC has a protocol of its own: test_http2.py."""

import contextlib
import json
import socket
import ssl
import threading
import time

import pytest

from keys import new_key
from otlp import a_body, a_span, bomb, sized_body
from waiting import eventually
from weir import archive, configuration
from wire import Closed, Connection, exchange, request

MIB = 1 << 20
PAGE = "https://app.example.com"


class OTLP:
    """The door of backends."""

    receiver, path, good = "otlp", "/v1/traces", 200
    type, headers = "application/x-protobuf", ()

    @staticmethod
    def configuration(limits, **further):
        return configuration(http=limits, **further)

    @staticmethod
    def protocol(weir):
        return weir.endpoint

    @staticmethod
    def body(name, size=0):
        return sized_body(size) if size else a_body(a_span(name=name))

    @staticmethod
    def with_key(key):
        return {"headers": [("Authorization", f"Bearer {key}")]}

    @staticmethod
    def explains(answer):
        answer.error()


class Beacon:
    """The door of web pages."""

    receiver, path, good = "beacon", "/v1/beacon", 204
    type, headers = "text/plain", (("Origin", PAGE),)

    @staticmethod
    def configuration(limits, **further):
        keys = {
            "endpoint": "127.0.0.1:0", "allowed_origins": [PAGE], "rate_limits": {"origin": 0, "address": 0}, **limits
        }
        text = configuration(**further).replace("receivers:\n", f"receivers:\n  beacon: {json.dumps(keys)}\n", 1)
        return text.replace("receivers: [otlp]", "receivers: [otlp, beacon]")

    @staticmethod
    def protocol(weir):
        return weir._listening("beacon")

    @staticmethod
    def body(name, size=0):
        return json.dumps({"events": [{"name": name}]}).encode().ljust(size)

    @staticmethod
    def with_key(key):
        return {"path": f"/v1/beacon/{key}"}

    @staticmethod
    def explains(answer):
        assert answer.content_type == "text/plain" and answer.body.strip()


class Door:
    """A running program, and how one of its receivers is knocked at."""

    def __init__(self, weir, kind):
        self.weir, self.kind = weir, kind
        self.endpoint = kind.protocol(weir)

    def request(self, name="span", body=None, headers=(), size=0, **keys):
        """The bytes of a request that is good, but for what is asked for."""
        body = self.kind.body(name, size) if body is None else body
        keys = {"content_type": self.kind.type, "path": self.kind.path, **keys}
        return request(body, headers=[*self.kind.headers, *headers], **keys)

    def head(self, *lines):
        """A request line and the usual header fields, and further ones as they are."""
        usual = [f"POST {self.kind.path} HTTP/1.1", "Host: x", f"Content-Type: {self.kind.type}"]
        usual += [f"{name}: {value}" for name, value in self.kind.headers]
        return "\r\n".join([*usual, *lines]).encode("latin-1")

    def connect(self):
        return Connection(self.endpoint)

    def post(self, **keys):
        return exchange(self.endpoint, self.request(**keys))

    def serves(self, connection=None):
        """Whether a good request is answered well, on this connection or one of its own."""
        if connection is None:
            return self.post().status == self.kind.good
        connection.send(self.request())
        return connection.read().status == self.kind.good

    def overloaded(self, answer):
        """Whether the answer is a refusal that the client may retry, and says when."""
        if answer.status not in (429, 503):
            return False
        self.kind.explains(answer)
        return answer.retry_after() >= 1

    def refusals(self, status):
        """How often this was the answer, which the log has to tell of too."""
        count = self.weir.metric("otelcol_receiver_requests", receiver=self.kind.receiver, http_status=str(status))
        told = [line for line in self.weir.records() if line.get("http_status") == str(status)]
        assert not count or told and all(line["client"] == "127.0.0.1" for line in told), self.weir.log()
        return count

    def cut(self, reason):
        """How many lines the log has of connections that were cut for it."""
        lines = [line for line in self.weir.records() if line.get("message") == "cut a connection"]
        assert all(line["client"] == "127.0.0.1" for line in lines)
        return sum(line["reason"] == reason for line in lines)

    def names(self):
        """Stops the program, and says what it took."""
        return sorted(archived.span.name for archived in self.weir.spans())


@pytest.fixture(params=[OTLP, Beacon], ids=["otlp", "beacon"])
def door(request, start, tmp_path):
    """Opens a door with these limits."""

    def open(more="", **limits):
        exporters = {"archive": archive("archive")}
        return Door(start(text=request.param.configuration(limits, exporters=exporters) + more), request.param)

    open.kind = request.param
    return open


# MARK: slow, silent and half-open


def cut_off(door, connection, since, after, within=5.0):
    """Waits until the server ends the connection; it may say why. Fails when that is before `after` seconds."""
    answers = connection.answers_until_closed()
    took = time.monotonic() - since
    assert after * 0.8 <= took < within, f"{took} s"
    assert len(answers) <= 1
    for answer in answers:
        assert answer.status == 408
        door.kind.explains(answer)


def served_meanwhile(door, until):
    """Sends good requests until the event is set; each has to be answered well and soon."""
    count = 0
    with door.connect() as connection:
        while not until.is_set() or count == 0:
            begun = time.monotonic()
            assert door.serves(connection)
            assert time.monotonic() - begun < 2
            count += 1
    return count


def slow_client(door, begin, after, drip=None):
    """Sends `begin` and then at the most `drip`, byte by byte, while another client is served."""
    done, failures = threading.Event(), []
    with door.connect() as connection:
        since = time.monotonic()
        connection.send(begin)

        def suffer():
            try:
                for at in range(len(drip or b"")):
                    connection.send(drip[at : at + 1])
                    # The pace of a client, not a wait for something.
                    done.wait(0.1)
            except OSError:
                pass  # the server has closed; that is the point
            try:
                cut_off(door, connection, since, after)
            except Exception as error:  # noqa: BLE001, raised again below
                failures.append(error)
            finally:
                done.set()

        thread = threading.Thread(target=suffer)
        thread.start()
        served = served_meanwhile(door, done)
        thread.join()
    assert not failures, failures[0]
    assert served > 10


def test_slow_headers_are_cut_off(door):
    opened = door(read_header_timeout="1s")
    slow_client(opened, opened.head("X-Slow: "), after=1)
    assert opened.refusals(408) == 1


def test_headers_that_come_byte_by_byte_are_cut_off(door):
    opened = door(read_header_timeout="1s")
    slow_client(opened, opened.head("X-Slow: "), after=1, drip=b"x" * 30)


def test_a_silent_connection_is_cut_off(door):
    opened = door(read_header_timeout="1s", idle_timeout="1s")
    slow_client(opened, b"", after=1)
    assert opened.cut("it said nothing within read_header_timeout") == 1


def test_a_slow_body_is_cut_off(door):
    opened = door(read_timeout="1s")
    slow_client(opened, opened.head("Content-Length: 1000", "", "begin"), after=1)
    assert opened.refusals(408) == 1


def test_a_body_that_comes_byte_by_byte_is_cut_off(door):
    opened = door(read_timeout="1s")
    slow_client(opened, opened.head("Content-Length: 1000", "", ""), after=1, drip=b"x" * 30)


def test_an_idle_connection_is_closed_after_its_last_answer(door):
    opened = door(idle_timeout="1s")
    with opened.connect() as connection:
        assert opened.serves(connection)
        since = time.monotonic()
        assert connection.rest() == b""
        assert 0.8 <= time.monotonic() - since < 5


def test_an_idle_connection_outlives_the_timeout_for_headers(door):
    opened = door(read_header_timeout="500ms")
    with opened.connect() as kept, opened.connect() as silent:
        assert opened.serves(kept)
        since = time.monotonic()
        # It begins a head now, so that its time is over after that of the other would be.
        silent.send(b"POST ")
        cut_off(opened, silent, since, after=0.5)
        assert opened.serves(kept)


def test_a_client_that_is_half_gone_is_let_go(door):
    opened = door()
    for begin in [opened.request(), opened.request()[:-3], opened.head("X-Half: "), b""]:
        with opened.connect() as connection:
            connection.send(begin)
            connection.socket.shutdown(socket.SHUT_WR)
            answers = connection.answers_until_closed()
            assert [answer.status for answer in answers] in ([opened.kind.good], []), begin
    # What was cut in a body and in a head is no request, and told with who has cut it.
    eventually(lambda: opened.refusals(400) == 2, opened.weir.log)
    assert opened.serves()


def test_clients_that_vanish_leave_nothing(door):
    """Reset in the middle of a head, of a body and of an answer, and answers that nobody reads."""
    opened = door(max_in_flight_bytes="1MiB", max_request_body_size="1MiB", max_connections=50, read_timeout="2s")
    whole = opened.request()
    for number in range(300):
        with opened.connect() as connection:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            connection.send_what_it_takes([whole[: number % len(whole)], whole * 20, whole[:-1]][number % 3])
    eventually(opened.serves, "the places are not given back")
    held = lambda: opened.weir.metric("weir_receiver_in_flight_bytes", receiver=opened.kind.receiver) == 0
    eventually(held, "the bytes are not given back")


# MARK: many


def test_ten_thousand_connections_are_held_and_others_are_told_to_come_back(door):
    opened = door(max_connections=9_000, read_header_timeout="300s", idle_timeout="300s")
    before = opened.weir.memory_peak()
    held = [opened.connect() for _ in range(9_000)]
    for connection in held[::500]:
        assert opened.serves(connection)
    # Accepted is not counted yet: that is a matter of the loop that has the connection.
    counted = lambda: opened.weir.metric("weir_receiver_open_connections", receiver=opened.kind.receiver) >= 9_000
    eventually(counted, "not all are counted")
    more = [opened.connect() for _ in range(1_000)]
    try:
        told = 0
        for connection in more:
            with contextlib.suppress(Closed, OSError):
                connection.send(opened.request())
                answer = connection.read()
                assert opened.overloaded(answer), answer
                told += 1
        assert told >= 100, "hardly anybody is told"
        assert opened.refusals(503) >= told
        assert opened.weir.memory_peak() - before < 160 * MIB
        for connection in held[::500]:
            assert opened.serves(connection)
    finally:
        for connection in held + more:
            connection.close()
    eventually(opened.serves, "the places are not given back")


def test_connections_far_past_the_limit_leave_nothing(door):
    opened = door(max_connections=1, read_header_timeout="300s")
    # 256 more are told so; those beyond are closed.
    held = [opened.connect() for _ in range(300)]

    def knock(times):
        for _ in range(times):
            with socket.create_connection(tuple(opened.endpoint.rsplit(":", 1))) as one, contextlib.suppress(OSError):
                one.settimeout(10)
                one.recv(1)

    knock(2_000)
    before = opened.weir.memory_peak()
    knock(20_000)
    # A kilobyte each, if it were kept.
    assert opened.weir.memory_peak() - before < 8 * MIB
    assert opened.cut("there are too many connections") > 0
    for connection in held:
        connection.close()


def test_connections_past_the_limit_are_told_to_come_back(door):
    opened = door(max_connections=3)
    held = [opened.connect() for _ in range(3)]
    for connection in held:
        assert opened.serves(connection)
    for _ in range(3):
        assert opened.overloaded(opened.post())
    assert opened.refusals(503) == 3
    for connection in held:
        assert opened.serves(connection)
    held.pop().close()
    eventually(opened.serves, "the free place is not given to anybody")
    for connection in held:
        connection.close()


def test_bytes_in_flight_past_the_limit_are_refused_and_the_first_request_is_not_disturbed(door):
    opened = door(max_request_body_size="1MiB", max_in_flight_bytes="1MiB")
    size = 700 << 10
    with opened.connect() as first:
        whole = opened.request(size=size)
        first.send(whole[:-1])
        # Sent is not received: a second request that overtook it would be the one that gets the room.
        held = lambda: opened.weir.metric("weir_receiver_in_flight_bytes", receiver=opened.kind.receiver) == size - 1
        eventually(held, "the first request is not in flight")
        assert opened.overloaded(opened.post(size=size))
        first.send(whole[-1:])
        assert first.read().status == opened.kind.good
    eventually(lambda: opened.post(size=size).status == opened.kind.good, "the bytes are not given back")


def test_bytes_of_a_client_that_left_are_given_back(door):
    opened = door(max_request_body_size="1MiB", max_in_flight_bytes="1MiB")
    for _ in range(5):
        with opened.connect() as connection:
            connection.send(opened.request(size=700 << 10)[:-1])
    eventually(lambda: opened.post(size=700 << 10).status == opened.kind.good, "the bytes are not given back")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_hundred_bombs_at_once_stay_within_bounds(door, encoding):
    opened = door(max_request_body_size="1MiB", max_in_flight_bytes="16MiB")
    body = bomb(encoding, 64 * MIB)
    assert opened.serves()
    before, answers = opened.weir.memory_peak(), []
    ready = threading.Barrier(100)

    def knock():
        ready.wait(30)
        answers.append(opened.post(body=body, encoding=encoding))

    threads = [threading.Thread(target=knock) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Pages compress nothing, so nothing of theirs is decompressed.
    wanted = 413 if opened.kind is OTLP else 415
    assert len(answers) == 100
    for answer in answers:
        assert answer.status == wanted or opened.overloaded(answer), answer
    assert opened.refusals(wanted) == [answer.status for answer in answers].count(wanted) > 0
    assert opened.weir.memory_peak() - before < 64 * MIB
    assert opened.serves()


# MARK: heads and bodies


def test_headers_past_the_limit_get_431(door):
    opened = door()
    many = [(f"X-{number}", "v" * 100) for number in range(5000)]
    for headers in ([("X-Long", "v" * 200_000)], many):
        answer = opened.post(headers=headers)
        assert answer.status == 431
        opened.kind.explains(answer)
    assert opened.refusals(431) == 2
    assert opened.serves()


def test_a_path_past_the_limit_is_refused(door):
    opened = door()
    answer = opened.post(path=opened.kind.path + "?" + "x" * 200_000)
    assert answer.status in (414, 431)
    opened.kind.explains(answer)


def test_a_body_past_the_limit_is_refused_before_it_comes(door):
    opened = door(max_request_body_size="1KiB", read_timeout="2s")
    behind = opened.request(name="inside the body")
    with opened.connect() as connection:
        connection.send_what_it_takes(opened.head(f"Content-Length: {1 << 30}", "", "") + behind)
        answer = connection.read()
        assert answer.status == 413
        opened.kind.explains(answer)
        with pytest.raises(Closed):
            connection.read()
    assert opened.names() == []


MALFORMED = {
    "a method that is none": b"BREW {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    "no request line": b"\x00\x01\x02\x03\r\n\r\n",
    "a version that is none": b"POST {path} HTTQ/1.1\r\nHost: x\r\n\r\n",
    "a space before the colon": b"POST {path} HTTP/1.1\r\nHost : x\r\nContent-Length: 0\r\n\r\n",
    "a header without a colon": b"POST {path} HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
    "a NUL in a header": b"POST {path} HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n",
    "no host": b"POST {path} HTTP/1.1\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n",
    "two hosts": b"POST {path} HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 0\r\n\r\n",
    "a negative length": b"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a signed length": b"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
    "a length that is no number": b"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\n",
    "a length past 64 bits": b"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_http_gets_400_and_the_connection_closed(door, data):
    opened = door()
    with opened.connect() as connection:
        connection.send(data.replace(b"{path}", opened.kind.path.encode()))
        answer = connection.read()
        assert answer.status == 400
        opened.kind.explains(answer)
        assert connection.rest() == b""
    assert opened.refusals(400) == 1
    assert opened.serves()


SMUGGLING = {
    "a length and chunks": ["Content-Length: 5", "Transfer-Encoding: chunked", "", "0", "", ""],
    "chunks and a length": ["Transfer-Encoding: chunked", "Content-Length: 5", "", "0", "", ""],
    "two lengths": ["Content-Length: 0", "Content-Length: 5", "", "hello"],
    "two lengths in one": ["Content-Length: 0, 5", "", "hello"],
    "a coding that is none": ["Transfer-Encoding: xchunked", "", "0", "", ""],
    "chunked twice": ["Transfer-Encoding: chunked, chunked", "", "0", "", ""],
    "chunked not last": ["Transfer-Encoding: chunked, identity", "", "0", "", ""],
    "a space before the colon": ["Transfer-Encoding : chunked", "", "0", "", ""],
    "a chunk size that is no number": ["Transfer-Encoding: chunked", "", "0x5", "hello", "0", "", ""],
    "a chunk size past 64 bits": ["Transfer-Encoding: chunked", "", "10000000000000005", "hello", "0", "", ""],
    "a chunk longer than its size": ["Transfer-Encoding: chunked", "", "1", "hello", "0", "", ""],
}


@pytest.mark.parametrize("lines", SMUGGLING.values(), ids=SMUGGLING.keys())
def test_two_readings_of_where_a_request_ends_are_refused(door, lines):
    opened = door()
    with opened.connect() as connection:
        connection.send_what_it_takes(opened.head(*lines) + opened.request(name="smuggled"))
        answers = connection.answers_until_closed()
    # One answer at the most, and no good one: what follows on the connection cannot be trusted.
    assert [answer.status for answer in answers] == [400]
    opened.kind.explains(answers[0])
    assert opened.refusals(400) == 1
    assert opened.names() == []


def test_a_request_in_another_protocol_does_not_disturb_the_next_one(door):
    opened = door()
    hello = bytes.fromhex("16030100c4010000c00303") + bytes(200)
    for data, said in ((hello, "perhaps TLS"), (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "found HTTP/2")):
        with opened.connect() as connection:
            connection.send(data)
            with pytest.raises(Closed):
                assert connection.read().status in (400, 505)
                connection.read()
        eventually(lambda: said in opened.weir.log(), opened.weir.log)
        assert opened.serves()


# MARK: keys and tenants


@pytest.fixture
def locked(door, tmp_path):
    """A door that asks for keys, one key that fits and one that does not."""
    scope = {OTLP: "ingest", Beacon: "beacon"}[door.kind]
    right, entry = new_key("shop", scope)
    wrong, other = new_key("bank", "read")
    (tmp_path / "keys.yaml").write_text("keys:\n" + entry + other)
    more = f"extensions:\n  api_keys: {{ file: {tmp_path}/keys.yaml }}\n"
    return door(more, auth={"authenticator": "api_keys"}), right, wrong


CLIMBING = ["..", "../bank", "..%2fbank", "%2e%2e/bank", "/etc/passwd", "bank/..", "x" * 9000, "%00", "weir_", "-"]


def test_wrong_keys_are_refused_counted_and_never_logged(locked):
    opened, right, wrong = locked
    stolen = right[:-1] + ("0" if right[-1] != "0" else "1")
    for key in [stolen, right.upper(), right + "x", right[:20], *CLIMBING]:
        answer = opened.post(**opened.kind.with_key(key))
        # Of a path that is none nobody has to hear more.
        assert answer.status in (400, 401, 404), (key, answer)
        opened.kind.explains(answer)
    assert opened.post(**opened.kind.with_key(wrong)).status == 403
    assert opened.post(**opened.kind.with_key(right)).status == opened.kind.good
    log = opened.weir.log()
    assert "refused a client" in log
    for secret in [stolen, wrong, right, right[:20], "passwd"]:
        assert secret not in log
    assert opened.names() == ["span"]
    assert [path.name for path in opened.weir.archive.glob("[!.]*")] == ["tenant=shop"]


def test_who_guesses_keys_has_to_wait_and_nobody_else(locked):
    opened, right, _ = locked
    answers = [opened.post(**opened.kind.with_key(f"weir_{number:064x}")) for number in range(40)]
    assert {answer.status for answer in answers} == {401, 429}
    assert all(opened.overloaded(answer) for answer in answers if answer.status == 429)
    limited = opened.weir.metric(
        "weir_authentication_requests", component=opened.kind.receiver, outcome="limited"
    )
    assert limited == [answer.status for answer in answers].count(429)
    assert opened.post(**opened.kind.with_key(right)).status == opened.kind.good, "a good key is refused"


def test_a_tenant_that_a_client_names_is_not_believed(locked):
    opened, right, _ = locked
    for name in ["bank", "..", "../../etc", "tenant=bank", "a/b"]:
        forged = [(header, name) for header in ("X-Scope-OrgID", "X-Tenant", "Tenant", "X-Tenant-ID")]
        keys = opened.kind.with_key(right)
        keys["headers"] = [*keys.get("headers", ()), *forged]
        keys["path"] = keys.get("path", opened.kind.path) + "?tenant=" + name
        assert opened.post(**keys).status == opened.kind.good
    opened.weir.stop()
    assert [path.name for path in opened.weir.archive.glob("[!.]*")] == ["tenant=shop"]
    assert not list(opened.weir.directory.glob("etc"))


def test_a_key_opens_nothing_but_its_door(locked):
    """What is read and operated is behind other listeners, and this one has none of their pages."""
    opened, right, wrong = locked
    for key in [right, wrong]:
        for path in ["/", "/metrics", "/-/reload", "/-/burst", "/api/v1/budgets/check", "/healthz", "/../metrics"]:
            for method in ["GET", "POST"]:
                headers = [("Authorization", f"Bearer {key}")]
                answer = opened.post(path=path, method=method, headers=headers)
                assert answer.status in (401, 403, 404, 405), (path, method, answer)
    assert opened.names() == []


# MARK: TLS


def test_old_versions_of_tls_are_refused_and_what_is_no_tls_is_cut(door, authority):
    certificate, key = authority.sign("server")
    opened = door(tls={"cert_file": str(certificate), "key_file": str(key), "min_version": "1.3"})
    address = tuple(opened.endpoint.rsplit(":", 1))

    def greet(**versions):
        context = ssl.create_default_context(cafile=str(authority.file))
        for name, value in versions.items():
            setattr(context, name, value)
        plain = socket.create_connection(address, 10)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as it:
            it.sendall(opened.request(headers=[("Connection", "close")]))
            return it.version(), it.recv(12)

    assert greet() == ("TLSv1.3", f"HTTP/1.1 {opened.kind.good}".encode())
    with pytest.raises((ssl.SSLError, OSError)):
        greet(maximum_version=ssl.TLSVersion.TLSv1_2)
    with opened.connect() as connection:
        connection.send_what_it_takes(opened.request())
        assert b"HTTP/1.1 2" not in connection.rest()
    failures = lambda: opened.weir.metric("weir_tls_handshake_failures", component=opened.kind.receiver) == 2
    eventually(failures, opened.weir.log)
    reasons = [line["reason"] for line in opened.weir.records() if line.get("message") == "a TLS connection failed"]
    assert reasons == ["unsupported protocol", "http request"]
