"""Where the keys of encryption are, and who is shown what they open: data keys in Postgres, and the query API."""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import signal
import sqlite3
import struct
import subprocess
import threading
import urllib.parse

import pytest

import archives
from decryptor import Decryptor
from keys import new_key
from test_encryption import (
    FIRST, SECOND, SECRET, check_files, check_no_key, collector, opened, post, request, secret_span, write_keys,
)
from waiting import eventually
from weir import BINARY, command


def in_postgres(directory, database, kek=None, **further):
    """The text of a configuration whose data keys are in Postgres. Several may share the file of the outer keys."""
    text = collector(directory, source=f"file: {kek or directory}/kek", **further)
    return text.replace(
        f"path: {directory}/keys/keys.db", f"store: postgres, connection: {json.dumps(database.connection())}")


def rows(database, sql):
    with database.cluster.connect(database.name) as connection:
        return connection.execute(sql.replace("FROM ", "FROM weir_keys.")).fetchall()


def test_several_weirs_share_the_keys_in_a_database_and_rotate_them_under_load(start, tmp_path, database):
    write_keys(tmp_path, FIRST)
    directories = [tmp_path / name for name in ("one", "two")]
    weirs = [
        start(directory=directory, text=in_postgres(directory, database, tmp_path)) for directory in directories]
    stop, answers = threading.Event(), {0: [], 1: []}

    def send(which):
        number = 0
        while not stop.is_set():
            number += 1
            answers[which].append(post(weirs[which].endpoint, request(secret_span(user=f"user-{number % 20}")))[0])

    threads = [threading.Thread(target=send, args=(which,)) for which in (0, 1, 0, 1)]
    for thread in threads:
        thread.start()

    def eventually_answered(count):
        sent = [len(answers[which]) for which in answers]
        eventually(lambda: all(len(answers[which]) >= sent[which] + count for which in answers), "too few answers", 60)

    eventually_answered(20)
    # Known everywhere before it wraps anywhere.
    write_keys(tmp_path, FIRST, SECOND)
    eventually_answered(20)
    write_keys(tmp_path, SECOND, FIRST)
    config = ["--config", str(weirs[0].config)]
    first = [subprocess.Popen([BINARY, "keys", "rotate", "--config", weir.config], cwd=weir.directory,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for weir in weirs]
    for rotation in first:
        output, _ = rotation.communicate(timeout=60)
        assert rotation.returncode == 0, output
    eventually_answered(20)
    assert command("keys", "rotate", *config, cwd=weirs[0].directory).returncode == 0
    write_keys(tmp_path, SECOND)
    eventually_answered(20)
    stop.set()
    for thread in threads:
        thread.join()
    assert set(answers[0]) | set(answers[1]) == {200}
    outputs = []
    for words in (["verify"], ["list"], ["audit"]):
        outputs.append(command("keys", *words, *config, cwd=weirs[0].directory))
        assert outputs[-1].returncode == 0, outputs[-1].stdout + outputs[-1].stderr
    for weir in weirs:
        weir.stop()
    backup = tmp_path / "backup.db"
    done = command("keys", "backup", str(backup), *config, cwd=weirs[0].directory)
    assert done.returncode == 0 and backup.stat().st_mode & 0o777 == 0o600, done.stderr
    decryptor = Decryptor(backup, SECOND)
    for which, directory in enumerate(directories):
        found = archives.spans(directory / "archive")
        assert len(found) == len(answers[which])
        for span in found:
            assert opened(span, decryptor)["app.text"].string_value == SECRET
    check_files(tmp_path)
    check_no_key(tmp_path, FIRST, SECOND)
    for output in outputs:
        for form in (FIRST.hex(), SECOND.hex(), base64.b64encode(FIRST).decode(), base64.b64encode(SECOND).decode()):
            assert form not in output.stdout + output.stderr
    password = database.password
    assert all(password not in weir.log() for weir in weirs)
    assert rows(database, "SELECT count(*) FROM data_keys WHERE class = 3") == [(1,)]
    assert {row[0] for row in rows(database, "SELECT DISTINCT action FROM key_audit")} >= {"rotate", "backup"}
    # What was destroyed is gone from the database, the backup, and the memory of both.
    person = [*config, "--tenant", "default", "--subject", "user.id=user-7"]
    done = command("keys", "destroy", *person, "--yes", cwd=weirs[0].directory)
    assert done.returncode == 0 and "backup.db" in done.stderr, done.stdout + done.stderr
    assert rows(database, "SELECT count(*) FROM data_keys WHERE destroyed_at IS NOT NULL")[0][0] >= 1
    assert rows(database, "SELECT DISTINCT wrapped FROM data_keys WHERE destroyed_at IS NOT NULL") == [(None,)]


def test_an_erasure_destroys_keys_in_the_database(start, tmp_path, database):
    write_keys(tmp_path, FIRST)
    weir = start(directory=tmp_path, text=in_postgres(tmp_path, database))
    for user in ("maria", "bob"):
        assert post(weir.endpoint, request(secret_span(user=user)))[0] == 200
    weir.drain()
    done = command(
        "erase", "--config", str(weir.config), "--tenant", "default", "--subject", "user.id=maria", "--reason", "17",
        cwd=tmp_path, deadline=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "keys: 1 data keys destroyed" in done.stdout
    assert rows(database, "SELECT count(*) FROM data_keys WHERE destroyed_at IS NOT NULL") == [(1,)]
    # Bob can be read.
    found = command(
        "query", "search", "--config", str(weir.config), "--format", "json", "--from", "1970-01-02", cwd=tmp_path)
    assert [json.loads(line)["user_id"] for line in found.stdout.splitlines()] == ["bob"]


def test_a_database_that_is_down_refuses_what_needs_a_key_and_nothing_else(start, tmp_path, cluster):
    database = cluster.database()
    cluster.stop()
    write_keys(tmp_path, FIRST)
    weir = start(text=in_postgres(tmp_path, database))
    status, body, headers = post(weir.endpoint, request(secret_span()))
    assert status == 503 and int(headers["Retry-After"]) > 0 and b"key store" in body
    assert "keystore: cannot encrypt" in weir.get("/healthz")[2]
    assert "cannot encrypt" in weir.log() and database.password not in weir.log()
    cluster.start()
    eventually(lambda: post(weir.endpoint, request(secret_span(user="maria")))[0] == 200, "still refused", 60)
    eventually(lambda: weir.get("/healthz")[2] == "ok\n", lambda: weir.get("/healthz")[2], 60)
    cluster.kill()
    # A key that is at hand goes on being used; one that cannot be kept is not.
    assert post(weir.endpoint, request(secret_span(user="maria")))[0] == 200
    assert post(weir.endpoint, request(secret_span(user="bob")))[0] == 503
    cluster.start()
    eventually(lambda: post(weir.endpoint, request(secret_span(user="bob")))[0] == 200, "still refused", 60)
    weir.drain()
    weir.stop()
    check_files(tmp_path)
    backup = tmp_path / "backup.db"
    assert command("keys", "backup", str(backup), "--config", str(weir.config), cwd=tmp_path).returncode == 0
    decryptor = Decryptor(backup, FIRST)
    found = archives.spans(tmp_path / "archive")
    assert len(found) >= 3
    assert all(opened(span, decryptor)["app.text"].string_value == SECRET for span in found)


@pytest.fixture
def asked(start, tmp_path):
    """A program with a secret in its tables, and keys of clients that may read more or less."""
    write_keys(tmp_path, FIRST)
    names = {"sender": ["ingest"], "reader": ["read"], "officer": ["read", "reveal"], "other": ["read", "reveal"]}
    keys, entries = {}, []
    for who, scopes in names.items():
        tenant = "bank" if who == "other" else "shop"
        keys[who], entry = new_key(tenant, *scopes)
        entries.append(entry.replace(f'name: "{tenant}"', f'name: "{who}"'))
    (tmp_path / "keys.yaml").write_text("keys:\n" + "".join(entries))
    encryption = 'fields: ["app.*", "session.id"], content: true, status_message: true, subjects: [user.id]'
    text = collector(tmp_path, encryption)
    text = text.replace("extensions:\n", f"extensions:\n  api_keys: {{ file: {tmp_path}/keys.yaml }}\n")
    text += "  operations: { endpoint: 127.0.0.1:0, auth: { authenticator: api_keys } }\n"
    text = text.replace("      http:\n", "      http:\n        auth: { authenticator: api_keys }\n")
    return Asked(start(directory=tmp_path, text=text), keys)


class Asked:
    def __init__(self, weir, keys):
        self.weir, self.keys = weir, keys
        self.endpoint = weir._listening("operations")

    def send(self, message):
        host, port = self.weir.endpoint.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        headers = {"Content-Type": "application/x-protobuf", "X-API-Key": self.keys["sender"]}
        connection.request("POST", "/v1/traces", message.SerializeToString(), headers)
        assert connection.getresponse().status == 200
        connection.close()
        self.weir.drain()

    def ask(self, word, who, **parameters):
        query = urllib.parse.urlencode({"from": "1970-01-02", **parameters}, doseq=True)
        host, port = self.endpoint.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        try:
            connection.request("GET", f"/api/v1/query/{word}?{query}", headers={"X-API-Key": self.keys[who]})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def row(self, word, who, **parameters):
        status, answer = self.ask(word, who, **parameters)
        assert status == 200, answer
        assert len(answer["rows"]) == 1
        return answer["rows"][0]

    def command(self, *words):
        return command(*words, "--config", str(self.weir.config), cwd=self.weir.directory)


def test_only_a_key_with_the_scope_is_shown_what_is_encrypted_and_it_is_audited(asked):
    span = secret_span(user="u42")
    span.attributes.add(key="session.id").value.string_value = SECRET
    asked.send(request(span))
    trace = span.trace_id.hex()
    for row in (asked.row("trace", "reader", id=trace), asked.row("trace", "officer", id=trace)):
        assert SECRET not in json.dumps(row) and row["attributes"]["app.text"].startswith("weir1.")
    why = {"reveal": "*", "reason": "case 4711"}
    status, answer = asked.ask("trace", "reader", id=trace, **why)
    assert (status, answer["error"]) == (403, "the key lacks the scope reveal")
    row = asked.row("trace", "officer", id=trace, **why)
    assert row["attributes"]["app.text"] == row["session_id"] == SECRET
    assert row["status_message"] == f"no answer for {SECRET}"
    row = asked.row("search", "officer", reveal="session.id", reason="case 4712")
    assert row["session_id"] == SECRET and row["status_message"].startswith("weir1.")
    # Another tenant finds nothing to read.
    assert asked.ask("trace", "other", id=trace, **why) == (200, {"rows": [], "has_more": False, "next": None})
    for parameters, said in [
        ({"reveal": "*"}, "reason: is missing"), ({"reason": "x"}, "found reason or keystore, wanted reveal"),
        ({**why, "keystore": "none"}, 'keystore: found "none", wanted one of keystore'),
    ]:
        status, answer = asked.ask("trace", "officer", id=trace, **parameters)
        assert status == 400 and said in answer["error"], answer
    # A question that has nothing encrypted in its answers knows no such parameter, whatever the key.
    status, answer = asked.ask("services", "officer", **why)
    assert status == 400 and 'found "reveal"' in answer["error"], answer
    done = asked.command("query", "search", "--tenant", "shop", "--from", "1970-01-02", "--format", "json",
                         "--reveal", "status.message", "--reason", "case 4713")
    assert json.loads(done.stdout)["status_message"] == f"no answer for {SECRET}", done.stderr
    audit = asked.command("keys", "audit").stdout
    for text in ("key officer from 127.0.0.1", "case 4711", "case 4712", "case 4713", f"uid {os.geteuid()}"):
        assert text in audit
    assert audit.count("case 4711") == 1 and SECRET not in audit and "reader" not in audit
    # Of a key that is destroyed nothing is left, and the row is there nevertheless.
    done = asked.command("keys", "destroy", "--tenant", "shop", "--subject", "user.id=u42", "--yes")
    assert done.returncode == 0, done.stderr

    def is_gone():
        return asked.row("trace", "officer", id=trace, **why)["attributes"]["app.text"] is None

    eventually(is_gone, "the key is still used")
    row = asked.row("trace", "officer", id=trace, **why)
    assert row["attributes"]["app.text.unreadable"] == "key destroyed"
    assert row["session_id"] is None and row["session_id.unreadable"] == "key destroyed"
    assert row["status_message"] is None and row["status_message.unreadable"] == "key destroyed"
    check_files(asked.weir.directory)


def test_a_key_that_is_there_again_shows_nobody_who_was_erased(asked):
    spans = {user: secret_span(user=user, trace_id=os.urandom(16)) for user in ("u42", "u43")}
    asked.send(request(*spans.values()))
    directory = asked.weir.directory

    def shown(user):
        row = asked.row("trace", "officer", id=spans[user].trace_id.hex(), reveal="*", reason="case 4711")
        return row["attributes"].get("app.text.unreadable") or row["attributes"]["app.text"]

    assert shown("u42") == shown("u43") == SECRET
    with contextlib.closing(sqlite3.connect(directory / "keys/keys.db")) as store:
        wrapped = store.execute("SELECT wrapped, id FROM data_keys WHERE subject <> ''").fetchall()
    # Where the tables are elsewhere, the spans stay: as with a copy of them.
    text = asked.weir.config.read_text()
    for name in ("hot", "archive"):
        text = text.replace(f"{directory}/{name}", f"{directory}/other/{name}")
    (directory / "other.yaml").write_text(text)
    done = command("erase", "--config", str(directory / "other.yaml"), "--tenant", "shop", "--subject", "user.id=u42",
                   cwd=directory, deadline=60)
    assert "data keys destroyed" in done.stdout, done.stdout + done.stderr
    eventually(lambda: shown("u42") == "key destroyed", "the key is still used")
    with contextlib.closing(sqlite3.connect(directory / "keys/keys.db")) as store:
        store.executemany("UPDATE data_keys SET wrapped = ?, destroyed_at = NULL WHERE id = ?", wrapped)
        store.commit()
    # The register is read each second, and keys are destroyed again each minute.
    eventually(lambda: shown("u42") == "key destroyed", "whoever was erased is shown")
    assert shown("u43") == SECRET


def test_a_listener_that_knows_nobody_shows_nobody_anything(start, tmp_path):
    write_keys(tmp_path, FIRST)
    text = collector(tmp_path) + "  operations: { endpoint: 127.0.0.1:0 }\n"
    asked = Asked(start(text=text), {"sender": "", "nobody": ""})
    asked.send(request(secret_span()))
    status, answer = asked.ask("search", "nobody", reveal="*", reason="curious")
    assert status == 403 and "wanted a client whose key has the scope reveal" in answer["error"]
    assert asked.weir.metric("weir_foreign_tenant_requests") == 0


def test_what_keys_there_are_is_said_by_the_check_and_by_healthz(start, tmp_path):
    text = collector(tmp_path)
    weir = start(text=text)
    assert "no key encryption key" in weir.get("/healthz")[2]
    check = command("check", "--config", str(weir.config))
    assert check.returncode == 0 and "extensions.keystore.key_encryption_keys" in check.stderr, check.stderr
    assert "until there is one" in check.stderr
    write_keys(tmp_path, FIRST)
    eventually(lambda: weir.get("/healthz")[2] == "ok\n", lambda: weir.get("/healthz")[2])
    assert "key_encryption_keys" not in command("check", "--config", str(weir.config)).stderr
    assert post(weir.endpoint, request(secret_span()))[0] == 200
    weir.stop()
    # Another key is there, and not the one that wraps what there is.
    write_keys(tmp_path, SECOND)
    again = start(directory=weir.directory, text=text)
    eventually(lambda: "which is no key encryption key here" in again.get("/healthz")[2], "nothing is said")


def test_keys_come_from_a_command_and_a_missing_file_is_made_for_development_only(start, tmp_path):
    write_keys(tmp_path, FIRST)
    weir = start(text=collector(tmp_path, source=f"command: [cat, {tmp_path}/kek]"))
    assert post(weir.endpoint, request(secret_span()))[0] == 200
    weir.stop()
    found = archives.spans(tmp_path / "archive")
    assert opened(found[0], Decryptor(tmp_path / "keys/keys.db", FIRST))["app.text"].string_value == SECRET
    check_no_key(tmp_path, FIRST)
    directory = tmp_path / "development"
    directory.mkdir()
    config = directory / "collector.yaml"
    config.write_text(collector(directory))
    process = subprocess.Popen(
        [BINARY, "run", "--dev", "--config", config], cwd=directory, stderr=subprocess.PIPE, text=True)
    try:
        said = process.stderr.readline()
        assert said.startswith("WARNING: --dev made the key encryption key "), said
        assert (directory / "kek").stat().st_mode & 0o777 == 0o600
        assert (directory / "kek").read_text().strip() not in said
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_an_attribute_that_names_a_person_is_not_to_be_encrypted(tmp_path):
    def check(encryption):
        (tmp_path / "collector.yaml").write_text(collector(tmp_path, encryption))
        return command("check", "--config", str(tmp_path / "collector.yaml"))

    done = check('fields: ["user.*"], subjects: [user.id]')
    assert done.returncode == 1 and 'subjects: found "user.id", which is encrypted as well' in done.stderr, done.stderr
    done = check('fields: ["user.*"]')
    assert done.returncode == 0 and "fields: encrypts user.id" in done.stderr, done.stderr
    assert "encrypts" not in check('fields: ["app.*"], content: true, subjects: [user.id]').stderr


def test_equal_values_of_an_encrypted_attribute_are_found(start, tmp_path):
    write_keys(tmp_path, FIRST)
    encryption = 'fields: ["app.*"], content: true, status_message: true, indexed: [app.account]'
    weir = start(directory=tmp_path, text=collector(tmp_path, encryption))
    spans = [secret_span() for _ in range(3)]
    for span, account in zip(spans, ("4711", "4711", "4712")):
        span.attributes.add(key="app.account").value.string_value = account
    assert post(weir.endpoint, request(*spans))[0] == 200
    weir.drain()
    config = ["--config", str(weir.config)]
    token = command("keys", "index", "app.account=4711", *config, cwd=tmp_path)
    assert token.returncode == 0 and token.stdout.startswith("app.account.index="), token.stderr
    found = command("query", "search", "--attribute", token.stdout.strip(), "--from", "1970-01-02", "--format", "json",
                    *config, cwd=tmp_path)
    ids = {json.loads(line)["span_id"] for line in found.stdout.splitlines()}
    assert ids == {span.span_id.hex() for span in spans[:2]}
    audit = command("keys", "audit", *config, cwd=tmp_path).stdout
    assert "a value of app.account" in audit and "4711" not in audit
    other = command("keys", "index", "app.account=4711", "--tenant", "bank", *config, cwd=tmp_path)
    assert other.stdout != token.stdout
    check_files(tmp_path)


def test_a_crash_leaves_no_key_and_nothing_in_clear(start, tmp_path):
    write_keys(tmp_path, FIRST)
    # Where it has a program that traces it, that would print the memory that registers point to.
    trace = {"SWIFT_BACKTRACE": "enable=yes,symbolicate=off,registers=all,interactive=no,color=no"}
    weir = start(directory=tmp_path, text=collector(tmp_path), env=trace)
    assert post(weir.endpoint, request(secret_span(user="maria")))[0] == 200
    limits = pathlib.Path(f"/proc/{weir.process.pid}/limits").read_text().splitlines()
    assert [line.split()[4:6] for line in limits if line.startswith("Max core file size")] == [["1", "1"]]
    weir.process.send_signal(signal.SIGSEGV)
    assert weir.wait(60) == -signal.SIGSEGV
    assert "Backtrace took" not in weir.log() and "Registers:" not in weir.log()
    with sqlite3.connect(f"file:{tmp_path}/keys/keys.db?mode=ro", uri=True) as store:
        ids = [row[0] for row in store.execute("SELECT id FROM data_keys")]
    store.close()
    decryptor = Decryptor(tmp_path / "keys/keys.db", FIRST)
    data_keys = [decryptor.data_key(struct.pack(">q", number))[2] for number in ids]
    assert len(data_keys) >= 3
    check_no_key(tmp_path, FIRST, *data_keys)
    check_files(tmp_path)
    assert not [path for path in tmp_path.rglob("core*") if path.is_file()]
