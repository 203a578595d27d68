"""What an erasure may not destroy, what it has not reached, and what comes back with a copy from before."""

import contextlib
import json
import os
import shutil
import sqlite3
import time

import pytest

import archives
from test_encryption import FIRST, SECOND, post, secret_span, write_keys
from test_encryption import request as message
from waiting import eventually
from weir import archive, command, configuration
from weir import postgres as tables_in_postgres
from weir import sqlite as tables_in


def collector(directory, tables):
    """The text of a configuration in which each user has keys of its own."""
    text = configuration(
        exporters={"archive": archive(directory / "archive"), **tables},
        journal={"directory": str(directory / "journal")})
    text = text.replace("exporters:\n", f"""\
extensions:
  keystore: {{ key_encryption_keys: {{ file: {directory}/kek }}, path: {directory}/keys/keys.db }}
processors:
  encryption: {{ fields: ["app.*"], subjects: [user.id], keystore: keystore }}
exporters:
""", 1)
    return text.replace("      receivers: [otlp]\n", "      receivers: [otlp]\n      processors: [encryption]\n")


def in_sqlite(directory):
    return collector(directory, {"sqlite": tables_in(directory / "hot")})


def a_span(name, user=None, trace=None, session=None):
    span = secret_span(user=user, **({"trace_id": trace} if trace else {}))
    span.name = name
    if session:
        attribute = span.attributes.add(key="session.id")
        attribute.value.string_value = session
    return span


def send(weir, *spans):
    assert post(weir.endpoint, message(*spans))[0] == 200


def run(directory, *arguments):
    return command(*arguments, "--config", str(directory / "collector.yaml"), cwd=directory, deadline=60)


def erase(directory, user, expected=0, text=""):
    """Erases a user; as long as something is left, or nobody can tell, again."""
    said = []

    def is_done():
        said.append(run(directory, "erase", "--tenant", "default", "--subject", f"user.id={user}"))
        return said[-1].returncode == expected and text in said[-1].stdout

    eventually(is_done, lambda: said[-1].stdout + said[-1].stderr, 60)
    return said[-1].stdout


def hold(directory, subject):
    done = run(directory, "hold", "add", "--tenant", "default", "--subject", subject, "--reason", f"case of {subject}")
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[1]


def keys(directory):
    """How many keys of persons there are, and how many were destroyed."""
    with sqlite3.connect(directory / "keys/keys.db") as store:
        return store.execute(
            "SELECT count(wrapped), count(*) - count(wrapped) FROM data_keys WHERE subject <> ''").fetchone()


