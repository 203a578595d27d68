"""`kill -9` for Weir and for PostgreSQL: what was acknowledged stands in the tables of both stores once."""

import json
import threading
import time
from dataclasses import dataclass

import pytest

import tables
from faults import killed
from ledger import Ledger, Load
from otlp import a_span
from waiting import eventually
from weir import command, postgres, sqlite

DAY = 86_400 * 10**9


def long(*values):
    return pytest.param(*values, marks=pytest.mark.torture)


@dataclass
class Kill:
    """Who is killed: Weir, at any moment or at one of the first `latest` calls on a file with `text` in its path, such
    as those that it makes when it is to end; or the database, which starts again, with Weir or without."""

    weir: bool = True
    database: bool = False
    call: str = ""
    text: str = ""
    action: str = ""
    latest: int = 1
    at_end: bool = False


WEIR, DATABASE, BOTH = Kill(), Kill(weir=False, database=True), Kill(database=True)
# What SQLite does when it has brought its log into the file.
AT_END = [("ftruncate", "before"), ("ftruncate", "after"), ("unlink", "before"), ("unlink", "after")]
# What it does on its way to a commit.
FILES = [
    Kill(call=call, text=text, action=action, latest=latest)
    for call, text, actions, latest in [
        ("pwrite", ".db-wal", "before half after", 200),
        ("fdatasync", ".db-wal", "before after", 20),
        ("open", "/hot/spans-", "before after", 4),
        ("pwrite", "/hot/meta.db", "before half after", 3),
        ("pwrite", ".cursor", "before after", 6),
    ]
    for action in actions.split()
] + [Kill(call=call, text=".db-wal", action=action, at_end=True) for call, action in AT_END]


class Story:
    """Two stores over many lives of the program and of the database, with clients that go on all the time."""

    def __init__(self, start, faults, dice, cluster, directory):
        self.start, self.faults, self.dice, self.cluster = start, faults, dice, cluster
        self.database, self.hot = cluster.database(), directory / "hot"
        self.ledger = Ledger()
        self.keys = dict(
            # Small batches, so that there are many commits to be killed at.
            exporters={
                "postgres": postgres(self.database, sending_queue=SMALL),
                "sqlite": sqlite(self.hot, sending_queue=SMALL),
            },
            journal={"directory": str(directory / "journal"), "max_bytes": "16MiB"},
        )

    def begin(self, load, **further):
        weir = self.start(**self.keys, **further)
        load.endpoint = weir.endpoint
        return weir

    def acknowledges(self, count, weir):
        """Waits until the program has acknowledged so many spans more."""
        enough = len(self.ledger.acknowledged) + count
        eventually(lambda: len(self.ledger.acknowledged) >= enough, weir.log, 60)

    def end(self, kill, weir, load):
        """Lets it happen. Returns the program that lives then."""
        number = self.dice.randint(1, kill.latest)
        print(kill, number)
        if kill.call:
            weir.kill()
            env = self.faults.at(kill.call, kill.text, kill.action, number)
            weir = self.start(**self.keys, env=env, ready=False)
            eventually(lambda: weir.endpoints("otlp/http") or weir.process.poll(), weir.log)
            load.endpoint = next(iter(weir.endpoints("otlp/http").values()), None)
            if kill.at_end:
                self.acknowledges(50, weir)
                weir.terminate()
            killed(weir)
            return self.begin(load)
        self.acknowledges(self.dice.randint(1, 300), weir)
        if kill.weir:
            weir.kill()
        if kill.database:
            self.cluster.kill()
            restart = threading.Thread(target=self.cluster.start)
            restart.start()
        if kill.weir:
            weir = self.begin(load)
        if kill.database:
            restart.join()
        return weir


SMALL = {"batch": {"max_spans": 500, "flush_timeout": "5ms"}}


def spread(dice):
    """Makes spans of several days, some of them at the edge of one."""
    midnight = time.time_ns() // DAY * DAY

    def make(**fields):
        start = midnight - dice.choice([0, 1, 1000, 2 * DAY, dice.randrange(DAY)])
        return a_span(start_time_unix_nano=start, end_time_unix_nano=start + 1_000_000, **fields)

    return make


@pytest.mark.parametrize("rounds, files", [(2, FILES[:1]), long(60, FILES)])
def test_nothing_acknowledged_is_lost_and_nothing_is_stored_twice(
    start, faults, dice, cluster, tmp_path, rounds, files
):
    plan = [WEIR, DATABASE, BOTH] * rounds + files * max(1, rounds // 10)
    dice.shuffle(plan)
    story = Story(start, faults, dice, cluster, tmp_path)
    with Load(story.ledger, dice.random(), make=spread(dice)) as load:
        weir = story.begin(load)
        for kill in plan:
            weir = story.end(kill, weir, load)
        story.acknowledges(100, weir)
    weir.drain()
    for name in ("weir_journal_lost_records", "weir_exporter_missed_records", "weir_exporter_dead_letter_spans"):
        assert weir.metric(name) == 0, weir.log()
    weir.stop()
    in_postgres, in_sqlite = tables.postgres_ids(story.database), tables.sqlite_ids(story.hot)
    assert not story.ledger.stored_once(in_postgres, "PostgreSQL")
    assert not story.ledger.stored_once(in_sqlite, "SQLite")
    assert in_postgres == in_sqlite
    assert not story.database.sql("SELECT * FROM rejects")
    assert story.database.sql("SELECT sum(spans) FROM ledger") == [(len(in_postgres),)]
    for exporter, stored in (("postgres", in_postgres), ("sqlite", in_sqlite)):
        shown = command(
            *["store", "status", "--format", "json", "--exporter", exporter, "--config", str(weir.config)],
            cwd=weir.directory,
        )
        assert shown.returncode == 0, shown.stderr
        status = json.loads(shown.stdout)
        assert status["rejects"] == 0
        (journal,) = status["journals"]
        assert journal["spans"] == len(stored)
        assert (journal["behind_spans"], journal["floor"]) == (0, journal["last_sequence"]), journal
    print(story.ledger.answers)
