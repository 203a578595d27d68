"""The same clients as in test_hostile.py, at the doors beside those of backends and pages."""

import contextlib
import socket

import grpc

from keys import new_key
from test_grpc import export
from test_hostile import MALFORMED, SMUGGLING
from waiting import eventually
from weir import archive, configuration
from wire import Connection, exchange, request

QUIET = {"operations": "/-/ready", "prometheus": "/healthz"}


def test_the_listeners_beside_the_receivers_are_as_strict(start):
    """They have no limits that a configuration could make small: of time 10 s, of connections 64, of a body 1 MiB."""
    weir = start(text=configuration(exporters={"debug": {}}) + "  operations: { endpoint: 127.0.0.1:0 }\n")
    with contextlib.ExitStack() as stack:
        slow = []
        for protocol, path in QUIET.items():
            endpoint = weir._listening(protocol)
            slow += [stack.enter_context(Connection(endpoint)) for _ in range(2)]
            usual = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
            slow[-2].send((usual + "X-Slow: ").encode())
            slow[-1].send(usual[:-2].encode())
            knock(endpoint, path, usual)
        for connection in slow:
            assert [answer.status for answer in connection.answers_until_closed()] == [408]
    told = [line for line in weir.records() if line.get("message") == "refused a request"]
    assert told and all(line["client"] == "127.0.0.1" and line["reason"] for line in told)
    assert {line["component"] for line in told} == {"operations", "telemetry"}
    assert {line["http_status"] for line in told} >= {"400", "408"}


def knock(endpoint, path, usual):
    good = (usual + "\r\n").encode()
    attacks = [data.replace(b"{path}", path.encode()) for data in MALFORMED.values()]
    attacks += [(usual + "\r\n".join(lines)).encode() + good for lines in SMUGGLING.values()]
    for data in attacks:
        with Connection(endpoint) as connection:
            connection.send_what_it_takes(data)
            # Where no body is wanted, one that is too long is told so before anybody looks for its end.
            assert [answer.status for answer in connection.answers_until_closed()] in ([400], [413]), data
    assert exchange(endpoint, request(method="GET", path=path, headers=[("X-Long", "v" * 200_000)])).status == 431
    assert exchange(endpoint, request(path=path, headers=[("Content-Length", str(1 << 30))])).status == 413
    with Connection(endpoint) as half:
        half.send((usual + "X-Half: ").encode())
        half.socket.shutdown(socket.SHUT_WR)
        assert half.answers_until_closed() == []
    # Two are held by the slow ones.
    with contextlib.ExitStack() as stack:
        for _ in range(62):
            connection = stack.enter_context(Connection(endpoint))
            connection.send(good)
            assert connection.read().status == 200
        answer = exchange(endpoint, good)
        assert answer.status == 503 and answer.retry_after() >= 1 and b"too many connections" in answer.body
    eventually(lambda: exchange(endpoint, good).status == 200, "the places are not given back")


def test_wrong_and_stolen_keys_over_grpc(start, tmp_path):
    right, entry = new_key("shop", "ingest")
    reader, other = new_key("bank", "read")
    (tmp_path / "keys.yaml").write_text("keys:\n" + entry + other)
    auth = {"auth": {"authenticator": "api_keys"}}
    text = configuration(grpc=auth, http=auth, exporters={"archive": archive("archive")})
    weir = start(text=text + f"extensions:\n  api_keys: {{ file: {tmp_path}/keys.yaml }}\n")

    def code(key, **forged):
        try:
            metadata = [("authorization", f"Bearer {key}"), *((name.replace("_", "-"), to) for name, to in forged.items())]
            export(weir, metadata=metadata)
            return None
        except grpc.RpcError as error:
            return error.code()

    stolen = right[:-1] + ("0" if right[-1] != "0" else "1")
    for key in [stolen, right.upper(), right + "x", "..", "../bank", "x" * 9000]:
        assert code(key) in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.RESOURCE_EXHAUSTED), key
    assert code(reader) == grpc.StatusCode.PERMISSION_DENIED
    for name in ["bank", "..", "../../etc"]:
        assert code(right, x_scope_orgid=name, x_tenant=name, tenant=name) is None
    codes = [code(f"weir_{number:064x}") for number in range(30)]
    assert grpc.StatusCode.RESOURCE_EXHAUSTED in codes and code(right) is None
    log = weir.log()
    assert "refused a client" in log and not any(secret in log for secret in (stolen, reader, right))
    weir.stop()
    assert [path.name for path in weir.archive.glob("[!.]*")] == ["tenant=shop"]
