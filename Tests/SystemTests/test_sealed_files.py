"""Files of archives that are sealed as a whole: nothing of them is in clear anywhere, and all commands read them."""

import gzip
import io
import json
import pathlib
import re
import signal
import sqlite3
import time

import pyarrow.parquet
import pytest
from cryptography.exceptions import InvalidTag

import archives
import otlp
import wire
from buckets import BUCKET, PREFIX, StrictStore
from decryptor import Decryptor, Unreadable
from keys import new_key
from test_encryption import FIRST, SECOND, SECRET, check_files, check_no_key, pair, post, write_keys
from test_reload import Reloading
from test_restore import rows
from waiting import eventually
from weir import archive, command, configuration, forward
from weir import sqlite as tables_in

FORMATS = ["otlp_json", "otlp_proto", "parquet"]
DAY = 86_400 * 10**9
PERSON = "ida-0815"


def collector(directory, format, compression="zstd", further=None, **keys):
    """The text of a configuration in which journal and archive are sealed."""
    sealed = archive(directory / "archive", format, compression, encryption="keystore", **keys)
    text = configuration(
        exporters={"archive": sealed, **(further or {})},
        journal={"directory": str(directory / "journal"), "encryption": "keystore"})
    return text.replace("exporters:\n", f"""\
extensions:
  keystore: {{ key_encryption_keys: {{ file: {directory}/kek }}, path: {directory}/keys/keys.db }}
exporters:
""", 1)


def secret_span(**fields):
    """One that is in clear in all of its parts."""
    user = fields.pop("user", None)
    span = otlp.a_span(**fields)
    span.attributes.append(pair("app.text", SECRET))
    span.attributes.append(pair("gen_ai.operation.name", "chat"))
    span.attributes.append(pair("gen_ai.request.model", SECRET))
    if user:
        span.attributes.append(pair("user.id", user))
    span.events.add(name=SECRET).attributes.append(pair("app.text", SECRET))
    span.status.message = SECRET
    return span


def sealed_files(directory):
    found = pathlib.Path(directory, "archive").rglob("*.sealed")
    assert not archives.published(directory / "archive"), "a file that is not sealed"
    return sorted(path for path in found if ".open" not in path.parts)


def plain(path, decryptor):
    """What is in a file, without its compression."""
    content, tenant = decryptor.open_file(path.read_bytes())
    assert f"tenant={tenant}" in path.parts
    name = path.name.removesuffix(".sealed")
    if name.endswith(".gz"):
        return gzip.decompress(content)
    return archives.whole_zstd(content) if name.endswith(".zst") else content


def ids(path, decryptor):
    """The ids of a file's spans, read by somebody else."""
    content = plain(path, decryptor)
    if ".parquet" in path.name:
        return pyarrow.parquet.read_table(io.BytesIO(content), columns=["span_id"])["span_id"].to_pylist()
    if ".jsonl" in path.name:
        messages = [archives.from_json(json.loads(line)) for line in content.splitlines()]
    else:
        messages = [archives.TracesData.FromString(message) for message in archives.framed(content)]
    return [found.span.span_id.hex() for message in messages for found in archives.flat(message)]


def printed(output):
    return sorted(re.findall(r'"spanId":"([0-9a-f]{16})"', output))


def archive_command(directory, *arguments, expected=0):
    done = command("archive", *arguments, "--config", str(directory / "collector.yaml"), cwd=directory, deadline=60)
    assert done.returncode == expected, done.stdout + done.stderr
    return done


def check(directory):
    """No byte of what was sent, and none of a key, in any file."""
    check_files(directory)
    check_no_key(directory, FIRST, SECOND)


STAGE = "tail_sampling: { decision_wait: 1s, policies: [ { name: all, type: always_sample } ] }"


