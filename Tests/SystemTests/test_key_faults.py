"""What goes wrong with keys: too many at once, one where its place is named, crashes, and who repeats secrets."""

import base64
import json
import os
import pathlib
import resource
import signal
import sqlite3
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import otlp
from test_encryption import (
    FIRST, SECOND, SECRET, check_files, collector, lines, pair, post, request as request_of, secret_span, write_keys,
)
from test_keystore import in_postgres
from waiting import eventually
from weir import BINARY, command


def persons(*names):
    """A request of a span for each."""
    spans = []
    for name in names:
        spans.append(otlp.a_span())
        spans[-1].attributes.extend([pair("app.text", SECRET), pair("user.id", name)])
    return otlp.a_request(*spans)


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_request_of_very_many_persons_stops_nobody(start, tmp_path, store, request):
    write_keys(tmp_path, FIRST)
    text = collector(tmp_path) if store == "sqlite" else in_postgres(tmp_path, request.getfixturevalue("database"))
    weir = start(text=text)
    status, body, _ = post(weir.endpoint, persons(*(f"p{number}" for number in range(10_050))))
    assert status == 413 and b"found more than 10000 persons" in body
    assert post(weir.endpoint, persons("maria"))[0] == 200
    assert weir.get("/healthz")[2] == "ok\n"
    weir.stop()
    # What a request is refused for that is within the limit is stored all the same, and it passes when it comes again.
    text = text.replace("subjects: [user.id]", "subjects: [user.id], max_persons: 1000000")
    text = text.replace("{ key_encryption_keys:", "{ max_new_keys: 1000, key_encryption_keys:")
    weir = start(text=text)
    many = persons(*(f"q{number}" for number in range(1_200)))
    status, body, headers = post(weir.endpoint, many)
    assert status == 503 and int(headers["Retry-After"]) > 0 and b"max_new_keys" in body
    assert post(weir.endpoint, persons("bob", "carl"))[0] in (200, 503)
    eventually(lambda: post(weir.endpoint, persons("bob", "carl"))[0] == 200, "persons have no keys", 30)
    assert post(weir.endpoint, otlp.a_request(secret_span()))[0] == 200
    eventually(lambda: post(weir.endpoint, many)[0] == 200, "the request never passes", 60)
    eventually(lambda: weir.get("/healthz")[2] == "ok\n", lambda: weir.get("/healthz")[2])
    assert weir.metric("weir_keystore_ready") == 1


@pytest.mark.parametrize("form", ["base64", "hex"])
def test_a_key_where_its_place_is_named_is_shown_nowhere(tmp_path, form):
    key = base64.b64encode(SECOND).decode() if form == "base64" else SECOND.hex()
    config = tmp_path / "collector.yaml"
    sources = [
        'env: "${env:WEIR_KEK}"', 'file: "${env:WEIR_KEK}"', 'command: ["${env:WEIR_KEK}"]',
        'command: [/bin/echo, "${env:WEIR_KEK}"]', 'command: [sh, -c, "echo ${env:WEIR_KEK}"]',
    ]
    for source in sources:
        config.write_text(collector(tmp_path, source=source))
        for words in (["check"], ["print-config"], ["run"], ["keys", "list"], ["keys", "verify"], ["keys", "add"]):
            done = command(*words, "--config", str(config), env={"WEIR_KEK": key}, cwd=tmp_path)
            assert done.returncode != 0, (source, words)
            assert key not in done.stdout + done.stderr, (source, words)
        assert "key_encryption_keys" in command("check", "--config", str(config), env={"WEIR_KEK": key}).stderr


def test_a_client_is_not_told_where_keys_are(start, tmp_path):
    weir = start(text=collector(tmp_path))
    status, body, _ = post(weir.endpoint, request_of(secret_span()))
    assert status == 503 and b"no key encryption key" in body and str(tmp_path).encode() not in body
    assert f"{tmp_path}/kek" in weir.get("/healthz")[2] and f"{tmp_path}/kek" in weir.log()