def in_tables(directory, database):
    """The names of spans."""
    if database:
        with database.cluster.connect(database.name) as connection:
            if not connection.execute("SELECT to_regclass('weir.spans')").fetchone()[0]:
                return []
            return sorted(row[0] for row in connection.execute("SELECT name FROM weir.spans").fetchall())
    found = []
    for path in (directory / "hot").glob("spans-*.db"):
        # It may just be made.
        with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(
                sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as tables:
            found += [row[0] for row in tables.execute("SELECT name FROM spans").fetchall()]
    return sorted(found)


def in_archive(directory):
    return sorted(found.span.name for found in archives.spans(directory / "archive"))


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_hold_keeps_what_would_go_with_somebody_else(start, tmp_path, kind, request):
    database = request.getfixturevalue("database") if kind == "postgres" else None
    tables = {"postgres": tables_in_postgres(database)} if database else {"sqlite": tables_in(tmp_path / "hot")}
    write_keys(tmp_path, FIRST)
    weir = start(directory=tmp_path, text=collector(tmp_path, tables))
    one, two, three = os.urandom(16), os.urandom(16), os.urandom(16)
    send(weir, a_span("u1", "u1", one, session="s1"), a_span("of s1", trace=one))
    send(weir, a_span("u2", "u2", two), a_span("u3", "u3", two), a_span("of u2", trace=two))
    send(weir, a_span("u4", "u4", three), a_span("of u4", trace=three))
    before = ["of s1", "of u2", "of u4", "u1", "u2", "u3", "u4"]

    def stored():
        return in_tables(tmp_path, database)

    eventually(lambda: stored() == before, lambda: stored(), 30)
    session, user = hold(tmp_path, "session.id=s1"), hold(tmp_path, "user.id=u2")
    # Keys, the session and the trace are another one's, so nothing of it goes.
    assert "nothing was destroyed" in erase(tmp_path, "u1", expected=3, text=f"held by {session}")
    assert "nothing was destroyed" in erase(tmp_path, "u3", expected=3, text=f"held by {user}")
    assert keys(tmp_path) == (4, 0) and stored() == before
    # Whose erasure waits is stored as before.
    send(weir, a_span("u1 again", "u1", session="s1"))
    eventually(lambda: "u1 again" in stored(), lambda: stored(), 30)
    # Who has nothing to do with them goes.
    assert "complete\n" in erase(tmp_path, "u4")
    assert keys(tmp_path) == (3, 1) and stored() == ["of s1", "of u2", "u1", "u1 again", "u2", "u3"]
    eventually(lambda: in_archive(tmp_path) == stored(), lambda: in_archive(tmp_path), 30)
    # Released, what waited is erased.
    assert run(tmp_path, "hold", "release", session, "--reason", "closed").returncode == 0
    erase(tmp_path, "u1")
    assert keys(tmp_path) == (2, 2) and stored() == ["of u2", "u2", "u3"] == in_archive(tmp_path)
    # The other one still waits, and says so.
    done = run(tmp_path, "erase", "apply")
    assert done.returncode == 3 and f"held by {user}" in done.stdout, done.stdout
    assert stored() == ["of u2", "u2", "u3"]


def test_under_a_hold_nothing_is_destroyed_that_nobody_can_look_into(start, tmp_path):
    write_keys(tmp_path, FIRST)
    weir = start(directory=tmp_path, text=in_sqlite(tmp_path))
    send(weir, a_span("u1", "u1", session="s1"))
    send(weir, a_span("u2", "u2"))
    eventually(lambda: in_tables(tmp_path, None) == ["u1", "u2"], "not stored", 30)
    weir.kill()
    hold(tmp_path, "session.id=s1")
    # What the journal has may be what the hold is on.
    said = erase(tmp_path, "u2", expected=3)
    assert "not looked into: journal" in said and "nothing was destroyed" in said, said
    assert keys(tmp_path) == (2, 0) and in_tables(tmp_path, None) == ["u1", "u2"]
    start(directory=tmp_path, text=in_sqlite(tmp_path))
    erase(tmp_path, "u2")
    assert keys(tmp_path) == (1, 1) and in_tables(tmp_path, None) == ["u1"]


def test_a_backup_of_keys_that_is_away_is_left(start, tmp_path):
    write_keys(tmp_path, FIRST)
    weir = start(directory=tmp_path, text=in_sqlite(tmp_path))
    send(weir, a_span("u1", "u1"), a_span("u2", "u2"))
    eventually(lambda: in_tables(tmp_path, None) == ["u1", "u2"], "not stored", 30)
    backup, away = tmp_path / "backup.db", tmp_path / "away.db"
    for path in (backup, tmp_path / "lost.db"):
        assert run(tmp_path, "keys", "backup", str(path)).returncode == 0
    backup.rename(away)
    (tmp_path / "lost.db").unlink()
    said = []

    def applied(expected):
        said.append(run(tmp_path, "erase", "apply"))
        lines = [line for line in said[-1].stdout.splitlines() if line.startswith("  left:")]
        return said[-1].returncode == expected and len(lines) == (1 if expected else 0)

    done = run(tmp_path, "erase", "--tenant", "default", "--subject", "user.id=u1")
    assert done.returncode == 3 and f"left: keys: the backup {backup}" in done.stdout, done.stdout
    # One of them is gone for good.
    assert run(tmp_path, "keys", "backup", str(away), "--forget").returncode == 1
    assert run(tmp_path, "keys", "backup", str(tmp_path / "lost.db"), "--forget").returncode == 0
    eventually(lambda: applied(3), lambda: said[-1].stdout, 60)
    assert str(backup) in said[-1].stdout and "lost.db" not in said[-1].stdout
    away.rename(backup)
    assert run(tmp_path, "keys", "backup", str(backup), "--forget").returncode == 1
    eventually(lambda: applied(0), lambda: said[-1].stdout, 60)
    with sqlite3.connect(backup) as store:
        row = store.execute("SELECT count(wrapped), count(*) FROM data_keys WHERE subject <> ''").fetchone()
    assert row == (1, 2)


def test_a_copy_from_before_gives_nobody_who_was_erased(start, tmp_path):
    write_keys(tmp_path, FIRST)
    weir = start(directory=tmp_path, text=in_sqlite(tmp_path))
    trace = os.urandom(16)
    send(weir, a_span("u1", "u1", trace), a_span("u2", "u2", trace))
    eventually(lambda: in_tables(tmp_path, None) == ["u1", "u2"], "not stored", 30)
    weir.drain()
    weir.stop()
    for name in ("hot", "archive", "keys"):
        shutil.copytree(tmp_path / name, tmp_path / "copies" / name)
    weir = start(directory=tmp_path, text=in_sqlite(tmp_path))
    erase(tmp_path, "u1")
    weir.stop()
    for name in ("hot", "archive", "keys"):
        shutil.rmtree(tmp_path / name)
        shutil.copytree(tmp_path / "copies" / name, tmp_path / name)
    assert keys(tmp_path) == (2, 0) and in_tables(tmp_path, None) == ["u1", "u2"]

    def shown():
        """By the name of the span."""
        done = run(tmp_path, "query", "trace", trace.hex(), "--reveal", "app.text", "--reason", "x", "--format", "json")
        assert done.returncode == 0, done.stderr
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return {row["name"]: row["attributes"] for row in rows}

    # Also while no Weir runs.
    found = shown()
    assert found["u1"]["app.text"] is None and found["u1"]["app.text.unreadable"] == "key destroyed"
    assert found["u2"]["app.text"] is not None and "app.text.unreadable" not in found["u2"]
    lines = run(tmp_path, "archive", "cat").stdout
    config = ("--config", str(tmp_path / "collector.yaml"))
    done = command("decrypt", *config, "--reason", "x", text=lines, cwd=tmp_path)
    assert done.stdout.count("key destroyed") >= 1, done.stdout
    # One that starts destroys the keys again, and says that the rest is to be done.
    weir = start(directory=tmp_path, text=in_sqlite(tmp_path))
    assert keys(tmp_path) == (1, 1)
    assert "weir erase apply" in weir.get("/healthz")[2] and "a copy was put back" in weir.log()
    assert shown()["u1"]["app.text"] is None
    said = []

    def is_done():
        said.append(run(tmp_path, "erase", "apply"))
        return said[-1].returncode == 0

    eventually(is_done, lambda: said[-1].stdout, 60)
    assert in_tables(tmp_path, None) == ["u2"] == in_archive(tmp_path)
    eventually(lambda: weir.get("/healthz")[2] == "ok\n", lambda: weir.get("/healthz")[2], 30)


def test_a_register_without_its_last_lines_is_missed(start, tmp_path):
    write_keys(tmp_path, FIRST)
    weir = start(directory=tmp_path, text=in_sqlite(tmp_path))
    send(weir, a_span("u1", "u1"))
    erase(tmp_path, "u1")
    weir.stop()
    register = tmp_path / "erasures/register.jsonl"
    lines = register.read_bytes().splitlines(True)
    register.write_bytes(b"".join(lines[:-1]))
    done = run(tmp_path, "erase", "status")
    assert done.returncode == 1 and f"found {len(lines) - 1} lines, wanted {len(lines)}" in done.stderr, done.stderr
    assert run(tmp_path, "erase", "apply").returncode == 1
    assert run(tmp_path, "erase", "confirm-end", "--reason", "a disk was lost").returncode == 0
    done = run(tmp_path, "erase", "status", "--format", "json")
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["kind"] == "confirm" and last["reason"] == "a disk was lost" and done.returncode == 0


@pytest.mark.parametrize("content", [b"x" * 5000, b"", None])
def test_a_backup_that_cannot_be_written_stops_no_erasure(start, tmp_path, content):
    write_keys(tmp_path, FIRST)
    weir = start(directory=tmp_path, text=in_sqlite(tmp_path))
    send(weir, a_span("u1", "u1"), a_span("u2", "u2"))
    eventually(lambda: in_tables(tmp_path, None) == ["u1", "u2"], "not stored", 30)
    backup = tmp_path / "backup.db"
    assert run(tmp_path, "keys", "backup", str(backup)).returncode == 0
    backup.unlink()
    backup.mkdir() if content is None else backup.write_bytes(content)
    said = [run(tmp_path, "erase", "--tenant", "default", "--subject", "user.id=u1")]

    def left():
        lines = [line for line in said[-1].stdout.splitlines() if line.startswith("  left:")]
        if said[-1].returncode == 3 and len(lines) > 1:
            said.append(run(tmp_path, "erase", "apply"))
        return lines

    eventually(lambda: len(left()) < 2, lambda: said[-1].stdout, 60)
    assert said[-1].returncode == 3 and f"left: keys: the backup {backup}, in which they cannot be destroyed" in said[-1].stdout
    assert keys(tmp_path) == (1, 1) and in_tables(tmp_path, None) == ["u2"]
    done = run(tmp_path, "keys", "destroy", "--tenant", "default", "--subject", "user.id=u2", "--yes")
    assert done.returncode == 1 and f"{backup}: still has them" in done.stderr and keys(tmp_path) == (0, 2)
    backup.rmdir() if content is None else backup.unlink()
    assert run(tmp_path, "keys", "backup", str(backup), "--forget").returncode == 0
    eventually(lambda: run(tmp_path, "erase", "apply").returncode == 0, "not complete", 60)


def test_a_command_is_about_one_person(start, tmp_path):
    write_keys(tmp_path, FIRST)
    start(directory=tmp_path, text=in_sqlite(tmp_path))
    for words in (["erase"], ["hold", "add", "--reason", "a case"], ["keys", "destroy", "--yes"]):
        done = run(tmp_path, *words, "--tenant", "default", "--subject", "user.id=u1", "--subject", "user.id=u2")
        assert done.returncode == 64 and "found --subject 2 times, wanted it once" in done.stderr, done
    assert not (tmp_path / "data" / "erasures" / "register.jsonl").exists()


def test_a_tombstone_does_not_wait_for_a_key(start, tmp_path):
    write_keys(tmp_path, FIRST)
    weir = start(directory=tmp_path, text=in_sqlite(tmp_path))
    send(weir, a_span("u1", "u1"))
    eventually(lambda: in_tables(tmp_path, None) == ["u1"], "not stored", 30)
    (tmp_path / "kek").rename(tmp_path / "kek.away")
    done = run(tmp_path, "erase", "--tenant", "default", "--subject", "user.id=u1")
    assert done.returncode == 3 and "left: keys: which are the person's" in done.stdout, done
    assert in_tables(tmp_path, None) == [] and keys(tmp_path) == (1, 0)
    send(weir, a_span("u1", "u1"))
    weir.drain()
    assert in_tables(tmp_path, None) == []
    (tmp_path / "kek.away").rename(tmp_path / "kek")
    erase(tmp_path, "u1")
    assert keys(tmp_path) == (0, 1)
    eventually(lambda: run(tmp_path, "erase", "apply").returncode == 0, "not complete", 60)


def test_another_key_encryption_key_encrypts_nothing(start, tmp_path):
    write_keys(tmp_path, FIRST)
    weir = start(directory=tmp_path, text=in_sqlite(tmp_path))
    send(weir, a_span("u1", "u1"))
    weir.stop()
    write_keys(tmp_path, SECOND)
    weir = start(directory=tmp_path, text=in_sqlite(tmp_path))
    assert post(weir.endpoint, message(a_span("u2", "u2")))[0] == 503
    assert "which is not among those here" in weir.log() and weir.metric("weir_keystore_ready") == 0
    write_keys(tmp_path, FIRST)
    eventually(lambda: post(weir.endpoint, message(a_span("u3", "u3")))[0] == 200, weir.log, 60)
    assert weir.metric("weir_keystore_ready") == 1


def test_a_hold_that_only_files_know_can_be_released(start, tmp_path):
    weir = start(directory=tmp_path, exporters={"archive": archive(tmp_path / "archive")},
                 journal={"directory": str(tmp_path / "journal")})
    held = hold(tmp_path, "user.id=u1")

    def manifests():
        return [json.loads(path.read_text()) for path in (tmp_path / "archive").rglob("_*.manifest.json")]

    when = time.time_ns() - 3 * 86400 * 10**9
    for count in (1, 2):
        span = a_span("old")
        span.start_time_unix_nano = span.end_time_unix_nano = when
        send(weir, span)
        eventually(lambda: len(manifests()) == count, weir.log, 30)
    assert all(manifest["legal_hold"] == [held] for manifest in manifests())
    weir.stop()
    (tmp_path / "erasures").rename(tmp_path / "lost")
    release = ["hold", "release", held, "--reason", "is closed"]
    done = run(tmp_path, *release)
    assert done.returncode == 1 and "--unknown" in done.stderr, done
    assert run(tmp_path, "archive", "compact").returncode == 0 and len(manifests()) == 2
    assert run(tmp_path, "hold", "release", "17", "--unknown", "--reason", "?").returncode == 64
    done = run(tmp_path, *release, "--unknown")
    assert done.returncode == 0, done
    assert run(tmp_path, "archive", "compact").returncode == 0 and len(manifests()) == 1
