"""OTLP/gRPC with real clients: grpcio, the SDK's exporter and h2load."""

import base64
import gzip
import pathlib
import re
import signal
import subprocess
import threading

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import archives
from backend import HANG
from frames import EXPORT, message
from keys import new_key
from ledger import Ledger
from otlp import a_body, a_request, a_span
from waiting import eventually
from weir import archive, configuration, forward

# No proxy, no second try behind a test's back.
OPTIONS = [("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0)]


def channel(weir, *further):
    return grpc.insecure_channel(weir.grpc_endpoint, [*OPTIONS, *further])


def export(weir, request=None, **keys):
    """One call on a connection of its own."""
    with channel(weir) as connection:
        return TraceServiceStub(connection).Export(request or a_request(a_span()), timeout=20, **keys)


def refusal(weir, request=None, **keys):
    with pytest.raises(grpc.RpcError) as caught:
        export(weir, request, **keys)
    return caught.value


def retry_delay(error):
    """Seconds that the client has to wait; nil where it is not to come again."""
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            assert status.code == error.code().value[0] and status.message
            for detail in status.details:
                info = error_details_pb2.RetryInfo()
                if detail.Unpack(info):
                    return info.retry_delay.ToTimedelta().total_seconds()
    return None


@pytest.fixture
def weir(start):
    return start(grpc={})


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_the_sdk_delivers(weir, compression):
    provider = TracerProvider(resource=Resource.create({"service.name": "orders"}))
    exporter = OTLPSpanExporter(endpoint=weir.grpc_endpoint, insecure=True, compression=compression, timeout=10)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("weir.test", "1.0")
    names = {f"work {number}" for number in range(1000)}
    for name in sorted(names):
        with tracer.start_as_current_span(name, attributes={"text": "ü" * 100}):
            pass
    assert provider.force_flush(20_000)
    provider.shutdown()
    assert weir.metric("otelcol_receiver_accepted_spans", transport="grpc") == 1000
    found = weir.spans()
    assert {one.span.name for one in found} == names
    assert {pair.value.string_value for one in found for pair in one.resource.attributes} >= {"orders"}


def test_a_rejected_span_is_told(weir):
    answer = export(weir, a_request(a_span(), a_span(trace_id=b"\x00" * 16)))
    assert answer.partial_success.rejected_spans == 1
    assert "trace_id" in answer.partial_success.error_message
    assert not export(weir).HasField("partial_success"), "full success leaves it unset"
    assert not export(weir, a_request()).HasField("partial_success"), "an empty request is a success"
    assert len(weir.spans()) == 2


def test_a_resend_is_known(weir):
    request = a_request(a_span())
    for _ in range(3):
        export(weir, request)
    export(weir, request, compression=grpc.Compression.Gzip)
    assert weir.metric("weir_receiver_duplicate_requests", transport="grpc") == 3
    assert len(weir.spans()) == 1


def test_other_services_are_not_there(weir):
    with channel(weir) as connection:
        with pytest.raises(grpc.RpcError) as caught:
            LogsServiceStub(connection).Export(ExportLogsServiceRequest(), timeout=20)
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
        assert "Weir takes traces" in caught.value.details()
        # The connection goes on.
        TraceServiceStub(connection).Export(a_request(a_span()), timeout=20)


def test_a_broken_message_is_refused(weir):
    with channel(weir) as connection:
        call = connection.unary_unary(EXPORT)
        with pytest.raises(grpc.RpcError) as caught:
            call(b"\xff" * 40, timeout=20)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert retry_delay(caught.value) is None


def test_a_message_that_is_too_large_is_refused_for_good(start):
    weir = start(grpc={"max_recv_msg_size_mib": 1})
    limit = ("grpc.max_send_message_length", -1)
    with channel(weir, limit) as connection:
        call = connection.unary_unary(EXPORT)
        for size, compression in [(2 << 20, None), (60 << 20, grpc.Compression.Gzip)]:
            with pytest.raises(grpc.RpcError) as caught:
                call(bytes(size), timeout=20, compression=compression)
            assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert "max_recv_msg_size_mib" in caught.value.details()
            assert retry_delay(caught.value) is None
        # The connection goes on.
        TraceServiceStub(connection).Export(a_request(a_span()), timeout=20)
    assert weir.metric("otelcol_receiver_requests", transport="grpc", grpc_status="8") == 2


def test_a_hundred_bombs_at_once_stay_within_bounds(start):
    weir = start(grpc={"max_recv_msg_size_mib": 8})
    bomb = message(gzip.compress(bytes(200 << 20), 9), 1)
    before = weir.memory_peak()

    def throw():
        with channel(weir) as connection:
            # The bytes are compressed already, which grpcio cannot be told; so it frames what is framed.
            call = connection.unary_unary(EXPORT, request_serializer=lambda body: body)
            with pytest.raises(grpc.RpcError):
                call(bomb[5:], timeout=60, metadata=[("grpc-encoding", "gzip")])

    threads = [threading.Thread(target=throw) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    export(weir)
    assert weir.memory_peak() - before < 200 << 20


def test_a_full_journal_tells_when_to_come_again(start, backends):
    slow = backends(HANG)
    weir = start(
        grpc={}, exporters={"otlp_http": forward(slow.url, timeout="60s")}, journal={"max_bytes": "16MiB"}
    )
    error = None
    with channel(weir) as connection:
        stub = TraceServiceStub(connection)
        for _ in range(200):
            try:
                stub.Export(a_request(a_span(name="x" * 500_000)), timeout=20)
            except grpc.RpcError as caught:
                error = caught
                break
    assert error and error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert retry_delay(error) >= 1
    weir.kill()


def test_keys_decide_whose_spans_these_are(start, tmp_path):
    file = tmp_path / "keys.yaml"
    entries, keys = "keys:\n", {}
    for tenant, scope in [("shop", "ingest"), ("auditor", "read")]:
        keys[tenant], entry = new_key(tenant, scope)
        entries += entry
    file.write_text(entries)
    text = configuration(
        grpc={"auth": {"authenticator": "api_keys"}}, exporters={"archive": archive("archive")}
    )
    weir = start(text=text + f"extensions:\n  api_keys: {{ file: {file} }}\n")
    for metadata in [
        [("authorization", f"Bearer {keys['shop']}")],
        [("authorization", "Basic " + base64.b64encode(f"any:{keys['shop']}".encode()).decode())],
        [("x-api-key", keys["shop"]), ("x-scope-orgid", "bank")],
    ]:
        export(weir, metadata=metadata)
    for metadata, code in [
        ([], "UNAUTHENTICATED"),
        ([("authorization", "Bearer weir_" + "0" * 64)], "UNAUTHENTICATED"),
        ([("authorization", f"Bearer {keys['shop']}"), ("authorization", "Bearer x")], "UNAUTHENTICATED"),
        ([("authorization", f"Bearer {keys['auditor']}")], "PERMISSION_DENIED"),
    ]:
        error = refusal(weir, metadata=metadata)
        assert error.code().name == code
        assert retry_delay(error) is None
    weir.stop()
    assert [path.name for path in weir.archive.glob("tenant=*")] == ["tenant=shop"]
    assert len(archives.spans(weir.archive)) == 3
    assert keys["shop"] not in weir.log()


def test_who_fails_too_often_has_to_wait(start, tmp_path):
    file = tmp_path / "keys.yaml"
    key, entry = new_key("shop", "ingest")
    file.write_text("keys:\n" + entry)
    text = configuration(grpc={"auth": {"authenticator": "api_keys"}}, exporters={"debug": {}})
    weir = start(text=text + f"extensions:\n  api_keys: {{ file: {file} }}\n")
    errors = [refusal(weir, metadata=[("x-api-key", "wrong")]) for _ in range(22)]
    assert errors[0].code() == grpc.StatusCode.UNAUTHENTICATED
    assert errors[-1].code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert retry_delay(errors[-1]) >= 1
    export(weir, metadata=[("x-api-key", key)])


# TLS


@pytest.fixture
def secure(start, authority):
    def begin(tls=None, **further):
        certificate, key = authority.sign("server")
        return start(grpc={"tls": {"cert_file": str(certificate), "key_file": str(key), **(tls or {})}, **further})

    return begin


def credentials(authority, certificate=None, key=None):
    return grpc.ssl_channel_credentials(
        authority.file.read_bytes(),
        key and pathlib.Path(key).read_bytes(),
        certificate and pathlib.Path(certificate).read_bytes(),
    )


def secure_export(weir, authority, certificate=None, key=None):
    with grpc.secure_channel(weir.grpc_endpoint, credentials(authority, certificate, key), OPTIONS) as connection:
        TraceServiceStub(connection).Export(a_request(a_span()), timeout=10)


def test_spans_come_in_over_tls(secure, authority):
    weir = secure()
    secure_export(weir, authority)
    error = refusal(weir)
    assert error.code() == grpc.StatusCode.UNAVAILABLE, "no TLS, no service"
    eventually(lambda: weir.metric("weir_tls_handshake_failures", component="otlp") >= 1, "not counted")
    assert len(weir.spans()) == 1


def test_only_clients_of_the_authority_are_served(secure, authority):
    weir = secure({"client_ca_file": str(authority.file)})
    secure_export(weir, authority, *authority.sign("client"))
    with pytest.raises(grpc.RpcError):
        secure_export(weir, authority)
    certificate, key = authority.sign("second")
    uri = f"https://{weir.grpc_endpoint}{EXPORT}"
    body = authority.directory / "body"
    body.write_bytes(message(a_body()))
    done = subprocess.run(
        ["nghttp", "-v", "-d", body, "-H", "content-type: application/grpc", "--cert", certificate, "--key", key, uri],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert re.search(r"grpc-status: 0\b", done.stdout), done.stdout + done.stderr
    assert len(weir.spans()) == 2


@pytest.mark.parametrize("has_certificate", [False, True])
def test_the_sdk_delivers_over_tls(secure, authority, has_certificate):
    weir = secure({"client_ca_file": str(authority.file)} if has_certificate else None)
    shown = credentials(authority, *(authority.sign("client") if has_certificate else ()))
    provider = TracerProvider()
    exporter = OTLPSpanExporter(endpoint=f"https://{weir.grpc_endpoint}", credentials=shown, timeout=10)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    for number in range(100):
        with provider.get_tracer("weir.test").start_as_current_span(f"work {number}"):
            pass
    assert provider.force_flush(20_000)
    provider.shutdown()
    assert {one.span.name for one in weir.spans()} == {f"work {number}" for number in range(100)}


@pytest.mark.parametrize("is_secure", [False, True])
def test_h2load(start, secure, tmp_path, is_secure):
    weir = secure() if is_secure else start(grpc={})
    body = tmp_path / "body"
    body.write_bytes(message(a_body(*[a_span() for _ in range(20)])))
    scheme = "https" if is_secure else "http"
    done = subprocess.run(
        ["h2load", "-n", "2000", "-c", "8", "-m", "50", "-d", body, "-H", "content-type: application/grpc",
         f"{scheme}://{weir.grpc_endpoint}{EXPORT}"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "2000 succeeded, 0 failed" in done.stdout, done.stdout + done.stderr
    assert weir.metric("otelcol_receiver_requests", transport="grpc", grpc_status="0") == 2000
    # All are the same request, so it is kept once.
    assert len(weir.spans()) == 20


# Life


def test_what_was_acknowledged_outlives_a_kill(start, dice, tmp_path):
    ledger = Ledger()
    keys = dict(
        grpc={},
        exporters={"archive": archive(tmp_path / "archive")},
        journal={"directory": str(tmp_path / "journal"), "max_bytes": "64MiB"},
    )
    state = {}
    stop = threading.Event()

    def load():
        while not stop.is_set():
            weir = state.get("weir")
            if weir is None:
                stop.wait(0.01)
                continue
            spans = [a_span() for _ in range(5)]
            ledger.sent.update(span.span_id for span in spans)
            try:
                with channel(weir) as connection:
                    stub = TraceServiceStub(connection)
                    while not stop.is_set():
                        stub.Export(a_request(*spans), timeout=10)
                        ledger.note({span.span_id for span in spans}, 200)
                        spans = [a_span() for _ in range(5)]
                        ledger.sent.update(span.span_id for span in spans)
            except grpc.RpcError as error:
                ledger.note((), error.code().name)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            weir = start(**keys)
            state["weir"] = weir
            enough = len(ledger.acknowledged) + dice.randint(50, 500)
            eventually(lambda: len(ledger.acknowledged) >= enough, weir.log, 30)
            state["weir"] = None
            weir.kill()
        weir = start(**keys)
        state["weir"] = weir
        enough = len(ledger.acknowledged) + 50
        eventually(lambda: len(ledger.acknowledged) >= enough, weir.log, 30)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    weir.stop()
    wrong = ledger.compare(tmp_path / "archive")
    assert not wrong, wrong


def test_a_reload_keeps_connections(start):
    weir = start(grpc={"max_recv_msg_size_mib": 1})
    with channel(weir) as connection:
        stub = TraceServiceStub(connection)
        large = a_request(a_span(name="x" * (3 << 20)))
        with pytest.raises(grpc.RpcError):
            stub.Export(large, timeout=20)
        text = weir.config.read_text()
        weir.config.write_text(text.replace('"max_recv_msg_size_mib": 1', '"max_recv_msg_size_mib": 8'))
        weir.process.send_signal(signal.SIGHUP)

        def is_taken():
            try:
                stub.Export(large, timeout=20)
                return True
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
                return False

        eventually(is_taken, weir.log)
        # Going away and coming back is a reload too, while HTTP stays as it was.
        http = weir.endpoint
        weir.config.write_text(re.sub(r" +grpc: .*\n", "", text))
        weir.process.send_signal(signal.SIGHUP)
        eventually(lambda: "connection" in str(refusal_of(stub)).lower(), "it still serves")
        weir.config.write_text(text)
        weir.process.send_signal(signal.SIGHUP)
        eventually(lambda: len(listened(weir, "otlp/grpc")) == 2, weir.log)
    assert weir.endpoint == http and len(listened(weir, "otlp/http")) == 1
    with grpc.insecure_channel(listened(weir, "otlp/grpc")[-1], OPTIONS) as connection:
        TraceServiceStub(connection).Export(a_request(a_span()), timeout=20)


def listened(weir, protocol):
    """Every endpoint that was ever served."""
    lines = [line for line in weir.records() if line.get("message") == "listening"]
    return [line["endpoint"] for line in lines if line["protocol"] == protocol]


def refusal_of(stub):
    try:
        stub.Export(a_request(a_span()), timeout=5)
        return ""
    except grpc.RpcError as error:
        return error.details()


def test_stopping_finishes_what_has_begun(start):
    weir = start(grpc={})
    outcomes, acknowledged = [], []
    begun = threading.Event()

    def load():
        with channel(weir) as connection:
            stub = TraceServiceStub(connection)
            while True:
                span = a_span()
                try:
                    stub.Export(a_request(span), timeout=20)
                except grpc.RpcError as error:
                    outcomes.append(error.code())
                    return
                acknowledged.append(span.span_id)
                begun.set()

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert begun.wait(20)
    weir.stop()
    for thread in threads:
        thread.join(30)
    assert set(outcomes) == {grpc.StatusCode.UNAVAILABLE}
    assert {one.span.span_id for one in archives.spans(weir.archive)} >= set(acknowledged)
