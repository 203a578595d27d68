"""What pages send: keys in paths, origins, limits, and where it lands."""

import contextlib
import http.client
import json
import signal
import time

import pytest

from keys import new_key
from otlp import request_json, span_json
from tables import day_files, reader, sqlite_spans
from waiting import eventually
from weir import ROOT, command
from wire import Connection, exchange, request

PAGE = "https://app.example.com"

CONFIG = """\
extensions:
  api_keys: {{ file: {keys} }}
receivers:
  otlp: {{ protocols: {{ http: {{ endpoint: 127.0.0.1:0, cors: {{ allowed_origins: {origins} }} }} }} }}
  beacon:
    endpoint: 127.0.0.1:0
    allowed_origins: {origins}
    auth: {{ authenticator: api_keys }}
{more}
exporters:
  sqlite: {{ directory: {directory}/hot }}
service:
  journal: {{ directory: {directory}/journal, max_bytes: 256MiB }}
  telemetry: {{ metrics: {{ endpoint: 127.0.0.1:0 }} }}
  pipelines:
    traces: {{ receivers: [otlp, beacon], exporters: [sqlite] }}
"""


class Beacons:
    """A program with the receiver `beacon`, and the key of the tenant `shop`."""

    def __init__(self, start, directory, origins=(PAGE,), postgres=None, **more):
        self.start, self.directory = start, directory
        self.key, entry = new_key("shop", "beacon")
        self.other, other = new_key("bank", "ingest")
        (directory / "keys.yaml").write_text("keys:\n" + entry + other)
        self.text = CONFIG.format(
            keys=directory / "keys.yaml", directory=directory, origins=json.dumps(list(origins)),
            more="".join(f"    {key}: {json.dumps(value)}\n" for key, value in more.items()),
        )
        if postgres:
            keys = json.dumps({"connection": postgres.connection(), "schema": "weir"})
            self.text = self.text.replace("exporters:\n", f"exporters:\n  postgres: {keys}\n", 1)
            self.text = self.text.replace("exporters: [sqlite]", "exporters: [sqlite, postgres]")
        self.begin()

    def begin(self):
        """Starts it, at the port that it had."""
        self.weir = self.start(text=self.text)
        self.endpoint = self.weir._listening("beacon")
        self.text = self.text.replace("beacon:\n    endpoint: 127.0.0.1:0", f"beacon:\n    endpoint: {self.endpoint}")

    def path(self, key=None, sent=None):
        return f"/v1/beacon/{key or self.key}" + (f"?sent={sent}" if sent else "")

    def post(self, body, origin=PAGE, type="text/plain;charset=UTF-8", path=None, **further):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = [("Origin", origin)] if origin else []
        path = path or self.path(**further)
        return exchange(self.endpoint, request(body, type, path=path, headers=headers))

    def spans(self):
        self.weir.drain()
        return sqlite_spans(self.directory / "hot")


@pytest.fixture
def beacons(start, tmp_path):
    return lambda **keys: Beacons(start, tmp_path, **keys)


def event(name="panel.view", **further):
    return {"name": name, **further}


def test_events_become_spans_of_the_tenant_of_the_key(beacons):
    pages = beacons()
    now = int(time.time() * 1000)
    body = {"session": "s1", "rate": 0.5, "resource": {"service.name": "shop-web", "tenant": "bank"}}
    body["events"] = [event(time=now, duration=5, attributes={"app.n": 1, "host.name": "h"})]
    answer = pages.post(body)
    assert answer.status == 204 and answer.body == b""
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-credentials"] == "true"
    otlp = request_json(span_json(name="documentLoad", startTimeUnixNano=f"{now}000000", endTimeUnixNano=f"{now}000000"))
    assert pages.post(otlp, type="application/json").status == 204
    first, second = sorted(pages.spans(), key=lambda span: span["name"] == "documentLoad")
    assert (first["tenant"], first["service"], first["name"]) == ("shop", "shop-web", "panel.view")
    assert (first["session_id"], first["duration_ns"], first["start_ns"]) == ("s1", 5_000_000, now * 1_000_000)
    wanted = {"app.n": 1, "session.id": "s1", "browser.origin": PAGE, "weir.sampling.adjusted_count": 2.0}
    assert first["attributes"] == wanted
    assert (second["tenant"], second["name"]) == ("shop", "documentLoad")
    pages.weir.stop()
    for path in pages.directory.rglob("*"):
        assert not path.is_file() or pages.key.encode() not in path.read_bytes(), f"{path} has the key of a page"


