"""Encrypted values inside of attributes, in JSON texts and maps, from end to end."""

import json
import subprocess

import pytest
from cryptography.exceptions import InvalidTag

import otlp
from decryptor import ATTRIBUTE, Decryptor
from test_encryption import FIRST, SECRET, collector, destination, lines, pair, post, request, write_keys  # noqa: F401
from waiting import eventually
from weir import BINARY, command

ARGUMENTS = {"card": {"number": SECRET}, "é/~": [1]}
PAYLOAD = {"user": {"ssn": SECRET, "name": "Maria"}, "n": 1.50, "args": json.dumps(ARGUMENTS)}
MESSAGES = [{"role": "user", "content": SECRET}, {"role": "user", "parts": [{"type": "text", "content": SECRET}]}]
PATHS = 'fields: [app.payload.user.ssn, "gen_ai.input.messages.*.content", "*.card", app.map.secret]'


def paths_span():
    span = otlp.a_span()
    span.attributes.append(pair("app.payload", json.dumps(PAYLOAD)))
    span.attributes.append(pair("gen_ai.input.messages", json.dumps(MESSAGES)))
    span.attributes.append(pair("app.map", {"secret": 4711, "deeper": [{"card": SECRET}], "n": 1}))
    return span


def test_what_stands_inside_of_attributes_opens_from_the_description_and_the_rest_is_as_it_was(
        start, tmp_path, destination):
    write_keys(tmp_path, FIRST)
    text = collector(tmp_path, PATHS, format="otlp_json").replace("  archive: {", f"""\
  otlp_http: {{ endpoint: "{destination.url}", compression: none, reveal: [app.payload.user, app.map] }}
  archive: {{""", 1).replace("exporters: [archive", "exporters: [otlp_http, archive")
    weir = start(directory=tmp_path, text=text)
    span = paths_span()
    assert post(weir.endpoint, request(span))[0] == 200
    eventually(lambda: destination.accepted, weir.log)
    assert 'reason="syntax"} 0' in weir.get("/metrics")[2]
    weir.drain()
    # The request's own resource and scope are in clear.
    sent = {attribute.key: attribute.value for attribute in span.attributes}
    [line] = lines(tmp_path / "archive")
    [stored] = json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]
    attributes = {attribute["key"]: attribute["value"] for attribute in stored["attributes"]}
    assert SECRET not in json.dumps(stored)
    payload = attributes["app.payload"]["stringValue"]
    ssn = json.loads(payload)["user"]["ssn"]
    inner = json.loads(json.loads(payload)["args"])
    card = json.dumps(json.dumps({"number": SECRET}))[1:-1]
    restored = payload.replace(f'"{ssn}"', json.dumps(SECRET)).replace(f'\\"{inner["card"]}\\"', card)
    assert restored == sent["app.payload"].string_value

    decryptor = Decryptor(tmp_path / "keys/keys.db", FIRST)
    ids = (span.trace_id, span.span_id)
    where = ("default", ATTRIBUTE, "app.payload", *ids)
    found = decryptor.open_inside(payload, "", *where)
    assert found == {**PAYLOAD, "args": ARGUMENTS}
    assert decryptor.open(ssn, *where, pointer="/user/ssn") == json.dumps(SECRET)
    for pointer in ("", "/user/name", "/ssn", "/user/ssn/0"):
        with pytest.raises(InvalidTag):
            decryptor.open(ssn, *where, pointer=pointer)
    messages = attributes["gen_ai.input.messages"]["stringValue"]
    assert decryptor.open_inside(messages, "", "default", ATTRIBUTE, "gen_ai.input.messages", *ids) == MESSAGES
    members = {pair["key"]: pair["value"] for pair in attributes["app.map"]["kvlistValue"]["values"]}
    assert members["n"] == {"intValue": "1"}
    map_ids = ("default", ATTRIBUTE, "app.map", *ids)
    assert decryptor.open(members["secret"]["stringValue"], *map_ids, pointer="/secret").int_value == 4711

    # An exporter that may read a part of it gets that.
    [got] = destination.accepted[0].message().resource_spans[0].scope_spans[0].spans
    values = {attribute.key: attribute.value for attribute in got.attributes}
    revealed = json.loads(values["app.payload"].string_value)
    assert revealed["user"] == PAYLOAD["user"] and SECRET not in revealed["args"]
    assert values["app.map"] == sent["app.map"] and SECRET not in values["gen_ai.input.messages"].string_value

    config = ["--config", str(tmp_path / "collector.yaml")]

    def decrypted(*arguments):
        run = subprocess.run([BINARY, "decrypt", *config, "--reason", "case 1", *arguments], input=line,
                             capture_output=True, text=True, timeout=60)
        assert run.returncode == 0, run.stderr
        [shown] = json.loads(run.stdout)["resourceSpans"][0]["scopeSpans"][0]["spans"]
        return {attribute["key"]: attribute["value"] for attribute in shown["attributes"]}

    clear = decrypted()
    assert clear["app.payload"]["stringValue"] == sent["app.payload"].string_value
    assert clear["gen_ai.input.messages"]["stringValue"] == sent["gen_ai.input.messages"].string_value
    assert decrypted("--field", "*.card")["app.payload"]["stringValue"].count(SECRET) == 1

    def query(*arguments):
        done = command("query", "trace", span.trace_id.hex(), *config, "--format", "json", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["attributes"]

    shown = query("--reveal", "*", "--reason", "case 2")
    assert shown["app.payload"] == sent["app.payload"].string_value
    assert shown["app.map"] == {"secret": 4711, "deeper": [{"card": SECRET}], "n": 1}
    shown = query("--reveal", "app.map.secret", "--reason", "case 3")
    assert shown["app.map"]["secret"] == 4711 and shown["app.map"]["deeper"][0]["card"].startswith("weir1.")

    # Which files a key opens something of is in their manifests.
    [manifest] = [json.loads(path.read_text()) for path in (tmp_path / "archive").rglob("*.manifest.json")]
    [key] = manifest["field_encryption"]["key_ids"]
    run = command("keys", "destroy", *config, "--key", key, "--yes")
    assert run.returncode == 0, run.stdout + run.stderr
    gone = decrypted()
    assert json.loads(gone["app.payload"]["stringValue"])["user"] == {"ssn": None, "name": "Maria"}
    assert gone["app.payload.user.ssn.unreadable"]["stringValue"] == "key destroyed"
    assert gone["app.map.deeper.card.unreadable"]["stringValue"] == "key destroyed"
    shown = query("--reveal", "*", "--reason", "case 4")
    assert json.loads(shown["app.payload"])["user"]["ssn"] is None and shown["app.map"]["secret"] is None
    assert shown["app.map.secret.unreadable"] == "key destroyed"
