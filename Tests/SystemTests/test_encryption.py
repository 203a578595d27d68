"""Encryption from end to end: ciphertext in every file, which opens from the description of the format alone."""

import base64
import http.client
import json
import os
import pathlib
import sqlite3
import subprocess
import threading

import pytest
from cryptography.exceptions import InvalidTag
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

import archives
import otlp
from decryptor import ATTRIBUTE, EVENT, LINK, RESOURCE, SCOPE, STATUS, Decryptor, Unreadable
from destination import Destination
from waiting import eventually
from weir import BINARY, archive, command, configuration, forward

SECRET = "the-plan-of-maria-4711"
FIRST, SECOND = bytes([0x11]) * 32, bytes([0x22]) * 32


@pytest.fixture
def destination():
    made = Destination()
    yield made
    made.close()


def collector(directory, encryption='fields: ["app.*"], content: true, status_message: true, subjects: [user.id]',
              source=None, format="otlp_proto"):
    """The text of a configuration with encryption, an archive and hot tables."""
    source = source or f"file: {directory}/kek"
    text = configuration(exporters={
        "archive": archive(directory / "archive", format=format), "sqlite": {"directory": str(directory / "hot")}})
    text = text.replace("exporters:\n", f"""\
extensions:
  keystore: {{ key_encryption_keys: {{ {source} }}, path: {directory}/keys/keys.db }}
processors:
  encryption: {{ {encryption}, keystore: keystore }}
exporters:
""", 1)
    return text.replace("      receivers: [otlp]\n", "      receivers: [otlp]\n      processors: [encryption]\n")


def write_keys(directory, *keys):
    path = directory / "kek"
    draft = directory / "kek.new"
    draft.write_text("\n".join(base64.b64encode(key).decode() for key in keys) + "\n")
    draft.chmod(0o600)
    draft.rename(path)


def pair(key, value):
    return KeyValue(key=key, value=otlp.any_value(value))


VALUES = {
    "app.text": SECRET, "app.flag": True, "app.count": -4711, "app.ratio": 2.5, "app.bytes": SECRET.encode(),
    "app.list": [SECRET, 1, True], "app.map": {"inner": {"text": SECRET}},
}


def secret_span(user=None, **fields):
    span = otlp.a_span(**fields)
    span.attributes.extend(pair(key, value) for key, value in VALUES.items())
    span.attributes.append(pair("gen_ai.input.messages", json.dumps([{"role": "user", "content": SECRET}])))
    span.attributes.append(pair("http.route", "/orders"))
    if user:
        span.attributes.append(pair("user.id", user))
    span.events.add(name="e").attributes.append(pair("app.text", SECRET))
    link = span.links.add(trace_id=b"\1" * 16, span_id=b"\2" * 8)
    link.attributes.append(pair("app.text", SECRET))
    span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=f"no answer for {SECRET}"))
    return span


def post(endpoint, message):
    host, port = endpoint.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        connection.request("POST", "/v1/traces", message.SerializeToString(), {"Content-Type": "application/x-protobuf"})
        response = connection.getresponse()
        return response.status, response.read(), response.headers
    finally:
        connection.close()


def request(*spans):
    message = otlp.a_request(*spans)
    group = message.resource_spans[0]
    group.resource.attributes.append(pair("app.text", SECRET))
    group.scope_spans[0].scope.attributes.append(pair("app.text", SECRET))
    return message


def check_files(directory, allowed=()):
    """Nothing that was sent in clear stands in any file below, in any of the forms that Weir writes."""
    forms = [SECRET.encode(), base64.b64encode(SECRET.encode())[:24], SECRET.encode().hex().encode()]
    files = [path for path in pathlib.Path(directory).rglob("*") if path.is_file() and path.name not in allowed]
    for path in files:
        content = path.read_bytes()
        for form in forms:
            assert form not in content, f"{form} in {path}"
    return files


def check_no_key(directory, *keys):
    for path in pathlib.Path(directory).rglob("*"):
        if not path.is_file() or path.name == "kek":
            continue
        content = path.read_bytes()
        for key in keys:
            for form in (key, key.hex().encode(), base64.b64encode(key)[:40]):
                assert form not in content, path


