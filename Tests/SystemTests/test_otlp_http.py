"""Spans that Weir sends on over OTLP/HTTP: to a second Weir, and to a server that says no in every way there is."""

import pytest
from google.rpc import status_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

import archives
from destination import Certificate, Destination, Reply
from otlp import a_body, a_request, a_span, attribute
from waiting import eventually
from weir import command, configuration
from wire import post


@pytest.fixture
def destination():
    """Starts destinations, and stops them after the test."""
    running = []

    def begin(*replies, **keys):
        running.append(Destination(*replies, **keys))
        return running[-1]

    yield begin
    for one in running:
        one.close()


def forward(url, **keys):
    return {"otlp_http": {"endpoint": url, **keys}}


def requests(count, spans=10):
    """Messages with values of every kind, and resources that differ."""
    values = {"s": "grün", "i": -(2**63), "d": 0.1, "b": True, "y": b"\0\xff", "l": [1, "x", {"k": None}], "n": None}
    return [
        a_request(
            *[a_span(name=f"{batch}.{n}", attributes=[attribute(k, v) for k, v in values.items()]) for n in range(spans)],
            service=f"shop-{batch}",
        )
        for batch in range(count)
    ]


def send(weir, messages):
    for message in messages:
        assert post(weir.endpoint, message.SerializeToString()).rejected() == 0


def keys(spans):
    return sorted(span.key() for span in spans)


def sent_keys(messages):
    return keys(span for message in messages for span in archives.flat(message))


def failures(weir):
    """Why the destination did not get its spans, once for each attempt."""
    return [line["reason"] for line in weir.records() if line.get("message") == "could not deliver"]


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
@pytest.mark.parametrize("encoding", ["proto", "json"])
def test_spans_reach_a_second_weir_as_they_were(start, encoding, compression):
    second = start()
    url = f"http://{second.endpoint}"
    first = start(exporters=forward(url, encoding=encoding, compression=compression))
    messages = requests(20)
    send(first, messages)
    first.stop()
    assert "could not deliver" not in first.log()
    assert keys(second.spans()) == sent_keys(messages)


def test_protobuf_is_passed_on_byte_by_byte(start, destination):
    there = destination()
    weir = start(exporters=forward(there.url, compression="none"))
    # A field that nobody knows yet, in every message.
    bodies = [a_body() + b"\xa2\x06\x03new" for _ in range(3)]
    for body in bodies:
        assert post(weir.endpoint, body).status == 200
    eventually(lambda: len(there.spans()) == 3, "not all arrived")
    sent = b"".join(request.body for request in there.requests)
    assert len(sent) == sum(map(len, bodies)) and all(body in sent for body in bodies)
    assert {request.path for request in there.requests} == {"/v1/traces"}


def test_a_destination_that_is_down_gets_everything_when_it_is_back(start, destination):
    there = destination()
    there.stop()
    weir = start(exporters=forward(there.url))
    messages = requests(5)
    send(weir, messages)
    eventually(lambda: failures(weir), "no attempt failed")
    assert failures(weir)[0] == f"127.0.0.1:{there.port}: Connection refused"
    assert weir.metric("otelcol_exporter_sent_spans", exporter="otlp_http") == 0
    there.start()
    eventually(lambda: len(there.spans()) == 50, "not all arrived")
    assert keys(there.spans()) == sent_keys(messages)


def test_a_destination_that_hangs_up_gets_the_request_again(start, destination):
    there = destination(Reply(0), Reply(0), Reply())
    weir = start(exporters=forward(there.url))
    messages = requests(1)
    send(weir, messages)
    eventually(lambda: there.accepted, "nothing arrived")
    assert len(there.requests) == 3
    assert len({request.body for request in there.requests}) == 1
    assert keys(there.spans()) == sent_keys(messages)


def test_a_destination_that_is_busy_is_asked_when_it_said(start, destination):
    there = destination(Reply(503, {"Retry-After": "2"}), Reply(429, {"Retry-After": "2"}), Reply())
    weir = start(exporters=forward(there.url))
    send(weir, requests(1))
    eventually(lambda: there.accepted, "nothing arrived")
    first, second, third = (request.time for request in there.requests)
    assert 1.9 < second - first < 8 and 1.9 < third - second < 8


@pytest.mark.parametrize("status", [301, 401, 403, 404, 500])
def test_no_span_is_lost_while_the_destination_is_set_up_wrongly(start, destination, status):
    said = status_pb2.Status(message="not like this").SerializeToString()
    there = destination(Reply(status, {"Location": "/elsewhere"}, said))
    weir = start(exporters=forward(there.url))
    messages = requests(2)
    send(weir, messages)
    eventually(lambda: failures(weir), "no attempt failed")
    assert failures(weir)[0].startswith(f"the destination answered {status}: not like this")
    there.answer_with(Reply())
    eventually(lambda: len(there.spans()) == 20, "not all arrived")
    assert keys(there.spans()) == sent_keys(messages)


