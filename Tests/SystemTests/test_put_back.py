"""A copy from before an erasure is put back: of the hot tables, or of the store of keys."""

import json
import os
import shutil
import sqlite3

import pytest

from test_encryption import FIRST, SECRET, collector, post, request as message, secret_span, write_keys
from test_keystore import in_postgres, rows
from weir import command


@pytest.fixture
def ask(tmp_path):
    """Runs a command with the configuration."""

    def run(*arguments, expected=0):
        done = command(*arguments, "--config", str(tmp_path / "collector.yaml"), cwd=tmp_path, deadline=120)
        assert done.returncode == expected, done.stdout + done.stderr
        return done.stdout

    return run


ERASE = ("erase", "--tenant", "default", "--subject", "user.id=maria", "--reason", "17")


def test_tables_that_were_put_back_show_nothing_of_the_traces_of_who_was_erased(start, tmp_path, ask):
    write_keys(tmp_path, FIRST)
    weir = start(directory=tmp_path, text=collector(tmp_path))
    hers, others = os.urandom(16), os.urandom(16)
    spans = [
        secret_span(user="maria", trace_id=hers), secret_span(trace_id=hers), secret_span(user="bob", trace_id=hers),
        secret_span(trace_id=others),
    ]
    assert post(weir.endpoint, message(*spans))[0] == 200
    weir.drain()
    weir.stop()
    shutil.copytree(tmp_path / "hot", tmp_path / "copy")

    def shown(*reveal):
        """By whom and in which trace; what is shown of each."""
        found = {}
        for trace in (hers, others):
            text = ask("query", "trace", trace.hex(), "--format", "json", *reveal)
            for line in text.splitlines():
                row = json.loads(line)
                values = row["attributes"]
                found[trace == hers, row["user_id"]] = values.get("app.text.unreadable") or values["app.text"]
                if "app.text.unreadable" in values:
                    assert SECRET not in line and values["app.text"] is None
        return found

    reveal = ("--reveal", "*", "--reason", "case 4711")
    everybody = {(True, "maria"), (True, None), (True, "bob"), (False, None)}
    assert shown(*reveal) == dict.fromkeys(everybody, SECRET)
    # A Weir that does not run does not let go of its journal.
    ask(*ERASE, expected=3)
    assert shown(*reveal) == {(True, "bob"): SECRET, (False, None): SECRET}
    shutil.rmtree(tmp_path / "hot")
    shutil.copytree(tmp_path / "copy", tmp_path / "hot")
    gone = dict.fromkeys([(True, "maria"), (True, None)], "key destroyed")
    assert shown(*reveal) == {(True, "bob"): SECRET, (False, None): SECRET, **gone}
    found = ask("query", "search", "--from", "1970-01-02", "--format", "json", *reveal)
    assert sorted(json.loads(line)["status_message"] is None for line in found.splitlines()) == [False] * 2 + [True] * 2
    # Until that is done.
    ask("erase", "apply", "--all", expected=3)
    assert shown(*reveal) == {(True, "bob"): SECRET, (False, None): SECRET}


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_store_that_was_put_back_does_not_hide_the_copies_made_since(start, tmp_path, ask, request, store):
    write_keys(tmp_path, FIRST)
    database = request.getfixturevalue("database") if store == "postgres" else None
    weir = start(directory=tmp_path, text=in_postgres(tmp_path, database) if database else collector(tmp_path))
    assert post(weir.endpoint, message(secret_span(user="maria")))[0] == 200
    weir.drain()
    ask("keys", "backup", str(tmp_path / "first.db"))
    ask("keys", "backup", str(tmp_path / "second.db"))
    weir.stop()
    # As the first has it.
    if database:
        rows(database, "DELETE FROM key_backups WHERE path LIKE '%second.db' RETURNING 1")
    else:
        for end in ("-wal", "-shm"):
            (tmp_path / f"keys/keys.db{end}").unlink(missing_ok=True)
        shutil.copy(tmp_path / "first.db", tmp_path / "keys/keys.db")
    away = tmp_path / "away.db"
    (tmp_path / "second.db").rename(away)
    left = ask(*ERASE, expected=3)
    assert f"left: keys: the backup {tmp_path}/second.db, which is not there and has them" in left
    away.rename(tmp_path / "second.db")
    assert "keys: 1 data keys destroyed" in ask("erase", "apply", expected=3)
    with sqlite3.connect(f"file:{tmp_path}/second.db?mode=ro", uri=True) as copy:
        assert copy.execute("SELECT count(*) FROM data_keys WHERE wrapped IS NULL").fetchone() == (1,)
    copy.close()
    # One that is gone for good is forgotten there too.
    (tmp_path / "second.db").unlink()
    ask("keys", "backup", str(tmp_path / "second.db"), "--forget")
    assert "second.db" not in ask("erase", "apply", "--all", expected=3)


def test_a_backup_that_was_not_made_is_not_waited_for(start, tmp_path, ask):
    write_keys(tmp_path, FIRST)
    weir = start(directory=tmp_path, text=collector(tmp_path))
    assert post(weir.endpoint, message(secret_span(user="maria")))[0] == 200
    weir.drain()
    weir.stop()
    nowhere = str(tmp_path / "none" / "backup.db")
    ask("keys", "backup", nowhere, expected=1)
    assert nowhere not in ask(*ERASE, expected=3)
