"""Erasing a person whose name is ciphertext in what Weir has stored, under a key of the person's own."""

import json

import pytest

from test_encryption import FIRST, collector, pair, post, request as message, secret_span, write_keys
from waiting import eventually
from weir import command


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
@pytest.mark.parametrize("format", ["otlp_json", "otlp_proto", "parquet"])
def test_spans_that_name_the_person_under_its_own_key_are_erased(start, tmp_path, request, store, format):
    write_keys(tmp_path, FIRST)
    text = collector(tmp_path, encryption='fields: ["app.*"], subjects: [user.id]', format=format)
    text = text.replace("processors:\n", "processors:\n  redaction: { keys: [{ key: user.id, action: encrypt }] }\n", 1)
    text = text.replace("processors: [encryption]", "processors: [redaction, encryption]")
    if store == "postgres":
        connection = json.dumps(request.getfixturevalue("database").connection())
        text = text.replace(f'sqlite: {{ directory: "{tmp_path}/hot" }}', f"postgres: {{ connection: {connection} }}")
        text = text.replace("exporters: [archive, sqlite]", "exporters: [archive, postgres]")
    weir = start(directory=tmp_path, text=text)
    for user in ("maria", "bob", "maria"):
        assert post(weir.endpoint, message(secret_span(user=user)))[0] == 200
    weir.drain()
    config = ("--config", str(tmp_path / "collector.yaml"))

    def rows():
        found = command("query", "search", *config, "--from", "1970-01-02", "--format", "json", cwd=tmp_path, deadline=60)
        return [json.loads(line) for line in found.stdout.splitlines()]

    eventually(lambda: len(rows()) == 3, weir.log, 30)
    assert all(row["user_id"].startswith("weir1.") for row in rows())
    done = command("erase", "subject", *config, "--tenant", "default", "--subject", "user.id=maria", cwd=tmp_path, deadline=60)
    assert f"{store}: 2 spans" in done.stdout and "archive: 2 spans" in done.stdout, done
    assert len(rows()) == 1


def test_a_hold_on_a_name_that_is_ciphertext_keeps_what_may_be_its(start, tmp_path):
    write_keys(tmp_path, FIRST)
    text = collector(tmp_path, encryption='fields: ["app.*"], subjects: [user.id]')
    text = text.replace("processors:\n", "processors:\n  redaction: { keys: [{ key: user.id, action: encrypt }] }\n", 1)
    weir = start(directory=tmp_path, text=text.replace("processors: [encryption]", "processors: [redaction, encryption]"))
    trace = b"\7" * 16
    mine, other = secret_span(trace_id=trace), secret_span(user="bob", trace_id=trace)
    mine.attributes.append(pair("call.id", "c-1"))
    assert post(weir.endpoint, message(mine, other))[0] == 200
    weir.drain()
    config = ("--config", str(tmp_path / "collector.yaml"))
    person = ("--tenant", "default", "--subject")
    assert command("hold", "add", *config, *person, "user.id=bob", "--reason", "case", cwd=tmp_path).returncode == 0
    done = command("erase", "subject", *config, *person, "call.id=c-1", cwd=tmp_path, deadline=60)
    assert done.returncode == 3 and "spans whose user.id is encrypted by redaction, which are not found" in done.stdout, done
    assert "nothing was destroyed" in done.stdout