def lines(directory):
    """The lines of an archive of OTLP/JSON."""
    return [line for path in archives.files(directory) for line in archives.content(path).decode().splitlines()]


def opened(found, decryptor, tenant="default"):
    """Everything of an archived span in clear."""
    ids = (found.span.trace_id, found.span.span_id)
    values = {}
    for attribute in found.span.attributes:
        if attribute.value.string_value.startswith("weir1."):
            values[attribute.key] = decryptor.open(attribute.value.string_value, tenant, ATTRIBUTE, attribute.key, *ids)
    return values


@pytest.mark.parametrize("algorithm", ["xaes-256-gcm", "aes-256-gcm"])
def test_what_weir_wrote_opens_from_the_description_alone_and_is_in_clear_nowhere(start, tmp_path, algorithm):
    write_keys(tmp_path, FIRST)
    settings = f'fields: ["app.*"], content: true, status_message: true, subjects: [user.id], algorithm: {algorithm}'
    weir = start(text=collector(tmp_path, settings))
    spans = [secret_span(), secret_span(user="maria"), secret_span(user="bob")]
    assert post(weir.endpoint, request(*spans))[0] == 200
    metrics = weir.get("/metrics")[2]
    assert SECRET not in metrics and "weir_encryption_values" in metrics
    weir.stop()
    files = check_files(tmp_path)
    assert any("journal" in str(path) for path in files) and any("hot" in str(path) for path in files)
    check_no_key(tmp_path, FIRST)

    decryptor = Decryptor(tmp_path / "keys/keys.db", FIRST)
    archived = archives.spans(tmp_path / "archive")
    assert len(archived) == 3
    for found in archived:
        values = opened(found, decryptor)
        for key, value in VALUES.items():
            assert values[key] == otlp.any_value(value), key
        assert json.loads(values["gen_ai.input.messages"].string_value)[0]["content"] == SECRET
        ids = (found.span.trace_id, found.span.span_id)
        text = found.span.events[0].attributes[0].value.string_value
        assert decryptor.open(text, "default", EVENT, "app.text", *ids).string_value == SECRET
        link = found.span.links[0].attributes[0].value.string_value
        assert decryptor.open(link, "default", LINK, "app.text", *ids).string_value == SECRET
        status = decryptor.open(found.span.status.message, "default", STATUS, "", *ids)
        assert status.string_value == f"no answer for {SECRET}"
        # Moved to another place, span, key or tenant it does not open.
        for place, path, trace_id, span_id in [
            (LINK, "app.text", *ids), (EVENT, "app.other", *ids), (EVENT, "app.text", bytes(16), ids[1]),
            (EVENT, "app.text", ids[0], bytes(8)), (RESOURCE, "app.text", *ids),
        ]:
            with pytest.raises(InvalidTag):
                decryptor.open(text, "default", place, path, trace_id, span_id)
        with pytest.raises(Unreadable):
            decryptor.open(text, "other", EVENT, "app.text", *ids)
    rows = sqlite3.connect(tmp_path / "keys/keys.db").execute("SELECT class, subject FROM data_keys").fetchall()
    assert sorted(key_class for key_class, _ in rows) == [1, 1, 1, 3]
    assert len({subject for _, subject in rows}) == 3


def test_resources_and_scopes_open_as_well(start, tmp_path):
    write_keys(tmp_path, FIRST)
    weir = start(text=collector(tmp_path, format="otlp_json"))
    assert post(weir.endpoint, request(secret_span()))[0] == 200
    weir.stop()
    decryptor = Decryptor(tmp_path / "keys/keys.db", FIRST)
    [line] = lines(tmp_path / "archive")
    group = json.loads(line)["resourceSpans"][0]

    def text(attributes):
        return next(a["value"]["stringValue"] for a in attributes if a["key"] == "app.text")

    resource = text(group["resource"]["attributes"])
    scope = text(group["scopeSpans"][0]["scope"]["attributes"])
    assert decryptor.open(resource, "default", RESOURCE, "app.text").string_value == SECRET
    assert decryptor.open(scope, "default", SCOPE, "app.text").string_value == SECRET

    # And with Weir's own command, which is audited.
    run = subprocess.run(
        [BINARY, "decrypt", "--config", weir.config, "--reason", "ticket 12"], input=line, capture_output=True, text=True,
        timeout=30)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count(SECRET) >= 7 and "weir1." not in run.stdout
    audit = command("keys", "audit", "--config", weir.config)
    assert "decrypt" in audit.stdout and "ticket 12" in audit.stdout and SECRET not in audit.stdout