def test_what_is_refused_has_a_status_and_a_count(beacons):
    pages = beacons(rate_limits={"origin": 0, "address": 0})
    body = {"events": [event()]}
    refusals = [
        (dict(key="weir_" + "0" * 64), 401), (dict(path="/v1/beacon"), 401), (dict(path="/v1/beacon/"), 401),
        (dict(key=pages.other), 403), (dict(origin="https://evil.example"), 403), (dict(origin=None), 403),
        (dict(origin="null"), 403), (dict(path="/v1/traces"), 401), (dict(type="application/x-protobuf"), 415),
        (dict(type=None), 415),
    ]
    for how, status in refusals:
        answer = pages.post(body, **how)
        assert answer.status == status, (how, answer)
        allowed = how.get("origin", PAGE) == PAGE
        assert ("access-control-allow-origin" in answer.headers) == allowed, "a page may read why"
    for bad in [b"", b"{", b"[]", b"{}", b'{"events":[{}]}', b"\xff" * 10]:
        assert pages.post(bad).status == 400
    assert pages.post(b" " * (64 * 1024 + 1)).status == 413
    assert exchange(pages.endpoint, request(b"", path=pages.path(), method="GET")).status == 405
    assert pages.weir.metric("weir_beacon_refused_requests", reason="origin") == 3
    assert pages.weir.metric("weir_beacon_events", outcome="malformed") == 1
    assert pages.weir.metric("otelcol_receiver_requests", receiver="beacon", http_status="415") == 2
    assert pages.spans() == []
    log = pages.weir.log()
    assert pages.key not in log and pages.other not in log, "the log shows a key"


def test_a_page_and_an_address_have_a_rate(beacons):
    pages = beacons(origins=[PAGE, "https://shop.example"], rate_limits={"origin": 3, "address": 0})
    answers = [pages.post({"events": [event()]}) for _ in range(20)]
    assert {answer.status for answer in answers} == {204, 429}
    assert all(answer.retry_after() for answer in answers if answer.status == 429)
    assert pages.post({"events": [event()]}, origin="https://shop.example").status == 204
    refused = pages.weir.metric("weir_beacon_refused_requests", reason="origin_rate")
    assert refused == sum(answer.status == 429 for answer in answers)
    assert len(pages.spans()) == 21 - refused


def test_an_origin_is_one_however_it_is_written(beacons):
    pages = beacons(rate_limits={"origin": 3, "address": 0})
    spellings = [f"https://{name}.example.com" for name in ("app", "App", "aPp", "apP", "APp", "aPP", "ApP", "APP")]
    answers = [pages.post({"events": [event()]}, origin=origin) for origin in spellings * 3]
    assert {answer.status for answer in answers} == {204, 429}
    assert {span["attributes"]["browser.origin"] for span in pages.spans()} == {PAGE}


def test_one_address_has_a_rate_whatever_origin_it_says(beacons):
    pages = beacons(origins=["https://*.shop.example"], rate_limits={"origin": 0, "address": 3})
    answers = [pages.post({"events": [event()]}, origin=f"https://a{n}.shop.example") for n in range(20)]
    assert {answer.status for answer in answers} == {204, 429}
    refused = pages.weir.metric("weir_beacon_refused_requests", reason="address_rate")
    assert refused == sum(answer.status == 429 for answer in answers)


def test_a_request_with_ids_that_comes_again_is_known_and_one_without_is_new(beacons):
    pages = beacons()
    named = {"events": [event("named", id="eee19b7ec3c1b174", trace="5b8efff798038103d269b633813fc60c")]}
    for sent in [int(time.time() * 1000), int(time.time() * 1000) - 90_000]:
        assert pages.post(named, sent=sent).status == 204
        assert pages.post({"events": [event("unnamed")]}).status == 204
    assert sorted(span["name"] for span in pages.spans()) == ["named", "unnamed", "unnamed"]
    assert pages.weir.metric("weir_receiver_duplicate_requests", receiver="beacon") == 1
    assert pages.weir.metric("weir_beacon_events", outcome="taken") == 3


def test_a_clock_that_is_an_hour_off_is_corrected(beacons):
    pages = beacons()
    now = time.time_ns()
    client = now // 1_000_000 - 3_600_000
    assert pages.post({"events": [event(time=client - 500)]}, sent=client).status == 204
    (span,) = pages.spans()
    assert abs(span["start_ns"] - (now - 500_000_000)) < 10_000_000_000
    assert 3_590_000 < span["attributes"]["browser.clock_skew_ms"] < 3_610_000


def test_a_clock_that_is_right_stays_so_however_long_the_body_takes(beacons):
    pages = beacons()
    now = int(time.time() * 1000)
    body = json.dumps({"events": [event(time=now)]}).encode()
    whole = request(body, "text/plain", path=pages.path(sent=now), headers=[("Origin", PAGE)])
    with Connection(pages.endpoint) as connection:
        connection.send(whole[: -len(body)])
        begun = time.monotonic()
        eventually(lambda: time.monotonic() - begun > 3, "time stands still")
        connection.send(body)
        assert connection.read().status == 204
    (span,) = pages.spans()
    assert span["start_ns"] == now * 1_000_000 and "browser.clock_skew_ms" not in span["attributes"]