def sealed_journal(directory, staged, **keys):
    """The text of a configuration in which the journal is sealed, and that can be reloaded."""
    text = configuration(
        exporters={"otlp_http": keys}, journal={"directory": str(directory / "journal"), "encryption": "keystore"})
    processors = f"processors:\n  {STAGE}\n" if staged else ""
    text = text.replace("exporters:\n", f"""\
extensions:
  keystore: {{ key_encryption_keys: {{ file: {directory}/kek }}, path: {directory}/keys/keys.db }}
{processors}exporters:
""", 1)
    if staged:
        text = text.replace("      receivers: [otlp]\n", "      receivers: [otlp]\n      processors: [tail_sampling]\n")
    return text.replace("service:\n", "service:\n  operations: { endpoint: 127.0.0.1:0 }\n", 1)


@pytest.mark.parametrize("staged", [False, True])
def test_a_key_that_is_away_keeps_nobody_from_ending(start, backend, tmp_path, staged):
    write_keys(tmp_path, FIRST)
    backend.stop()
    text = sealed_journal(tmp_path, staged, **forward(backend.url))
    weir = start(text=text)
    spans = [otlp.a_span() for _ in range(5)]
    for span in spans:
        assert post(weir.endpoint, otlp.a_request(span))[0] == 200
    # Behind a stage they are in the second journal by then.
    eventually(lambda: weir.metric("otelcol_exporter_queue_size") == len(spans), weir.log)
    weir.kill()
    (tmp_path / "kek").rename(tmp_path / "kek.away")

    weir = start(text=text)
    eventually(lambda: "cannot read a record" in weir.log(), weir.log)
    changed = text.replace('timeout: "1s"', 'timeout: "2s"')
    assert changed != text and Reloading(weir).reload(changed)[0] == 200
    # Waiting for the key took all of shutdown_timeout, a minute, and ended with exit code 1.
    weir.stop()
    (tmp_path / "kek.away").rename(tmp_path / "kek")

    backend.start()
    all_come_once(start(text=text), backend, spans)


def all_come_once(weir, backend, spans):
    backend.gets({span.span_id for span in spans}, weir.log)
    weir.drain()
    weir.stop()
    assert set(backend.taken.values()) == {1}


def test_what_is_sealed_stays_where_no_keystore_is_configured(start, backend, tmp_path):
    write_keys(tmp_path, FIRST)
    backend.stop()
    text = sealed_journal(tmp_path, False, **forward(backend.url))
    weir = start(text=text)
    span = otlp.a_span()
    assert post(weir.endpoint, otlp.a_request(span))[0] == 200
    weir.stop()
    backend.start()
    plain = configuration(
        exporters={"otlp_http": forward(backend.url)}, journal={"directory": str(tmp_path / "journal")})
    weir = start(text=plain)
    eventually(lambda: "no keystore is configured: they stay" in weir.get("/healthz")[2], weir.log)
    weir.stop()
    assert not backend.taken
    weir = start(text=text)
    backend.gets({span.span_id}, weir.log)
    weir.stop()


# Each record is a batch.
ONE_BY_ONE = {"sending_queue": {"batch": {"flush_timeout": "10ms", "max_spans": 1}}}


def test_what_is_sealed_by_a_key_that_is_away_stays_though_what_follows_is_delivered(start, backend, tmp_path):
    tokens, entries = {}, []
    for tenant in ("shop", "bank"):
        tokens[tenant], entry = new_key(tenant, "ingest")
        entries.append(entry)
    (tmp_path / "keys.yaml").write_text("keys:\n" + "".join(entries))
    text = sealed_journal(tmp_path, False, **forward(backend.url, **ONE_BY_ONE))
    text = text.replace("extensions:\n", f"extensions:\n  api_keys: {{ file: {tmp_path}/keys.yaml }}\n", 1)
    listens = "        endpoint: 127.0.0.1:0\n"
    text = text.replace(listens, f"{listens}        auth: {{ authenticator: api_keys }}\n", 1)
    backend.stop()
    spans = []
    # New data keys are wrapped with the first of them.
    for tenant, keys in (("bank", (SECOND, FIRST)), ("shop", (FIRST, SECOND)), ("bank", (SECOND, FIRST))):
        write_keys(tmp_path, *keys)
        weir = start(text=text)
        spans.append(otlp.a_span())
        answer = wire.post(weir.endpoint, otlp.a_body(spans[-1]), headers=[("X-API-Key", tokens[tenant])])
        assert answer.status == 200
        weir.kill()
    backend.start()
    write_keys(tmp_path, SECOND)
    weir = start(text=text)
    backend.gets({spans[0].span_id}, weir.log)
    eventually(lambda: "cannot read a record" in weir.log(), weir.log)
    assert "of tenant shop waits for data key" in weir.get("/healthz")[2]
    eventually(lambda: weir.metric("weir_exporter_retrying") > 0, weir.log)
    # At the end nobody waits for the key any more, so what is behind it has its turn.
    weir.stop()
    assert spans[1].span_id not in backend.taken
    write_keys(tmp_path, SECOND, FIRST)
    all_come_once(start(text=text), backend, spans)


