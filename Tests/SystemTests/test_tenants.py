"""Clients with keys: whose spans they send, and that no key is written anywhere."""

import base64
import json

import grpc
import pytest

import archives
from keys import new_key
from otlp import a_body, a_span
from test_grpc import export, retry_delay
from waiting import eventually
from weir import archive, command, configuration, postgres, sqlite
from wire import Connection, exchange, post, request


@pytest.fixture
def keyed(start, tmp_path):
    """A program that asks for keys, its keys by tenant, and a way to replace the file."""
    file = tmp_path / "keys.yaml"
    keys = {}

    def write(**scopes):
        entries = []
        for tenant, scope in scopes.items():
            keys[tenant], entry = new_key(tenant, scope)
            entries.append(entry)
        file.write_text("keys:\n" + "".join(entries))

    write(shop="ingest", bank="ingest", auditor="read")
    text = configuration(
        http={"auth": {"authenticator": "api_keys"}},
        exporters={"archive": archive("archive")},
    )
    weir = start(text=text + f"extensions:\n  api_keys: {{ file: {file}, check_interval: 50ms }}\n")
    return weir, keys, write


def send(weir, key=None, **headers):
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return post(weir.endpoint, a_body(), headers=headers.items())


def test_a_key_decides_whose_spans_these_are(keyed):
    weir, keys, _ = keyed
    assert send(weir, keys["shop"]).status == 200
    assert send(weir, keys["bank"], **{"X-Scope-OrgID": "shop", "X-Tenant": "shop", "tenant": "shop"}).status == 200
    assert send(weir).status == 401
    assert send(weir, "weir_" + "0" * 64).status == 401
    assert send(weir, keys["auditor"]).status == 403
    weir.stop()
    assert sorted(path.name for path in weir.archive.glob("tenant=*")) == ["tenant=bank", "tenant=shop"]
    assert len(archives.spans(weir.archive / "tenant=bank")) == 1


def test_a_file_of_keys_that_cannot_be_used_is_told(keyed, tmp_path):
    weir, keys, write = keyed
    (tmp_path / "keys.yaml").write_text("keys: [ { hash: nonsense } ]\n")
    eventually(lambda: "keys are those from before" in weir.get("/healthz")[2], weir.log)
    assert send(weir, keys["shop"]).status == 200
    write(shop="ingest")
    eventually(lambda: weir.get("/healthz")[2] == "ok\n", weir.log)


def test_metrics_are_of_all_tenants_and_not_for_who_reads_one(start, tmp_path):
    keys, entries = zip(new_key("shop", "read"), new_key("ops", "admin"))
    (tmp_path / "keys.yaml").write_text("keys:\n" + "".join(entries))
    text = configuration(exporters={"debug": {}}).replace(
        "metrics: { endpoint: 127.0.0.1:0 }", "metrics: { endpoint: 127.0.0.1:0, auth: { authenticator: api_keys } }"
    )
    weir = start(text=text + f"extensions:\n  api_keys: {{ file: {tmp_path / 'keys.yaml'} }}\n")

    def ask(*headers):
        return exchange(weir.metrics_endpoint, request(content_type=None, method="GET", path="/metrics", headers=headers))

    assert ask().status == 401
    assert ask(("X-API-Key", keys[0])).status == 403
    assert ask(("X-API-Key", keys[1])).status == 200


def test_a_stolen_key_that_is_taken_out_of_the_file_works_no_longer(keyed):
    weir, keys, write = keyed
    stolen = request(a_body(), headers=[("X-API-Key", keys["shop"])])
    with Connection(weir.endpoint) as connection:
        connection.send(stolen)
        assert connection.read().status == 200
        write(shop="ingest")
        eventually(lambda: send(weir, keys["shop"]).status == 200, "the new key is not known")
        connection.send(stolen)
        assert connection.read().status == 401, "a connection that was there lets nobody in"
    assert exchange(weir.endpoint, stolen).status == 401


