"""Erasing a person: no byte of what the person sent is left in anything that Weir wrote, whatever is killed on the way."""

import base64
import contextlib
import json
import pathlib
import random
import sqlite3
import subprocess
import time

import pytest

import archives
import otlp
from waiting import eventually
from weir import BINARY, archive, command, configuration
from weir import sqlite as tables_in

PERSON = "maria-4711"
SECRET = "the-plan-of-maria"


def collector(directory, processors=""):
    """The text of a configuration with hot tables and archives of every format."""
    text = configuration(exporters={
        "sqlite": tables_in(directory / "hot"),
        "archive/json": archive(directory / "json", format="otlp_json", compression="none", max_file_age="10m"),
        "archive/proto": archive(directory / "proto", format="otlp_proto", compression="zstd", max_file_age="1s"),
        "archive/parquet": archive(directory / "parquet", format="parquet", compression="none", max_file_age="10m"),
    }, journal={"directory": str(directory / "journal"), "max_bytes": "16MiB", "dedupe_window": "0s"})
    if processors:
        text = text.replace("exporters:\n", f"processors:\n  {processors}: {{ key_file: {directory}/redaction.key }}\nexporters:\n", 1)
        text = text.replace("      receivers: [otlp]\n", f"      receivers: [otlp]\n      processors: [{processors}]\n")
    return text


def a_span(user=None, trace=None, **attributes):
    now = time.time_ns()
    fields = {"trace_id": trace} if trace else {}
    span = otlp.a_span(start_time_unix_nano=now, end_time_unix_nano=now + 1000, **fields)
    if user:
        span.attributes.append(otlp.attribute("user.id", user))
    for key, value in attributes.items():
        span.attributes.append(otlp.attribute(key.replace("_", "."), value))
    return span


def the_persons_spans():
    """A call, what belongs to its trace and names nobody, and what belongs to its trace and is somebody else's."""
    call = a_span(PERSON, app_text=SECRET, gen_ai_operation_name="chat", gen_ai_request_model="gpt-4.1",
                  gen_ai_usage_input_tokens=7)
    same = a_span(trace=call.trace_id, app_text=SECRET)
    other = a_span("bob", trace=call.trace_id, app_text="kept")
    return [call, same, other]


def send(weir, post, *spans):
    status, _, _ = post(weir.endpoint, otlp.a_request(*spans))
    assert status == 200


def forms(text):
    """The text as it may stand in a file, with base64 at each of its three places."""
    found = [text.encode(), text.encode().hex().encode()]
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + text.encode())
        found.append(coded[4 if offset else 0:-4])
    return found


def files_with(directory, *texts):
    """Every file below that has one of the texts, in clear or where zstd may hide it."""
    found = []
    for path in pathlib.Path(directory).rglob("*"):
        if not path.is_file() or path.name in ("collector.yaml",):
            continue
        content = path.read_bytes()
        if path.suffix == ".zst":
            content += archives.content(path)
        if any(form in content for text in texts for form in forms(text)):
            found.append(path)
    return found