def test_a_command_that_crashes_leaves_nothing_of_keys(start, tmp_path):
    write_keys(tmp_path, FIRST)
    weir = start(directory=tmp_path, text=collector(tmp_path, format="otlp_json"))
    assert post(weir.endpoint, request_of(secret_span()))[0] == 200
    weir.stop()
    stored = "\n".join(lines(tmp_path / "archive"))

    def unlimited():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    crash = tmp_path / "crash"
    crash.mkdir()
    process = subprocess.Popen(
        [BINARY, "decrypt", "--config", weir.config, "--reason", "proof"], cwd=crash, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=unlimited,
        env={**os.environ, "SWIFT_BACKTRACE": "enable=no"})
    # It prints by the hundred, and waits for more.
    process.stdin.write("".join(f"{line}\n" for line in (stored.splitlines() * 100)[:100]).encode())
    process.stdin.flush()
    assert SECRET.encode() in os.read(process.stdout.fileno(), 1 << 16)
    limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text().splitlines()
    assert [line.split()[4:6] for line in limits if line.startswith("Max core file size")] == [["1", "1"]]
    process.send_signal(signal.SIGABRT)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGABRT
    assert not [path for path in crash.rglob("*") if path.is_file()]


class Parrot(BaseHTTPRequestHandler):
    """Refuses, and says what it was sent."""

    def do_POST(self):
        body = b"bad: " + self.rfile.read(int(self.headers["content-length"]))
        self.send_response(400)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def parrot():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("reveal", [True, False], ids=["reveal", "sealed journal"])
def test_what_a_destination_repeats_is_in_clear_nowhere(start, tmp_path, parrot, reveal):
    write_keys(tmp_path, FIRST)
    text = collector(tmp_path) if reveal else collector(tmp_path, 'fields: ["other"]')
    revealed = 'reveal: ["app.*"], ' if reveal else ""
    text = text.replace("  archive: {", f"""\
  otlp_http: {{ endpoint: "{parrot}", compression: none, {revealed}timeout: 5s }}
  archive: {{""", 1)
    start_of_list = text.index("exporters: [archive")
    text = text[:start_of_list] + "exporters: [otlp_http]" + text[text.index("]", start_of_list) + 1:]
    if not reveal:
        at = text.index("journal: {") + len("journal: {")
        text = text[:at] + " encryption: keystore," + text[at:]
    weir = start(text=text)
    assert post(weir.endpoint, request_of(secret_span()))[0] == 200
    eventually(lambda: "put spans into the dead letters" in weir.log(), weir.log)
    assert "the destination answered 400: " in weir.log() and " bytes" in weir.log()
    letters = [path for path in pathlib.Path(weir.directory).rglob("letters.jsonl")]
    assert letters and json.loads(letters[0].read_text().splitlines()[0])["reason"].endswith(" bytes")
    assert SECRET not in weir.get("/metrics")[2] + weir.get("/healthz")[2]
    weir.stop()
    check_files(tmp_path)
    check_files(weir.directory)


def test_who_is_named_on_the_resource_or_an_event_has_keys_of_his_own(start, tmp_path):
    write_keys(tmp_path, FIRST)
    text = collector(
        tmp_path, 'fields: ["app.*"], content: true, status_message: true, subjects: [enduser.id, user.id]',
        format="otlp_json")
    weir = start(directory=tmp_path, text=text)
    of_resource = request_of(secret_span())
    of_resource.resource_spans[0].resource.attributes.append(pair("user.id", "maria"))
    on_event = secret_span()
    on_event.events[0].attributes.append(pair("user.id", "maria"))
    other_name = secret_span()
    other_name.attributes.append(pair("enduser.id", "maria"))
    for message in (of_resource, request_of(on_event), request_of(other_name), request_of(secret_span(user="bob"))):
        assert post(weir.endpoint, message)[0] == 200
    weir.stop()
    copy = "\n".join(lines(tmp_path / "archive")) + "\n"
    config = ["--config", str(weir.config)]

    def readable():
        done = command("decrypt", *config, "--reason", "proof", text=copy, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        found = [group for line in done.stdout.splitlines() for group in json.loads(line)["resourceSpans"]]
        return [SECRET in json.dumps(group["scopeSpans"][0]["spans"]) for group in found]

    assert readable() == [True] * 4
    done = command(
        "keys", "destroy", *config, "--tenant", "default", "--subject", "user.id=maria", "--yes", cwd=tmp_path)
    assert done.returncode == 0 and "2 data keys are destroyed" in done.stdout, done.stdout + done.stderr
    assert sorted(readable()) == [False] * 3 + [True]
    with sqlite3.connect(tmp_path / "keys/keys.db") as store:
        assert store.execute("SELECT count(*) FROM data_keys WHERE destroyed_at IS NOT NULL").fetchone() == (2,)
    store.close()
