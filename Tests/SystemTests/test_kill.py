"""`kill -9` at any moment and at the worst ones: what was acknowledged arrives, and stands in the archive once."""

import contextlib
import hashlib
import itertools
import signal
from dataclasses import dataclass

import pytest

import archives
import parquets
from backend import DROP, HANG, OK, RESTART
from faults import killed
from ledger import Ledger, Load, send
from otlp import a_body
from waiting import eventually
from weir import archive, forward
from wire import Closed, post


def long(*values):
    return pytest.param(*values, marks=pytest.mark.torture)


@dataclass
class Kill:
    """A kill at one of the first `latest` calls whose file has `text` in its path; without a call, at any moment."""

    what: str
    call: str = ""
    text: str = ""
    action: str = ""
    latest: int = 1
    at_start: bool = False


def kills(what, call, text, actions, latest, at_start=False):
    return [Kill(what, call, text, action, latest, at_start) for action in actions.split()]


# What has to be killed in each run, from each group one or all.
GROUPS = {
    "append": [
        *kills("append", "pwrite", ".seg", "before half after", 60),
        *kills("commit", "fdatasync", ".seg", "before after", 60),
        Kill("any moment"),
    ],
    "rotation": [
        *kills("take the room of a file", "posix_fallocate", "/traces/new", "before after", 3),
        *kills("name a file that has its room", "rename", "/traces/new -> ", "before after", 3),
        *kills("write the first block of a segment", "pwrite", "/spare.seg", "before half after", 3),
        *kills("sync the first block of a segment", "fdatasync", "/spare.seg", "before after", 3),
        *kills("begin a segment", "rename", "/spare.seg -> ", "before after", 3),
        *kills("sync the journal's directory", "fsync", "/journal/traces", "before after", 4),
        *kills("write an index", "pwrite", ".idx", "before half after", 2),
        *kills("use a segment again", "rename", ".seg -> {journal}/traces/spare.seg", "before after", 2),
    ],
    "cursor": [
        *kills("note a cursor", "pwrite", ".cursor", "before half after", 12),
        *kills("sync a cursor before its segment goes", "fdatasync", ".cursor", "before after", 4),
    ],
    "archive": [
        *kills("write a file", "write", "/archive/.open/", "before half after", 20),
        *kills("sync a file", "fsync", "/archive/", "before after", 5),
        *kills("publish a file", "link", "/archive/.open/", "before after", 2),
        *kills("take a published file's first name", "unlink", "/archive/.open/", "before after", 2),
        *kills("name a manifest", "rename", ".manifest.json.open -> ", "before after", 3),
        *kills("note the chain of manifests", "rename", "/archive/.chain/", "before after", 3),
    ],
    "recovery": [
        *kills("open a segment", "open", ".seg", "before after", 2, at_start=True),
        *kills("read a segment", "pread", ".seg", "before after", 2, at_start=True),
        *kills("note the cursors", "pwrite", ".cursor", "before half after", 2, at_start=True),
        *kills("sync the cursors", "fdatasync", ".cursor", "before after", 2, at_start=True),
    ],
}
ALL = list(itertools.chain(*GROUPS.values()))


class Story:
    """One journal and one archive over many lives of the program, with clients that go on all the time."""

    def __init__(self, start, faults, dice, directory, backend, durability, format):
        self.start, self.faults, self.dice = start, faults, dice
        self.ledger = Ledger()
        self.journal, self.archive = directory / "journal", directory / "archive"
        self.keys = dict(
            exporters={"archive": archive(self.archive, format), "otlp_http": forward(backend.url)},
            # The least there is, so that segments are full soon.
            journal={"directory": str(self.journal), "max_bytes": "16MiB", "durability": durability},
        )

    def begin(self, load, **further):
        weir = self.start(**self.keys, **further)
        load.endpoint = weir.endpoint
        return weir

    def acknowledges(self, count, weir):
        """Waits until the program has acknowledged so many spans more."""
        enough = len(self.ledger.acknowledged) + count
        eventually(lambda: len(self.ledger.acknowledged) >= enough, weir.log, 30)

    def end(self, kill, load):
        """Lets the program run into the kill."""
        number = self.dice.randint(1, kill.latest)
        print(kill.what, kill.action, kill.call, number)
        if not kill.call:
            weir = self.begin(load)
            self.acknowledges(self.dice.randint(1, 500), weir)
            weir.process.kill()
            return killed(weir)
        env = self.faults.at(kill.call, kill.text.format(journal=self.journal), kill.action, number)
        for _ in range(2 if kill.at_start else 1):
            weir = self.start(**self.keys, env=env, ready=False)
            # Some are reached while it starts.
            eventually(lambda: weir.endpoints("otlp/http") or weir.process.poll(), weir.log)
            load.endpoint = next(iter(weir.endpoints("otlp/http").values()), None)
            killed(weir)