def test_without_a_key_requests_are_refused_and_nothing_is_written_in_clear(start, tmp_path):
    weir = start(text=collector(tmp_path))
    status, body, headers = post(weir.endpoint, request(secret_span()))
    assert status == 503 and int(headers["Retry-After"]) > 0
    assert b"cannot be encrypted" in body
    assert 'cannot encrypt' in weir.log()
    # Once the key is there, work goes on without a restart.
    write_keys(tmp_path, FIRST)
    eventually(lambda: post(weir.endpoint, request(secret_span()))[0] == 200, "still refused")
    weir.stop()
    check_files(tmp_path)


def test_a_key_that_others_may_read_is_refused(start, tmp_path):
    write_keys(tmp_path, FIRST)
    (tmp_path / "kek").chmod(0o644)
    weir = start(text=collector(tmp_path))
    assert post(weir.endpoint, request(secret_span()))[0] == 503
    assert "0644" in weir.log() and FIRST.hex() not in weir.log()
    assert base64.b64encode(FIRST).decode() not in weir.log()


def test_a_store_that_cannot_be_written_refuses(start, tmp_path):
    write_keys(tmp_path, FIRST)
    (tmp_path / "keys").write_text("a file, no directory")
    weir = start(text=collector(tmp_path))
    assert post(weir.endpoint, request(secret_span()))[0] == 503
    weir.stop()
    check_files(tmp_path)


def test_keys_are_rotated_under_load_and_everything_opens(start, tmp_path):
    write_keys(tmp_path, FIRST)
    weir = start(text=collector(tmp_path))
    stop, answers = threading.Event(), []

    def send():
        number = 0
        while not stop.is_set():
            number += 1
            answers.append(post(weir.endpoint, request(secret_span(user=f"user-{number % 20}")))[0])

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(answers) > 30, "too few answers")
    write_keys(tmp_path, SECOND, FIRST)
    run = command("keys", "rotate", "--config", weir.config)
    assert run.returncode == 0, run.stderr
    eventually(lambda: len(answers) > 90, "too few answers")
    # A key that the old one wrapped after the first turn is found by a second.
    assert command("keys", "rotate", "--config", weir.config).returncode == 0
    write_keys(tmp_path, SECOND)
    sent = len(answers)
    eventually(lambda: len(answers) > sent + 30, "too few answers")
    stop.set()
    for thread in threads:
        thread.join()
    assert set(answers) == {200}
    verify = command("keys", "verify", "--config", weir.config)
    assert verify.returncode == 0, verify.stdout + verify.stderr
    listing = command("keys", "list", "--config", weir.config)
    weir.stop()
    check_no_key(tmp_path, FIRST, SECOND)
    for output in (verify, listing, run):
        for key in (FIRST, SECOND):
            assert key.hex() not in output.stdout + output.stderr
            assert base64.b64encode(key).decode() not in output.stdout + output.stderr
    decryptor = Decryptor(tmp_path / "keys/keys.db", SECOND)
    archived = archives.spans(tmp_path / "archive")
    assert len(archived) == len(answers)
    for found in archived:
        assert opened(found, decryptor)["app.text"].string_value == SECRET