def test_what_a_destination_rejects_of_a_request_is_counted_and_not_sent_again(start, destination):
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 3
    answer.partial_success.error_message = "too old"
    there = destination(Reply(body=answer.SerializeToString()))
    weir = start(exporters=forward(there.url))
    send(weir, requests(1))
    rejected = "weir_exporter_rejected_spans"
    eventually(lambda: weir.metric(rejected, exporter="otlp_http") == 3, "not counted")
    weir.stop()
    assert len(there.requests) == 1
    assert 'reason="too old"' in weir.log()


def test_headers_are_sent_and_never_shown(start, destination, tmp_path):
    there = destination(Reply(401, {"Content-Type": "text/plain"}, b"no such key: swordfish"))
    env = {"KEY": "swordfish"}
    exporters = forward(there.url, headers={"Authorization": "Bearer ${env:KEY}", "X-Tenant": "swordfish"})
    weir = start(exporters=exporters, env=env)
    send(weir, requests(1))
    eventually(lambda: failures(weir), "no attempt failed")
    assert there.requests[0].headers["authorization"] == "Bearer swordfish"
    assert there.requests[0].headers["x-tenant"] == "swordfish"
    there.answer_with(Reply())
    eventually(lambda: there.accepted, "nothing arrived")
    (tmp_path / "shown.yaml").write_text(configuration(exporters=exporters))
    shown = command("print-config", "--config", "shown.yaml", cwd=tmp_path, env=env)
    assert shown.returncode == 0 and shown.stdout.count("[hidden]") == 2, shown
    for page in (weir.log(), weir.get("/metrics")[2], shown.stdout, shown.stderr):
        assert "swordfish" not in page


def test_a_connection_serves_many_requests(start, destination):
    there = destination()
    weir = start(exporters=forward(there.url))
    for count in range(1, 5):
        send(weir, requests(1))
        eventually(lambda: len(there.accepted) == count, "nothing arrived")
    assert len({request.connection for request in there.requests}) == 1


def test_a_url_that_is_none_is_an_error(tmp_path):
    (tmp_path / "bad.yaml").write_text(configuration(exporters=forward("127.0.0.1:4318")))
    result = command("check", "--config", "bad.yaml", cwd=tmp_path)
    assert result.returncode == 1
    assert 'exporters.otlp_http.endpoint: found "127.0.0.1:4318", wanted a URL such as' in result.stderr


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    directory = tmp_path_factory.mktemp("certificates")
    return Certificate(directory, "server"), Certificate(directory, "client")


def test_tls_believes_the_authority_in_ca_file(start, destination, certificates):
    there = destination(tls=certificates[0].server())
    weir = start(exporters=forward(there.url, tls={"ca_file": str(certificates[0].file), "min_version": "1.3"}))
    messages = requests(1)
    send(weir, messages)
    weir.stop()
    assert keys(there.spans()) == sent_keys(messages)


def test_tls_sends_nothing_to_a_server_that_it_does_not_believe(start, destination, certificates):
    there = destination(tls=certificates[0].server())
    weir = start(exporters=forward(there.url, tls={"ca_file": str(certificates[1].file)}))
    send(weir, requests(1))
    eventually(lambda: failures(weir), "no attempt failed")
    assert "CERTIFICATE_VERIFY_FAILED" in failures(weir)[0]
    assert not there.requests
    weir.kill()


def test_tls_believes_everybody_where_it_is_told_to(start, destination, certificates):
    there = destination(tls=certificates[0].server())
    weir = start(exporters=forward(there.url, tls={"insecure_skip_verify": True}))
    send(weir, requests(1))
    weir.stop()
    assert there.accepted


def test_tls_shows_its_own_certificate(start, destination, certificates):
    server, client = certificates
    there = destination(tls=server.server(clients=client))
    own = {"ca_file": str(server.file), "cert_file": str(client.file), "key_file": str(client.key)}
    weir = start(exporters=forward(there.url, tls=own))
    send(weir, requests(1))
    weir.stop()
    assert there.accepted


def test_files_of_tls_that_are_no_use_stop_the_start(start, certificates, tmp_path):
    server, client = certificates
    (tmp_path / "text.pem").write_text("not a certificate")
    for tls, found in [
        ({"ca_file": "none.pem"}, "cannot use none.pem, which is not there, wanted certificates in PEM"),
        ({"ca_file": str(tmp_path / "text.pem")}, "text.pem, wanted certificates in PEM"),
        ({"cert_file": str(client.file), "key_file": str(client.file)}, "client.pem, wanted a key in PEM"),
        ({"cert_file": str(client.file), "key_file": str(server.key)}, "server.key, wanted the key of the certificate"),
    ]:
        weir = start(ready=False, exporters=forward("https://127.0.0.1:1", tls=tls))
        assert weir.wait() == 1
        assert found in weir.log()