def test_ids_that_are_none_are_no_events(beacons):
    pages = beacons()
    bad = [event(trace="5b8e"), event(parent="x"), event(id="0" * 16)]
    answer = pages.post({"events": bad})
    assert answer.status == 400 and b"trace_id" in answer.body
    assert pages.post({"events": bad + [event("sound")]}).status == 204
    assert pages.post(request_json(span_json(traceId="xyz")), type="application/json").status == 400
    assert [span["name"] for span in pages.spans()] == ["sound"]
    assert pages.weir.metric("weir_beacon_events", outcome="taken") == 1
    assert pages.weir.metric("weir_beacon_events", outcome="malformed") == 7


def test_the_registry_decides_what_is_taken(beacons):
    pages = beacons(registry=str(ROOT / "telemetry/metrics.yml"))
    events = [
        event("bias.override", attributes={"app.node_id": "n", "app.severity": "high"}),
        event("bias.override", attributes={"app.node_id": "n", "app.severity": "odd"}),
        event("unheard.of"),
    ]
    assert pages.post({"events": events}).status == 204
    assert pages.post({"events": events[2:]}).status == 400
    (span,) = pages.spans()
    assert span["attributes"]["weir.event.version"] == 1
    assert pages.weir.metric("weir_beacon_events", outcome="unknown_event") == 2
    assert pages.weir.metric("weir_beacon_events", outcome="violation") == 1


def test_a_preflight_is_answered_without_a_key_and_the_script_is_served(beacons):
    pages = beacons()
    ask = [("Origin", PAGE), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "content-type")]
    with Connection(pages.endpoint) as connection:
        connection.send(request(method="OPTIONS", path=pages.path(), headers=ask))
        assert connection.read(bodyless=True).status == 204
    host, port = pages.endpoint.rsplit(":", 1)
    with contextlib.closing(http.client.HTTPConnection(host, int(port), timeout=10)) as client:
        client.request("GET", "/weir-beacon.js")
        answer = client.getresponse()
        assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/javascript")
        assert answer.read() == (ROOT / "Sources/Weir/Receivers/Beacon/weir-beacon.js").read_bytes()


def test_a_public_key_does_nothing_else(tmp_path):
    _, entry = new_key("shop", "beacon")
    keys = tmp_path / "keys.yaml"
    keys.write_text("keys:\n" + entry.replace("[beacon]", "[beacon, ingest]"))
    file = tmp_path / "collector.yaml"
    file.write_text(CONFIG.format(keys=keys, directory=tmp_path, origins=json.dumps([PAGE]), more=""))
    done = command("check", "--config", str(file))
    assert done.returncode == 1 and "every page shows its key to everybody" in done.stderr


def test_the_shipped_registry_is_sound_and_a_wrong_one_is_not(tmp_path):
    done = command("registry", "check", str(ROOT / "telemetry/metrics.yml"))
    assert done.returncode == 0 and "no problems" in done.stdout and "detail_panel.view" in done.stdout
    wrong = tmp_path / "metrics.yml"
    wrong.write_text("events:\n  - { name: a.b }\n")
    done = command("registry", "check", str(wrong))
    assert done.returncode == 1 and f"{wrong}:2: events[0].owner: is missing" in done.stderr


def test_events_are_rows_of_telemetry_events(beacons, database):
    pages = beacons(postgres=database)
    body = {"session": "s1", "events": [event(id="eee19b7ec3c1b174", attributes={"app.n": 1})]}
    assert pages.post(body).status == 204
    assert pages.post(request_json(span_json()), type="application/json").status == 204
    eventually(lambda: len(pages.spans()) == 2, "not stored")
    columns = "tenant, name, event_id, session_id, source, sample_rate, payload"
    rows = []
    for file in day_files(pages.directory / "hot"):
        with contextlib.closing(reader(file)) as tables:
            rows += tables.execute(f"SELECT {columns} FROM telemetry_events").fetchall()
    # Either database has them, the same but for its own types.
    with database.session() as session:
        others = session.execute(f"SELECT {columns} FROM weir.telemetry_events").fetchall()
    for found in (rows, others):
        assert [row[:6] for row in found] == [("shop", "panel.view", "eee19b7ec3c1b174", "s1", PAGE, 1)]
    assert json.loads(rows[0][6])["app.n"] == 1 and others[0][6]["app.n"] == 1


def test_another_list_of_origins_is_taken_at_reload(beacons):
    pages = beacons()
    other = "https://shop.example"
    assert pages.post({"events": [event()]}, origin=other).status == 403
    pages.weir.config.write_text(pages.weir.config.read_text().replace(PAGE, other))
    pages.weir.process.send_signal(signal.SIGHUP)
    eventually(lambda: pages.post({"events": [event()]}, origin=other).status == 204, "the new list is not known")
    assert pages.post({"events": [event()]}).status == 403