def test_a_destroyed_key_is_an_erased_person(start, tmp_path):
    write_keys(tmp_path, FIRST)
    text = collector(tmp_path, format="otlp_json")
    weir = start(text=text)
    for user in ("maria", "bob"):
        assert post(weir.endpoint, request(secret_span(user=user)))[0] == 200
    backup = tmp_path / "backup.db"
    assert command("keys", "backup", str(backup), "--config", weir.config).returncode == 0
    assert backup.stat().st_mode & 0o777 == 0o600
    arguments = ("keys", "destroy", "--config", weir.config, "--tenant", "default", "--subject", "user.id=maria")
    assert command(*arguments).returncode != 0
    # A hold keeps every key of the tenant, also one that is named by its id.
    hold = command("hold", "add", "--config", weir.config, "--tenant", "default", "--reason", "case 1").stdout.split()[1]
    (key,) = sqlite3.connect(backup).execute("SELECT id FROM data_keys ORDER BY class LIMIT 1").fetchone()
    run = command("keys", "destroy", "--config", weir.config, "--key", f"{key % (1 << 64):016x}", "--yes")
    assert run.returncode != 0 and hold in run.stderr, run.stdout + run.stderr
    assert command("hold", "release", "--config", weir.config, hold, "--reason", "closed").returncode == 0
    run = command(*arguments, "--yes")
    assert run.returncode == 0 and "1 data keys are destroyed" in run.stdout, run.stdout + run.stderr
    weir.stop()
    wrapped = sqlite3.connect(tmp_path / "keys/keys.db").execute(
        "SELECT count(*) FROM data_keys WHERE wrapped IS NULL").fetchone()
    assert wrapped == (1,)
    assert sqlite3.connect(backup).execute("SELECT count(*) FROM data_keys WHERE wrapped IS NULL").fetchone() == (1,)
    archived = lines(tmp_path / "archive")
    run = subprocess.run(
        [BINARY, "decrypt", "--config", weir.config, "--reason", "proof"], input="\n".join(archived) + "\n",
        capture_output=True, text=True, timeout=30)
    assert run.returncode == 0, run.stderr
    for line in run.stdout.splitlines():
        for group in json.loads(line)["resourceSpans"]:
            for span in group["scopeSpans"][0]["spans"]:
                values = {a["key"]: a["value"] for a in span["attributes"]}
                if values["user.id"]["stringValue"] == "maria":
                    assert values["app.text.unreadable"]["stringValue"] == "key destroyed"
                    assert SECRET not in json.dumps(span)
                    assert values["http.route"]["stringValue"] == "/orders"
                else:
                    assert values["app.text"]["stringValue"] == SECRET
    assert "maria" not in command("keys", "audit", "--config", weir.config).stdout


def test_an_encrypted_journal_holds_nothing_in_clear_and_is_delivered_after_a_kill(start, tmp_path, backend):
    write_keys(tmp_path, FIRST)
    backend.mood = lambda spans: 503
    journal = {"directory": str(tmp_path / "journal"), "max_bytes": "16MiB", "encryption": "keystore"}
    text = configuration(exporters={"otlp_http": forward(backend.url)}, journal=journal)
    text = text.replace("exporters:\n", f"""\
extensions:
  keystore: {{ key_encryption_keys: {{ file: {tmp_path}/kek }}, path: {tmp_path}/keys/keys.db }}
exporters:
""", 1)
    weir = start(text=text)
    spans = [secret_span(), secret_span()]
    for span in spans:
        assert post(weir.endpoint, request(span))[0] == 200
    weir.kill()
    files = check_files(tmp_path)
    assert any(path.suffix == ".seg" for path in files)
    dump = command("journal", "dump", "--spans", "--config", weir.config)
    assert dump.returncode == 0 and SECRET not in dump.stdout and dump.stdout.count('"encrypted":true') == 2
    assert command("journal", "verify", "--config", weir.config).returncode == 0

    # What the destination refuses is no clearer among the dead letters, and comes back from there.
    backend.mood = lambda spans: 400
    again = start(text=text)
    letters = tmp_path / "journal"
    eventually(lambda: [path for path in letters.rglob("letters.jsonl") if path.read_text().count("\n") == 2], again.log)
    again.stop()
    check_files(tmp_path)
    backend.mood = lambda spans: "ok"
    replay = command("replay", "--config", again.config, "--exporter", "otlp_http")
    assert replay.returncode == 0, replay.stdout + replay.stderr
    assert set(backend.taken) == {span.span_id for span in spans}


def test_a_person_is_found_behind_the_token_that_redaction_made(start, tmp_path):
    write_keys(tmp_path, FIRST)
    text = collector(tmp_path, 'fields: ["app.*"], content: true, status_message: true, subjects: [user.id]')
    text = text.replace("processors:\n", f"processors:\n  redaction: {{ key_file: {tmp_path}/redaction.key }}\n", 1)
    text = text.replace("processors: [encryption]", "processors: [redaction, encryption]")
    weir = start(text=text)
    for user in ("maria", "bob"):
        assert post(weir.endpoint, request(secret_span(user=user)))[0] == 200
    run = command(
        "keys", "destroy", "--config", weir.config, "--tenant", "default", "--subject", "user.id=maria", "--yes")
    assert "1 data keys are destroyed" in run.stdout, run.stdout + run.stderr
    weir.stop()
    for path in check_files(tmp_path):
        assert b"maria" not in path.read_bytes().replace(SECRET.encode(), b"")