def test_no_key_is_written_anywhere(start, tmp_path, database):
    """Not into a file, a table, a metric or an answer, whatever way it came and whatever became of the request."""
    file, keys, entries = tmp_path / "keys.yaml", {}, []
    for tenant, scope in [("shop", "ingest"), ("bank", "ingest"), ("auditor", "read"), ("page", "beacon")]:
        keys[tenant], entry = new_key(tenant, scope)
        entries.append(entry)
    file.write_text("keys:\n" + "".join(entries))
    auth = {"auth": {"authenticator": "api_keys"}}
    exporters = {
        "archive": archive(tmp_path / "archive"), "sqlite": sqlite(tmp_path / "hot"), "postgres": postgres(database),
        "debug": {"verbosity": "detailed"},
    }  # fmt: skip
    text = configuration(http=auth, grpc=auth, exporters=exporters, logs="level: debug, encoding: logfmt")
    beacon = {"endpoint": "127.0.0.1:0", "allowed_origins": ["*"], **auth}
    text = text.replace("receivers:\n", f"receivers:\n  beacon: {json.dumps(beacon)}\n", 1)
    text = text.replace("receivers: [otlp]", "receivers: [otlp, beacon]")
    text += f"  operations: {json.dumps({'endpoint': '127.0.0.1:0', **auth})}\n"
    weir = start(text=text + f"extensions:\n  api_keys: {{ file: {file} }}\n")
    wrong = "weir_" + "7" * 64
    basic = {key: base64.b64encode(f"user:{key}".encode()).decode() for key in [*keys.values(), wrong]}
    page = [("Origin", "https://app.example.com")]
    answers = []
    for key, pair in basic.items():
        for headers in ([("Authorization", f"Bearer {key}")], [("Authorization", f"Basic {pair}")], [("X-API-Key", key)]):
            for body in (a_body(), b"\xff"):
                answers.append(post(weir.endpoint, body, headers=headers))
            answers.append(exchange(weir._listening("operations"), request(path="/-/reload", headers=headers)))
        for path in (f"/v1/beacon/{key}", f"/v1/beacon?key={key}", f"/{key}"):
            event = request(b'{"events":[{"name":"a"}]}', "text/plain", path=path, headers=page)
            answers.append(exchange(weir._listening("beacon"), event))
    assert {answer.status for answer in answers} >= {200, 204, 400, 401, 403}
    weir.drain()
    seen = [weir.get("/metrics")[2].encode(), *(answer.body + repr(answer.headers).encode() for answer in answers)]
    with database.session() as connection:
        for (table,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'weir'").fetchall():
            seen += [text.encode() for (text,) in connection.execute(f'SELECT t::text FROM weir."{table}" t').fetchall()]
    assert any(b"GET /orders" in row for row in seen), "the tables have spans"
    weir.stop()
    written = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for part in ("weir.log", "weir.out", "tenant=shop", "spans-", "journal"):
        assert any(part in str(path) for path in written), part
    shown = command("print-config", "--config", str(weir.config))
    seen += [*written.values(), shown.stdout.encode()]
    for secret in [*basic, *basic.values()]:
        for data in seen:
            assert secret.encode() not in data, data[:200]


def test_a_reload_is_for_who_may_change_what_weir_does(start, tmp_path):
    keys, entries = zip(new_key("shop", "ingest"), new_key("bank", "read"), new_key("ops", "admin"))
    (tmp_path / "keys.yaml").write_text("keys:\n" + "".join(entries))
    text = configuration(exporters={"debug": {}})
    text += "  operations: { endpoint: 127.0.0.1:0, auth: { authenticator: api_keys } }\n"
    weir = start(text=text + f"extensions:\n  api_keys: {{ file: {tmp_path / 'keys.yaml'} }}\n")

    def ask(*headers):
        return exchange(weir._listening("operations"), request(path="/-/reload", headers=headers)).status

    assert ask() == 401
    assert [ask(("X-API-Key", key)) for key in keys] == [403, 403, 200]
    assert weir.log().count("message=reloaded") == weir.metric("weir_reloads") == 1
    # A page's request comes with what the browser has for this address.
    assert ask(("X-API-Key", keys[2]), ("Origin", "https://evil.example")) == 403
    assert weir.metric("weir_reloads") == 1


def test_nothing_opens_operations_to_everybody(tmp_path):
    file = tmp_path / "collector.yaml"

    def check(keys):
        file.write_text(configuration(exporters={"debug": {}}) + f"  operations: {{ endpoint: 0.0.0.0:0{keys} }}\n")
        return command("check", "--config", str(file))

    done = check("")
    assert done.returncode == 1
    assert "found 0.0.0.0:0 without authentication, wanted auth, tls.client_ca_file, or a loopback address" in done.stderr
    done = check(", insecure: true")
    assert done.returncode == 1 and "operations.insecure: is not a known key" in done.stderr


def test_an_open_listener_needs_consent(tmp_path):
    file = tmp_path / "collector.yaml"
    file.write_text(configuration(http={}, exporters={"debug": {}}).replace("127.0.0.1:0", "0.0.0.0:0", 1))
    done = command("check", "--config", str(file))
    assert done.returncode == 1
    assert "found 0.0.0.0:0 without authentication, wanted auth, tls.client_ca_file, or insecure: true" in done.stderr
    file.write_text(file.read_text().replace("0.0.0.0:0", "0.0.0.0:0\n        insecure: true", 1))
    done = command("check", "--config", str(file))
    assert done.returncode == 0
    assert "warning" in done.stderr and "everybody who reaches 0.0.0.0:0 is let in" in done.stderr


def test_a_tenant_that_sends_too_much_is_told_to_wait_and_no_other(start, tmp_path):
    file, keys, entries = tmp_path / "keys.yaml", {}, []
    for tenant in ["shop", "cafe", "pub", "bank"]:
        keys[tenant], entry = new_key(tenant, "ingest")
        entries.append(entry)
    file.write_text("keys:\n" + "".join(entries))
    auth = {"auth": {"authenticator": "api_keys"}}
    text = configuration(http=auth, grpc=auth, exporters={"archive": archive("archive")})
    limits = {"shop": ("spans_per_second", "1"), "cafe": ("requests_per_second", "1"), "pub": ("bytes_per_second", "1KiB")}
    tenants = ", ".join(f"{tenant}: {{ {key}: {rate} }}" for tenant, (key, rate) in limits.items())
    quotas = f"    quotas: {{ tenants: {{ {tenants} }} }}\nexporters:"
    weir = start(text=text.replace("exporters:", quotas, 1) + f"extensions:\n  api_keys: {{ file: {file} }}\n")

    def send(tenant, spans=1):
        body = a_body(*[a_span() for _ in range(spans)])
        return post(weir.endpoint, body, headers=[("X-API-Key", keys[tenant])])

    def call(tenant):
        """The error, if there is one."""
        try:
            export(weir, metadata=[("x-api-key", keys[tenant])])
        except grpc.RpcError as error:
            return error

    for tenant, (key, _) in limits.items():
        # Of the first, what is too much is made up for by those that come next.
        assert send(tenant, 500).status == 200
        refused = next(answer for answer in (send(tenant) for _ in range(50)) if answer.status != 200)
        assert refused.status == 429 and refused.retry_after() >= 1, tenant
        assert refused.error().message.startswith(f"the tenant {tenant} sends more than {key}, ")
        # The same account, whatever the protocol.
        error = next(error for error in (call(tenant) for _ in range(50)) if error)
        assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and retry_delay(error) >= 1, tenant
        assert weir.metric("weir_quota_refused_requests", tenant=tenant, quota=key) >= 2
    for _ in range(5):
        assert send("bank").status == 200
    assert weir.metric("weir_quota_refused_requests", tenant="bank") == 0