def stored(directory):
    """Spans in the hot tables, as far as they are made and nobody has them locked."""
    count = 0
    for path in (directory / "hot").glob("spans-*.db"):
        with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(
                sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as tables:
            count += tables.execute("SELECT count(*) FROM spans").fetchone()[0]
    return count


def await_stored(directory, count):
    eventually(lambda: stored(directory) == count, lambda: f"{stored(directory)} stored", 30)


def erase(directory, *arguments, expected=0):
    """Erases the person, and goes on as long as something is left."""
    config = ["--config", str(directory / "collector.yaml")]
    done = command("erase", "subject", *config, "--tenant", "default", "--subject", f"user.id={PERSON}", *arguments,
                   cwd=directory, deadline=60)
    said = [done]

    def is_done():
        if said[-1].returncode == 3:
            said.append(command("erase", "apply", *config, cwd=directory, deadline=60))
        return said[-1].returncode != 3

    eventually(is_done, lambda: said[-1].stdout, 60)
    assert said[-1].returncode == expected, said[-1].stdout + said[-1].stderr
    return said[-1].stdout


@pytest.fixture
def post():
    from test_encryption import post
    return post


@pytest.mark.parametrize("processors", ["", "redaction"])
def test_no_byte_of_a_person_is_left_while_weir_runs(start, tmp_path, post, processors):
    weir = start(directory=tmp_path, text=collector(tmp_path, processors))
    for _ in range(3):
        send(weir, post, *the_persons_spans(), a_span("eve"))
    await_stored(tmp_path, 12)
    assert files_with(tmp_path / "hot", SECRET) and files_with(tmp_path / "journal", SECRET)
    said = erase(tmp_path, "--reason", "request 1")
    assert "complete\n" in said, said
    assert files_with(tmp_path, PERSON, SECRET) == []
    # What comes later is not stored.
    send(weir, post, *the_persons_spans())
    send(weir, post, a_span("eve"))
    await_stored(tmp_path, 8)
    assert weir.metric("weir_erasure_dropped_spans", tenant="default") >= 2
    weir.stop()
    assert files_with(tmp_path, PERSON, SECRET) == []
    for kind in ("json", "proto", "parquet"):
        done = command("archive", "verify", "--directory", str(tmp_path / kind))
        assert done.returncode == 0, done.stdout
    # Three of bob's and three of eve's, then one of each.
    assert len(archives.spans(tmp_path / "proto")) == 8
    status = command("erase", "status", "--config", str(tmp_path / "collector.yaml"), "--format", "json", cwd=tmp_path)
    entries = [json.loads(line) for line in status.stdout.splitlines()]
    assert [entry["kind"] for entry in entries][0] == "request" and entries[-1]["kind"] == "complete"
    assert PERSON not in status.stdout


def test_an_erasure_that_finds_nothing_says_so(start, tmp_path, post):
    weir = start(directory=tmp_path, text=collector(tmp_path, ""))
    send(weir, post, a_span("eve"))
    await_stored(tmp_path, 1)
    done = command("erase", "--config", str(tmp_path / "collector.yaml"), "--tenant", "default", "--subject", "usr.id=bob",
                   cwd=tmp_path, deadline=60)
    assert "nothing was found" in done.stdout


@pytest.mark.parametrize("keys, name", [
    ("keys: [{ key: user.id, action: hash }]", "maria-of-the-north"),
    ("keys: [{ key: user.*, action: scan }], detectors: { email: hash }", "Maria@Example.com"),
    ("keys: [{ key: user.*, action: scan }], rules: [{ name: badge, pattern: 'M-[0-9]+', action: hash }]", "M-4711"),
])
def test_whatever_token_redaction_makes_of_a_name_is_found(start, tmp_path, post, keys, name):
    text = collector(tmp_path, "redaction").replace("redaction.key }", f"redaction.key, {keys} }}")
    weir = start(directory=tmp_path, text=text)
    send(weir, post, a_span(name), a_span("eve"))
    await_stored(tmp_path, 2)
    assert files_with(tmp_path / "hot", name) == [] and files_with(tmp_path / "hot", "tok_")
    config = ["--config", str(tmp_path / "collector.yaml")]
    done = command("erase", *config, "--tenant", "default", "--subject", f"user.id={name}", cwd=tmp_path, deadline=60)
    assert "sqlite: 1 spans" in done.stdout, done
    assert stored(tmp_path) == 1
    again = command("erase", "apply", "--all", *config, cwd=tmp_path, deadline=60)
    assert "sqlite: 0 spans" in again.stdout and "nothing was found" not in again.stdout, again


@pytest.mark.parametrize("damage", ["cut", "missing"])
def test_a_file_of_which_no_manifest_tells_is_left_and_named(start, tmp_path, post, damage):
    weir = start(directory=tmp_path, text=collector(tmp_path))
    send(weir, post, *the_persons_spans())
    await_stored(tmp_path, 3)
    [manifest] = eventually(lambda: list((tmp_path / "proto").rglob("_*.manifest.json")), weir.log, 30)
    whole = manifest.read_bytes()
    manifest.unlink()
    if damage == "cut":
        manifest.write_bytes(whole[:100])
    config = ["--config", str(tmp_path / "collector.yaml")]
    person = ["--tenant", "default", "--subject", f"user.id={PERSON}"]
    done = command("erase", *config, *person, cwd=tmp_path, deadline=60)
    assert done.returncode == 3 and "of which no manifest tells what it has" in done.stdout, done
    assert files_with(tmp_path / "proto", PERSON)
    manifest.write_bytes(whole)
    erase(tmp_path)
    assert files_with(tmp_path, PERSON, SECRET) == []


def test_an_erasure_that_is_killed_goes_on(start, tmp_path, post):
    weir = start(directory=tmp_path, text=collector(tmp_path))
    for _ in range(5):
        send(weir, post, *the_persons_spans(), a_span("eve"))
    await_stored(tmp_path, 20)
    weir.stop()
    seed = random.randrange(1 << 32)
    print("seed", seed)
    delays = random.Random(seed)
    for _ in range(12):
        process = subprocess.Popen(
            [BINARY, "erase", "subject", "--config", "collector.yaml", "--tenant", "default", "--subject",
             f"user.id={PERSON}"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(delays.uniform(0.02, 0.6))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    # The journals go on with a Weir that runs.
    weir = start(directory=tmp_path, text=collector(tmp_path))
    said = erase(tmp_path)
    assert "complete\n" in said, said
    weir.stop()
    assert files_with(tmp_path, PERSON, SECRET) == []
    for kind in ("json", "proto", "parquet"):
        done = command("archive", "verify", "--directory", str(tmp_path / kind))
        assert done.returncode == 0, done.stdout
    assert len(archives.spans(tmp_path / "proto")) == 10


def test_a_hold_keeps_a_person(start, tmp_path, post):
    weir = start(directory=tmp_path, text=collector(tmp_path))
    send(weir, post, *the_persons_spans())
    await_stored(tmp_path, 3)
    config = ["--config", str(tmp_path / "collector.yaml")]
    held = command("hold", "add", *config, "--tenant", "default", "--subject", f"user.id={PERSON}", "--reason", "case 1")
    assert held.returncode == 0, held.stderr
    hold = held.stdout.split()[1]
    erase(tmp_path, expected=1)
    assert files_with(tmp_path / "hot", SECRET)
    # Of whom nothing was found that is said, place by place.
    nobody = command("erase", *config, "--tenant", "default", "--subject", "user.id=nobody", cwd=tmp_path, deadline=60)
    assert all(f"  {place}: 0 spans\n" in nobody.stdout for place in ("sqlite", "letters", "archive/json")), nobody
    assert hold in command("hold", "list", *config).stdout
    assert command("hold", "release", *config, hold, "--reason", "closed").returncode == 0
    erase(tmp_path)
    assert files_with(tmp_path, PERSON, SECRET) == []