def test_an_exporter_that_reveals_gets_clear_text_and_the_others_do_not(start, tmp_path, destination):
    write_keys(tmp_path, FIRST)
    text = collector(tmp_path)
    text = text.replace("  archive: {", f"""\
  otlp_http: {{ endpoint: "{destination.url}", compression: none, reveal: ["app.*", status.message] }}
  archive: {{""", 1).replace("exporters: [archive", "exporters: [otlp_http, archive")
    weir = start(text=text)
    span = secret_span()
    assert post(weir.endpoint, request(span))[0] == 200
    eventually(lambda: destination.accepted, weir.log)
    metrics = weir.get("/metrics")[2]
    weir.stop()
    check_files(tmp_path)
    assert 'weir_exporter_revealed_values{exporter="otlp_http"} 12' in metrics
    message = destination.accepted[0].message()
    [group] = message.resource_spans
    [got] = group.scope_spans[0].spans
    values = {attribute.key: attribute.value for attribute in got.attributes}
    for key, value in VALUES.items():
        assert values[key] == otlp.any_value(value), key
    assert got.status.message == f"no answer for {SECRET}"
    assert values["gen_ai.input.messages"].string_value.startswith("weir1.")
    assert group.resource.attributes[-1].value.string_value == SECRET
    assert "reveal" in command("keys", "audit", "--config", weir.config).stdout


def test_a_query_shows_what_is_encrypted_only_where_it_is_asked_to(start, tmp_path):
    write_keys(tmp_path, FIRST)
    weir = start(directory=tmp_path, text=collector(tmp_path))
    span = secret_span(user="u42")
    assert post(weir.endpoint, request(span))[0] == 200
    weir.drain()
    config = ["--config", str(tmp_path / "collector.yaml")]

    def found(*arguments):
        done = command("query", "trace", span.trace_id.hex(), *config, "--format", "json", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), done

    row, done = found()
    assert SECRET not in done.stdout and row["attributes"]["app.text"].startswith("weir1.")
    row, done = found("--reveal", "*", "--reason", "case 4711")
    attributes = row["attributes"]
    wanted = {**VALUES, "app.bytes": base64.b64encode(VALUES["app.bytes"]).decode()}
    assert {key: attributes[key] for key in wanted} == wanted
    assert row["events"][0]["attributes"]["app.text"] == SECRET
    assert row["links"][0]["attributes"]["app.text"] == SECRET
    assert row["resource"]["attributes"]["app.text"] == SECRET
    assert row["scope"]["attributes"]["app.text"] == SECRET
    assert row["status_message"] == f"no answer for {SECRET}"
    # One pattern, and nothing else.
    row, _ = found("--reveal", "app.text", "--reason", "case 4712")
    assert row["attributes"]["app.text"] == SECRET and row["attributes"]["app.map"].startswith("weir1.")
    assert row["status_message"].startswith("weir1.")
    with sqlite3.connect(f"file:{tmp_path}/keys/keys.db?mode=ro", uri=True) as store:
        audit = " ".join(row[0] for row in store.execute("SELECT detail FROM key_audit WHERE action = 'query'"))
    store.close()
    assert "case 4711" in audit and "case 4712" in audit and SECRET not in audit
    # Without a reason nobody gets anything.
    assert command("query", "trace", span.trace_id.hex(), *config, "--reveal", "*", cwd=tmp_path).returncode == 64
    # Of a key that is destroyed nothing is left, and it is said.
    destroyed = command("keys", "destroy", *config, "--tenant", "default", "--subject", "user.id=u42", "--yes",
                        cwd=tmp_path)
    assert destroyed.returncode == 0, destroyed.stderr
    row, _ = found("--reveal", "*", "--reason", "case 4713")
    assert row["attributes"]["app.text"] is None
    assert row["attributes"]["app.text.unreadable"] == "key destroyed"
    assert row["resource"]["attributes"]["app.text"] == SECRET