def moody(dice):
    """A destination of which a third of the answers are no good."""
    weights = {OK: 0.7, 500: 0.04, 503: 0.1, 429: 0.1, DROP: 0.04, RESTART: 0.01, HANG: 0.01}
    return lambda _: dice.choices(list(weights), weights.values())[0]


@pytest.mark.parametrize(
    "durability, format, all",
    [
        ("fsync", "otlp_proto", False),
        ("fsync", "parquet", False),
        long("fsync", "otlp_proto", True),
        long("fsync", "parquet", True),
        long("interval", "otlp_proto", True),
        long("none", "otlp_proto", True),
    ],
)
def test_nothing_acknowledged_is_lost_and_nothing_is_archived_twice(
    start, faults, dice, tmp_path, backend, durability, format, all
):
    plan = [*ALL, *[Kill("any moment")] * 10] if all else [dice.choice(group) for group in GROUPS.values()]
    if durability != "fsync":
        # What the process has written outlives it; only a power cut would tell the difference.
        plan = [kill for kill in plan if kill.what != "commit"]
    dice.shuffle(plan)
    backend.mood = moody(dice)
    story = Story(start, faults, dice, tmp_path, backend, durability, format)
    with Load(story.ledger, dice.random()) as load:
        # First of all, something to recover has to come to be.
        for kill in [Kill("any moment"), *plan]:
            story.end(kill, load)
        weir = story.begin(load)
        story.acknowledges(100, weir)
    backend.mood = lambda _: OK
    weir.drain()
    for name in ("weir_journal_lost_records", "weir_exporter_missed_records"):
        assert weir.metric(name) == 0, weir.log()
    weir.stop()
    wrong = story.ledger.compare(story.archive, backend.taken)
    assert not wrong, wrong
    check_manifests(story.archive)
    print(story.ledger.answers, backend.moods)


def check_manifests(archive):
    """Each file has one, which says what it is, and none is missing."""
    found = parquets.manifests(archive)
    assert [manifest["number"] for manifest, _ in found] == list(range(1, len(found) + 1))
    hashes = [hashlib.sha256(text).hexdigest() for _, text in found]
    assert [manifest["previous"] for manifest, _ in found] == [None, *hashes[:-1]]
    files = {archive / file["path"]: file["sha256"] for manifest, _ in found for file in manifest["files"]}
    assert files == {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in archives.published(archive)}


@pytest.mark.parametrize(
    "call, text",
    [
        ("posix_fallocate", "/traces/new"),
        ("pwrite", ".seg"),
        ("fdatasync", ".seg"),
        ("rename", "/spare.seg -> "),
        ("write", "/archive/.open/"),
    ],
)
def test_the_program_calls_what_it_is_to_be_killed_at(start, faults, call, text):
    weir = start(env=faults.at(call, text, "before"), ready=False)
    if call != "posix_fallocate":
        with contextlib.suppress(Closed):
            post(weir.started().endpoint, a_body())
    killed(weir)
    assert f"call={call}" in weir.log()


@pytest.mark.parametrize("call", ["posix_fallocate", *map(long, ["mkdir", "rename", "fsync"])])
def test_a_kill_while_a_journal_is_made_is_no_obstacle_to_the_next_start(start, faults, tmp_path, call):
    for number in itertools.count(1):
        keys = dict(
            exporters={"archive": archive(tmp_path / f"archive-{number}")},
            journal={"directory": str(tmp_path / f"journal-{number}")},
        )
        weir = start(**keys, env=faults.at(call, "/journal", "before", number), ready=False)
        if eventually(lambda: weir.endpoints("otlp/http") or weir.process.poll(), weir.log) != -signal.SIGKILL:
            weir.kill()
            break
        killed(weir)
        weir = start(**keys)
        spans = send(weir)
        weir.stop()
        assert {found.span.span_id for found in archives.spans(tmp_path / f"archive-{number}")} == spans
    assert number > 1