def test_what_is_sealed_between_what_is_not_stays_where_no_keystore_is_configured(start, backend, tmp_path):
    write_keys(tmp_path, FIRST)
    backend.stop()
    keys = forward(backend.url, **ONE_BY_ONE)
    sealed = sealed_journal(tmp_path, False, **keys)
    plain = configuration(exporters={"otlp_http": keys}, journal={"directory": str(tmp_path / "journal")})
    spans = [otlp.a_span() for _ in range(3)]
    for span, text in zip(spans, (plain, sealed, plain), strict=True):
        weir = start(text=text)
        assert post(weir.endpoint, otlp.a_request(span))[0] == 200
        weir.kill()
    backend.start()
    weir = start(text=plain)
    backend.gets({spans[0].span_id, spans[2].span_id}, weir.log)
    assert "no keystore is configured: they stay" in weir.get("/healthz")[2]
    weir.stop()
    all_come_once(start(text=sealed), backend, spans)


@pytest.mark.parametrize("compression", ["zstd", "gzip", "none"])
@pytest.mark.parametrize("format", FORMATS)
def test_nothing_is_in_clear_and_everything_can_be_read(start, tmp_path, format, compression):
    write_keys(tmp_path, FIRST)
    weir = start(directory=tmp_path, text=collector(tmp_path, format, compression, max_file_age="1h"))
    spans = [secret_span() for _ in range(20)]
    # Enough for several chunks.
    noise = otlp.a_span()
    text = "".join(f"{value * 2654435761 % (1 << 32):08x}" for value in range(40_000))
    noise.attributes.append(pair("app.noise", text))
    spans.append(noise)
    for span in spans:
        assert post(weir.endpoint, otlp.a_request(span))[0] == 200
    if format != "parquet":  # whose rows wait in memory
        eventually(lambda: list((tmp_path / "archive/.open").rglob("*.open")), weir.log)
    eventually(lambda: weir.metric("weir_archive_spans_written") == len(spans), weir.log)
    # While it is collected as well.
    check(tmp_path)
    weir.stop()
    check(tmp_path)
    wanted = sorted(span.span_id.hex() for span in spans)

    decryptor = Decryptor(tmp_path / "keys/keys.db", FIRST)
    files = sealed_files(tmp_path)
    with_spans = [path for path in files if not archives.FURTHER & set(path.parts)]
    assert sorted(one for path in with_spans for one in ids(path, decryptor)) == wanted
    assert SECRET.encode() in b"".join(plain(path, decryptor) for path in files) or format == "parquet"
    with pytest.raises(Unreadable):
        Decryptor(tmp_path / "keys/keys.db", SECOND).open_file(files[0].read_bytes())
    content = files[0].read_bytes()
    for changed in (content[:-1], content + b"x", content[:200] + bytes([content[200] ^ 1]) + content[201:]):
        with pytest.raises(InvalidTag):
            decryptor.open_file(changed)

    archive_command(tmp_path, "verify")
    [manifest] = [json.loads(line) for line in archive_command(tmp_path, "ls", "--json").stdout.splitlines()][:1]
    [key] = manifest["encryption"]["key_ids"]
    assert content[8:16].hex() == key
    assert printed(archive_command(tmp_path, "cat").stdout) == wanted
    assert printed(archive_command(tmp_path, "cat", str(with_spans[0])).stdout) == sorted(ids(with_spans[0], decryptor))
    audit = sqlite3.connect(tmp_path / "keys/keys.db").execute("SELECT action, detail FROM key_audit").fetchall()
    assert ("archive cat", str(with_spans[0])) in audit and SECRET not in str(audit)
    # What is not Weir's does not open it.
    with pytest.raises(pyarrow.ArrowInvalid):
        pyarrow.parquet.read_table(io.BytesIO(content))

    # Without the keystore the commands say so.
    bare = tmp_path / "bare"
    bare.mkdir()
    done = command("archive", "cat", "--directory", str(tmp_path / "archive"), cwd=bare)
    assert done.returncode != 0 and key in done.stderr and not done.stdout, done.stderr

    # A destroyed key is a destroyed file, with the reason, and nothing else comes to harm.
    done = command("keys", "destroy", "--key", key, "--yes", "--config", str(tmp_path / "collector.yaml"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = archive_command(tmp_path, "cat", expected=1)
    assert "key destroyed" in done.stderr and not done.stdout
    assert "key destroyed" in archive_command(tmp_path, "cat", str(with_spans[0]), expected=1).stderr
    archive_command(tmp_path, "verify")
    archive_command(tmp_path, "stat")
    with pytest.raises(Unreadable, match="key destroyed"):
        decryptor.open_file(content)


@pytest.mark.parametrize("format", FORMATS)
def test_days_are_merged_erased_and_brought_back(start, tmp_path, format, backend):
    write_keys(tmp_path, FIRST)
    text = collector(tmp_path, format, further={"otlp_http": forward(backend.url)})
    midnight = (time.time_ns() // DAY - 2) * DAY
    people, others = [], []
    for _ in range(2):
        weir = start(directory=tmp_path, text=text)
        for hour in range(3):
            when = midnight + hour * 3_600 * 10**9
            for user, group in ((PERSON, people), ("bob", others)):
                span = secret_span(user=user, start_time_unix_nano=when, end_time_unix_nano=when + 5)
                group.append(span)
                assert post(weir.endpoint, otlp.a_request(span))[0] == 200
        weir.drain()
        weir.stop()
    check(tmp_path)
    done = archive_command(tmp_path, "compact")
    assert "with 12 spans" in done.stdout, done.stdout
    check(tmp_path)
    archive_command(tmp_path, "verify")
    decryptor = Decryptor(tmp_path / "keys/keys.db", FIRST)
    found = [one for path in sealed_files(tmp_path) if not archives.FURTHER & set(path.parts) for one in ids(path, decryptor)]
    assert sorted(found) == sorted(span.span_id.hex() for span in people + others)

    done = command("erase", "--tenant", "default", "--subject", f"user.id={PERSON}", "--config",
                   str(tmp_path / "collector.yaml"), cwd=tmp_path, deadline=60)
    # The journal's segments may still be there.
    assert done.returncode in (0, 3) and "6 spans" in done.stdout, done.stdout + done.stderr
    check(tmp_path)
    archive_command(tmp_path, "verify")
    left = sorted(span.span_id.hex() for span in others)
    found = [one for path in sealed_files(tmp_path) if not archives.FURTHER & set(path.parts) for one in ids(path, decryptor)]
    assert sorted(found) == left
    for path in sealed_files(tmp_path):
        assert PERSON.encode() not in plain(path, decryptor)
    assert printed(archive_command(tmp_path, "cat").stdout) == left

    # Into hot tables, and to a destination.
    more = collector(tmp_path, format, further={
        "otlp_http": forward(backend.url), "sqlite": tables_in(tmp_path / "hot")})
    (tmp_path / "collector.yaml").write_text(more)
    restore = ["restore", "--tenant", "default", "--from", "2020-01-01", "--to", "2100-01-01"]
    assert "6 spans restored" in archive_command(tmp_path, *restore).stdout
    assert len(rows(tmp_path)) == 6
    if format != "parquet":
        before = len(backend.taken)
        done = archive_command(tmp_path, "replay", "--last", "4", "--to", "otlp_http")
        assert "4 spans sent" in done.stdout and len(backend.taken) > before - 1, done.stdout
    with sqlite3.connect(tmp_path / "keys/keys.db") as store:
        opened = store.execute("SELECT action, detail FROM key_audit WHERE action LIKE 'archive %'").fetchall()
    for action in ["archive cat", "archive restore"] + ["archive replay"] * (format != "parquet"):
        assert any(action == found and ".sealed" in detail for found, detail in opened), (action, opened)

    # What cannot be read any more is left out, by name.
    key = sealed_files(tmp_path)[0].read_bytes()[8:16].hex()
    done = command("keys", "destroy", "--key", key, "--yes", "--config", str(tmp_path / "collector.yaml"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = archive_command(tmp_path, *restore, expected=1)
    assert "key destroyed" in done.stderr and "0 spans restored" in done.stdout
    archive_command(tmp_path, "compact")


@pytest.mark.parametrize("format", FORMATS)
def test_every_span_is_there_once_whenever_it_is_killed(start, tmp_path, format, dice):
    write_keys(tmp_path, FIRST)
    text = collector(tmp_path, format)
    wanted = []
    for _ in range(6):
        weir = start(directory=tmp_path, text=text)
        for _ in range(dice.randrange(1, 40)):
            span = secret_span()
            assert post(weir.endpoint, otlp.a_request(span))[0] == 200
            wanted.append(span.span_id.hex())
        if dice.random() < 0.5:
            eventually(lambda: weir.metric("weir_archive_files_published") > 0, weir.log)
        weir.process.send_signal(signal.SIGKILL)
        weir.wait()
        check(tmp_path)
    weir = start(directory=tmp_path, text=text)
    weir.drain()
    weir.stop()
    check(tmp_path)
    decryptor = Decryptor(tmp_path / "keys/keys.db", FIRST)
    found = [one for path in sealed_files(tmp_path) if not archives.FURTHER & set(path.parts) for one in ids(path, decryptor)]
    assert sorted(found) == sorted(wanted)
    archive_command(tmp_path, "verify")


def test_what_was_sealed_is_read_on_when_encryption_is_switched_off(start, tmp_path):
    write_keys(tmp_path, FIRST)
    text = collector(tmp_path, "otlp_json")
    wanted = []
    for one in (text, text.replace('encryption: "keystore" }\n', '}\n').replace(', encryption: "keystore"', "")):
        weir = start(directory=tmp_path, text=one)
        span = secret_span()
        wanted.append(span.span_id.hex())
        assert post(weir.endpoint, otlp.a_request(span))[0] == 200
        weir.drain()
        weir.stop()
    names = [path.name for path in (tmp_path / "archive").rglob("2*") if path.is_file()]
    assert sorted(name.endswith(".sealed") for name in names) == [False, True]
    assert printed(archive_command(tmp_path, "cat").stdout) == sorted(wanted)
    archive_command(tmp_path, "verify")


def test_letters_parked_records_and_quarantine_hold_nothing_in_clear(start, tmp_path, backend):
    """Their bytes come from sealed records, so they are sealed with the journal, and need no second layer."""
    write_keys(tmp_path, FIRST)
    text = collector(tmp_path, "otlp_proto", further={"otlp_http": forward(backend.url)})
    weir = start(directory=tmp_path, text=text)
    backend.mood = lambda spans: 400
    people = [secret_span(user=PERSON), secret_span(user="bob")]
    for span in people:
        assert post(weir.endpoint, otlp.a_request(span))[0] == 200
    letters = tmp_path / "journal"
    eventually(lambda: [path for path in letters.rglob("letters.jsonl") if path.read_text().count("\n") == 2], weir.log)
    weir.stop()
    check(tmp_path)

    # Bytes that stand in no record are put aside when the journal is opened.
    backend.mood = lambda spans: 503
    weir = start(directory=tmp_path, text=text)
    for _ in range(3):
        assert post(weir.endpoint, otlp.a_request(secret_span()))[0] == 200
    weir.kill()
    segment = max((tmp_path / "journal").rglob("*.seg"), key=lambda path: path.stat().st_mtime_ns)
    content = bytearray(segment.read_bytes())
    places = [found.start() for found in re.finditer(b"\xe7\x01\x00", bytes(content))]
    assert len(places) >= 2
    content[places[-2] + 60] ^= 1
    segment.write_bytes(content)
    weir = start(directory=tmp_path, text=text)
    weir.kill()
    assert [path for path in (tmp_path / "journal").rglob("quarantine-*")], sorted((tmp_path / "journal").rglob("*"))
    check(tmp_path)

    # An erasure finds a person in sealed letters.
    done = command("erase", "--tenant", "default", "--subject", f"user.id={PERSON}", "--config",
                   str(tmp_path / "collector.yaml"), cwd=tmp_path, deadline=60)
    assert "letters: 1 spans" in done.stdout, done.stdout + done.stderr
    check(tmp_path)
    backend.mood = lambda spans: "ok"
    done = command("replay", "--config", str(tmp_path / "collector.yaml"), "--exporter", "otlp_http", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert people[1].span_id in backend.taken and people[0].span_id not in backend.taken


@pytest.mark.parametrize("format", FORMATS)
def test_a_bucket_gets_nothing_in_clear_and_gives_it_back(start, tmp_path, format):
    write_keys(tmp_path, FIRST)
    store, root = StrictStore(), tmp_path / "archive"
    keys = {"object_storage": store.keys(remove_local_after="0s")}
    weir = start(directory=tmp_path, text=collector(tmp_path, format, **keys))
    now = time.time_ns()
    spans = [secret_span(user=user, start_time_unix_nano=now, end_time_unix_nano=now + 1) for user in ("bob", PERSON)]
    for span in spans:
        assert post(weir.endpoint, otlp.a_request(span))[0] == 200

    def sealed():
        return {name: content for name, content in list(store.objects.items()) if name.endswith(".sealed")}

    def is_away():
        waiting = [path for path in (root / ".upload").glob("*.manifest.json")]
        return sealed() and not waiting and not [path for path in root.rglob("*.sealed")]

    weir.drain()
    eventually(is_away, weir.log, 60)
    assert not [name for name, content in store.objects.items() if SECRET.encode() in content]
    decryptor = Decryptor(tmp_path / "keys/keys.db", FIRST)
    for content in sealed().values():
        decryptor.open_file(content)
    there = ["--directory", f"s3://{BUCKET}/{PREFIX}"]
    archive_command(tmp_path, "verify", *there)
    assert printed(archive_command(tmp_path, "cat", *there).stdout) == sorted(span.span_id.hex() for span in spans)

    done = command("erase", "--tenant", "default", "--subject", f"user.id={PERSON}", "--config",
                   str(tmp_path / "collector.yaml"), cwd=tmp_path, deadline=60)
    assert done.returncode in (0, 3) and "1 spans" in done.stdout, done.stdout + done.stderr

    def complete():
        apply = ("erase", "apply", "--config", str(tmp_path / "collector.yaml"))
        return command(*apply, cwd=tmp_path, deadline=60).returncode == 0

    eventually(complete, weir.log, 60)
    eventually(is_away, weir.log, 60)
    assert not [name for name, content in store.objects.items() if SECRET.encode() in content]
    assert printed(archive_command(tmp_path, "cat", *there).stdout) == [spans[0].span_id.hex()]
    weir.stop()
    check(tmp_path)

    further = {"sqlite": tables_in(tmp_path / "hot")}
    (tmp_path / "collector.yaml").write_text(collector(tmp_path, format, further=further, **keys))
    restore = ["restore", "--tenant", "default", "--from", "2020-01-01", "--to", "2100-01-01"]
    assert "1 span restored" in archive_command(tmp_path, *restore, *there).stdout
    store.close()
    assert not store.wrong, store.wrong
