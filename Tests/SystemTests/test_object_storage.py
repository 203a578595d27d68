"""An archive in a bucket: the same tree as on disk, whole whenever a reader looks, whatever happens on the way."""

import fcntl
import hashlib
import json
import os
import re
import signal
import subprocess
import time
import urllib.parse
from collections import Counter

import pytest

import archives
import parquets
from buckets import BUCKET, CLASSLESS, CUT, DENIED, INTERNAL, LOST, OK, PREFIX, RESET, SLOW, STALL, WRONG_TAG
from buckets import Moto, StrictStore, download
from faults import killed
from ledger import Ledger, Load, send
from otlp import a_body, a_span, text
from waiting import eventually
from weir import BINARY, archive, command, configuration, sqlite
from wire import post


def long(*values):
    return pytest.param(*values, marks=pytest.mark.torture)


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    server = Moto(tmp_path_factory.mktemp("moto"))
    yield server
    server.close()


@pytest.fixture
def bucket(moto):
    """An empty one."""
    for name in moto.names():
        moto.client.delete_object(Bucket=BUCKET, Key=name)
    for upload in moto.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
        moto.client.abort_multipart_upload(Bucket=BUCKET, Key=upload["Key"], UploadId=upload["UploadId"])
    return moto


@pytest.fixture
def stores():
    made = []

    def make(*arguments, **keys):
        made.append(StrictStore(*arguments, **keys))
        return made[-1]

    yield make
    for store in made:
        store.close()
    for store in made:
        assert not store.wrong, store.wrong


@pytest.fixture
def store(stores):
    return stores()


def keys(directory, store, format="otlp_proto", storage=None, **further):
    """An exporter whose archive goes to the store."""
    further = {"retry_on_failure": {"initial_interval": "10ms", "max_interval": "50ms"}, **further}
    return {"archive": archive(directory, format, object_storage=store.keys(**(storage or {})), **further)}


def list_removal(directory, lines):
    """Has these go from the bucket."""
    new = directory / ".upload" / "x.new"
    new.write_text("".join(f"{line}\n" for line in lines))
    new.rename(directory / ".upload" / "x.remove")


def outbox(directory):
    return sorted(path.name for path in (directory / ".upload").glob("*.manifest.json"))


def uploaded(weir, directory, files=1, deadline=30):
    """Waits until nothing is left to do, and there was something."""

    def story():
        return f"not uploaded: {len(outbox(directory))} files, first {outbox(directory)[:3]}\n{weir.log()}"

    eventually(
        lambda: len(list(directory.rglob("_*.manifest.json"))) >= files and not outbox(directory), story, deadline
    )


def tree(directory):
    """The files of an archive that readers see, by their names."""
    paths = [*archives.published(directory), *directory.rglob("_*.manifest.json"), *directory.rglob("_*.bloom")]
    return {str(path.relative_to(directory)): path.read_bytes() for path in paths}


def in_bucket(store):
    return {name.removeprefix(f"{PREFIX}/"): store.read(name) for name in store.names()}


def large(mebibytes, dice):
    """A span that does not get smaller."""
    noise = dice.randbytes(mebibytes << 19).hex()
    return a_body(a_span(attributes=[text("noise", noise)]))


@pytest.mark.parametrize("format", ["otlp_proto", "otlp_json", "parquet"])
def test_the_bucket_has_the_same_tree(start, bucket, tmp_path, format):
    root = tmp_path / "archive"
    weir = start(exporters=keys(root, bucket, format, storage={"storage_class": "STANDARD_IA"}))
    sent = send(weir)
    uploaded(weir, root)
    assert in_bucket(bucket) == tree(root)
    copy = download(bucket, tmp_path / "copy")
    assert {found.span.span_id for found in archives.spans(copy)} == sent
    for name in bucket.names():
        found = bucket.client.head_object(Bucket=BUCKET, Key=name)
        assert found["Metadata"]["sha256"] == hashlib.sha256(bucket.read(name)).hexdigest()
        assert ("StorageClass" in found) != ("/_" in name)
    done = command("archive", "verify", "--directory", str(copy))
    assert done.returncode == 0 and ": whole" in done.stdout, done
    assert weir.metric("weir_archive_upload_files") == len(archives.published(root))
    weir.stop()
    assert bucket.secret not in weir.log()


@pytest.mark.parametrize("dialect", ["s3", "gcs"])
def test_a_strict_store_takes_it_too_in_parts_and_whole(start, stores, tmp_path, dice, dialect):
    store, root = stores(dialect), tmp_path / "archive"
    weir = start(exporters=keys(root, store, max_file_age="3s", storage={"storage_class": "COLDLINE"}))
    for _ in range(3):
        post(weir.endpoint, large(4, dice))
    uploaded(weir, root)
    assert in_bucket(store) == tree(root)
    assert max(map(len, store.objects.values())) > 10 << 20 and store.parts_put
    assert {store.classes[name] for name in store.names()} == {"COLDLINE", None}


def test_credentials_may_come_from_a_file_and_change(start, bucket, tmp_path):
    root, file = tmp_path / "archive", tmp_path / "credentials"

    def write(secret):
        file.touch(mode=0o600)
        file.write_text(f"[other]\naws_access_key_id = x\n[weir]\naws_access_key_id={bucket.id}\n# …\naws_secret_access_key = {secret}\n")

    write("not/the+secret")
    own = {"credentials_file": str(file), "profile": "weir"}
    own = {key: value for key, value in bucket.keys(**own).items() if "_key" not in key}
    weir = start(exporters={"archive": archive(root, object_storage=own)})
    sent = send(weir)
    eventually(lambda: "SignatureDoesNotMatch" in weir.log(), weir.log)
    assert not bucket.names() and "not/the+secret" not in weir.log()
    assert weir.metric("weir_archive_upload_pending") > 0 and weir.metric("weir_archive_upload_pending_bytes") > 0
    write(bucket.secret)
    uploaded(weir, root)
    assert {found.span.span_id for found in archives.spans(download(bucket, tmp_path / "copy"))} == sent
    eventually(lambda: "uploads go on" in weir.log(), weir.log)


def test_a_clock_that_is_wrong_is_set_by_the_store_s(start, stores, tmp_path):
    store, root = stores(ahead=7_200), tmp_path / "archive"
    weir = start(exporters=keys(root, store))
    send(weir)
    uploaded(weir, root)
    assert in_bucket(store) == tree(root)


def test_a_clock_that_no_clock_can_say_is_not_believed(start, stores, tmp_path):
    # The year 9999.
    store, root = stores(ahead=7_970 * 31_556_952), tmp_path / "archive"
    weir = start(exporters=keys(root, store))
    send(weir)
    eventually(lambda: "RequestTimeTooSkewed" in weir.log(), weir.log, 30)
    store.ahead = 0
    uploaded(weir, root)
    assert in_bucket(store) == tree(root)
    # The store repeats what it does not accept, and the log does not.
    assert "Signature=" in weir.log() and store.secret not in weir.log()
    assert not any(signature in weir.log() for signature in store.signatures)


def test_an_answer_that_stalls_is_given_up(start, stores, tmp_path):
    stalled = []

    def mood(method, _):
        if method in stalled:
            return OK
        stalled.append(method)
        return STALL

    store, root = stores(mood=mood), tmp_path / "archive"
    weir = start(exporters=keys(root, store, storage={"timeout": "2s"}))
    send(weir)
    uploaded(weir, root)
    assert "PUT" in stalled and in_bucket(store) == tree(root)


@pytest.mark.parametrize("mood", [SLOW, RESET, LOST, CUT, WRONG_TAG])
def test_nothing_is_lost_to_a_store_with_bad_days(start, stores, tmp_path, dice, mood):
    # The first and the third request of each kind go wrong.
    seen = {}

    def moody(method, target):
        kind = (method, re.sub(r"[^?&]*/|=[^&]*", "", target)[:40])
        seen[kind] = seen.get(kind, 0) + 1
        return mood if seen[kind] in (1, 3) else OK

    store, root = stores(mood=moody), tmp_path / "archive"
    weir = start(exporters=keys(root, store, max_file_age="2s"))
    sent = send(weir)
    for _ in range(2):
        post(weir.endpoint, large(3, dice))
    uploaded(weir, root)
    assert in_bucket(store) == tree(root)
    assert sent <= {found.span.span_id for found in archives.spans(download(store, tmp_path / "copy"))}
    assert store.secret not in weir.log()


def test_a_manifest_of_somebody_else_is_not_overwritten(start, stores, tmp_path):
    down = True
    store = stores(mood=lambda *_: SLOW if down else OK)
    root = tmp_path / "archive"
    weir = start(exporters=keys(root, store))
    send(weir)
    [manifest] = eventually(lambda: list(root.rglob("_*.manifest.json")), weir.log)
    name = f"{PREFIX}/{manifest.relative_to(root)}"
    store.last_class = None
    store.objects[name], store.metadata[name] = b'{"files":[]}', {}
    [file] = archives.published(root)
    theirs = f"{PREFIX}/{file.relative_to(root)}"
    store.objects[theirs], store.metadata[theirs], store.classes[theirs] = b"theirs", {}, None
    down = False
    eventually(lambda: "has another manifest of that name" in weir.log(), weir.log, 30)
    assert store.objects[name] == b'{"files":[]}' and store.objects[theirs] == b"theirs"
    assert weir.metric("weir_archive_upload_set_aside") == 1
    [aside] = (root / ".upload").glob("*.aside")
    assert aside.read_bytes() == manifest.read_bytes()
    # What comes after it is not held up.
    sent = send(weir)
    uploaded(weir, root, 2)
    assert sent <= {s.span.span_id for path in archives.published(root)[1:] for m in archives.messages(path) for s in archives.flat(m)}
    assert len(store.names()) == 5


def test_a_full_outbox_stops_the_exporter_and_nothing_else(start, stores, tmp_path, dice):
    down = True
    store = stores(mood=lambda *_: SLOW if down else OK)
    root = tmp_path / "archive"
    weir = start(exporters=keys(root, store, storage={"max_pending_bytes": "2MiB"}))
    for _ in range(3):
        post(weir.endpoint, large(1, dice))
    eventually(lambda: "max_pending_bytes is 2097152" in weir.log() or post(weir.endpoint, large(1, dice)) is None, weir.log, 30)
    # It waits in the journal.
    sent = send(weir)
    assert weir.metric("weir_journal_bytes") > 0
    down = False
    weir.drain()
    uploaded(weir, root)
    assert sent <= {found.span.span_id for found in archives.spans(download(store, tmp_path / "copy"))}


def test_an_upload_in_parts_goes_on_after_a_kill(start, stores, tmp_path, dice, journal):
    down = True

    def mood(method, target):
        return SLOW if down and "partNumber=3" in target else OK

    store, root = stores(mood=mood), tmp_path / "archive"
    further = dict(exporters=keys(root, store, max_file_age="2s"), journal=journal | {"max_bytes": "64MiB"})
    weir = start(**further)
    for _ in range(4):
        post(weir.endpoint, large(4, dice))
    eventually(lambda: sum(store.parts_put.values()) >= 2 and weir.metric("weir_archive_upload_retries"), weir.log, 30)
    assert not [name for name in store.names() if name.endswith(".manifest.json")]
    weir.process.kill()
    killed(weir)
    before = dict(store.parts_put)
    down, store.goes_round = False, True
    weir = start(**further)
    eventually(lambda: "a listing does not go on" in weir.log(), weir.log, 30)
    store.goes_round = False
    weir.drain()
    uploaded(weir, root)
    # What the store had was not sent again.
    assert {part: store.parts_put[part] for part in before} == before and set(before.values()) == {1}
    assert weir.metric("weir_archive_upload_resumed") == 1
    assert in_bucket(store) == tree(root) and not store.uploads


@pytest.mark.parametrize("rounds", [4, long(60)])
def test_kills_at_any_moment_leave_no_manifest_without_its_file(start, bucket, tmp_path, dice, journal, rounds):
    ledger, root = Ledger(), tmp_path / "archive"
    further = dict(exporters=keys(root, bucket, max_file_size="6MiB"), journal=journal | {"max_bytes": "64MiB"})

    def noisy(attributes):
        return a_span(attributes=[*attributes, text("noise", dice.randbytes(1 << 15).hex())])

    with Load(ledger, dice.random(), make=noisy) as load:
        for _ in range(rounds):
            weir = start(**further)
            load.endpoint = weir.endpoint
            enough = len(ledger.acknowledged) + dice.randint(1, 100)
            eventually(lambda: len(ledger.acknowledged) >= enough, weir.log, 30)
            more = len(bucket.names()) + dice.randint(0, 3)
            eventually(lambda: len(bucket.names()) >= more, weir.log, 30)
            weir.process.kill()
            killed(weir)
            whole(bucket)
        weir = start(**further)
        load.endpoint = weir.endpoint
    weir.drain()
    # After many rounds the load is a thousand files ahead of the store.
    uploaded(weir, root, deadline=300)
    weir.stop()
    assert in_bucket(bucket) == tree(root)
    wrong = ledger.compare(download(bucket, tmp_path / "copy"))
    assert not wrong, wrong
    assert not bucket.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads")


def whole(store):
    """Whatever a reader of the bucket finds a manifest of is there, and is that."""
    for name in store.names():
        if name.endswith(".manifest.json"):
            for file in json.loads(store.read(name))["files"]:
                assert hashlib.sha256(store.read(f"{PREFIX}/{file['path']}")).hexdigest() == file["sha256"]


def test_files_go_from_here_when_the_bucket_has_them_and_do_not_come_again(start, stores, tmp_path, journal):
    store, root = stores(), tmp_path / "archive"
    further = dict(exporters=keys(root, store, storage={"remove_local_after": "0s"}), journal=journal)
    weir = start(**further)
    sent = send(weir)
    eventually(lambda: store.names() and not archives.published(root) and not outbox(root), weir.log, 30)
    eventually(lambda: list(root.rglob("_*.uploaded.json")), weir.log)
    assert weir.metric("weir_archive_upload_removed_local_files") > 0
    weir.stop()
    # What went is not missed.
    verified = command("archive", "verify", "--directory", str(root))
    assert verified.returncode == 0 and ": whole" in verified.stdout, verified
    # The journal delivers everything again.
    for cursor in (tmp_path / "journal").rglob("*.cursor"):
        cursor.unlink()
    weir = start(**further)
    weir.drain()
    weir.stop()
    assert {s.span.span_id for s in archives.spans(download(store, tmp_path / "copy"))} == sent
    assert not archives.published(root)
    wrong = [name for name, count in count_spans(tmp_path / "copy").items() if count > 1]
    assert not wrong


def count_spans(directory):
    counts = {}
    for found in archives.spans(directory):
        counts[found.span.span_id] = counts.get(found.span.span_id, 0) + 1
    return counts


def test_an_archive_that_gets_a_bucket_brings_what_it_has(start, stores, tmp_path):
    store, root = stores(), tmp_path / "archive"
    weir = start(exporters={"archive": archive(root)})
    sent = send(weir)
    weir.stop()
    before = tree(root)
    weir = start(exporters=keys(root, store))
    eventually(lambda: len(store.names()) == len(before), weir.log, 30)
    assert in_bucket(store) == before and sent


def test_a_stop_does_not_wait_for_all_that_an_archive_has(start, stores, tmp_path):
    store, root = stores(mood=lambda *_: DENIED), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters={"archive": archive(root)})
    send(weir, 1)
    weir.stop()
    [manifest] = root.rglob("_*.manifest.json")
    content, count = manifest.read_text(), 5_000
    for number in range(2, count):
        sequence = f"{number:020}"
        name = manifest.name.replace(f"{1:020}-{1:020}", f"{sequence}-{sequence}")
        own = content.replace('"number":1,', f'"number":{number},').replace(manifest.name[1:-14], name[1:-14])
        (manifest.parent / name).write_text(own)
    weir = start(directory=tmp_path, exporters=keys(root, store))
    eventually(lambda: outbox(root), weir.log, 60)
    weir.stop()
    assert len(outbox(root)) < count - 1


def test_what_went_up_before_files_were_to_go_from_here_goes_too(start, stores, tmp_path, journal):
    store, root = stores(), tmp_path / "archive"
    weir = start(exporters=keys(root, store), journal=journal)
    send(weir)
    weir.drain()
    eventually(lambda: store.names() and not outbox(root), weir.log, 30)
    weir.stop()
    assert archives.published(root)
    for _ in range(2):
        weir = start(exporters=keys(root, store, storage={"remove_local_after": "0s"}), journal=journal)
        eventually(lambda: not archives.published(root) and not outbox(root), weir.log, 30)
        # It was there already.
        assert weir.metric("weir_archive_upload_files") == 0
        weir.stop()
    whole(store)


def retain(store):
    """As a bucket with a retention policy: what is there is neither put again nor removed."""

    def mood(method, target):
        name = urllib.parse.unquote(target.partition("?")[0]).removeprefix(f"/{BUCKET}/")
        return DENIED if method in ("PUT", "DELETE") and name in store.objects else OK

    store.mood = mood


def test_a_file_that_the_bucket_refuses_keeps_no_other_from_it(start, stores, tmp_path):
    store, root = stores(), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, store, storage={"remove_local_after": "5s"}))
    post(weir.endpoint, a_body(a_span(attributes=[text("user.id", "maria-4711")]), a_span()))
    uploaded(weir, root)
    retain(store)
    config = ["--config", str(weir.config)]
    done = command("erase", "subject", *config, "--tenant", "default", "--subject", "user.id=maria-4711", cwd=tmp_path, deadline=60)
    assert done.returncode == 3 and "files are in the bucket as they were" in done.stdout, done
    [refused] = outbox(root)
    for number in range(3):
        send(weir)
        eventually(lambda: len(manifests_in(store)) >= 2 + number and outbox(root) == [refused], weir.log, 30)
    # What is in the bucket goes from here all the same.
    eventually(lambda: len(list(root.rglob("_*.manifest.json"))) == 1, weir.log, 60)
    assert "AccessDenied" in weir.log() and refused in weir.log() and not list((root / ".upload").glob("*.aside"))
    # It is tried again for ever.
    store.mood = lambda *_: OK
    eventually(lambda: command("erase", "apply", *config, cwd=tmp_path, deadline=60).returncode == 0, weir.log, 60)
    assert not outbox(root)


def test_a_removal_that_the_bucket_refuses_keeps_no_other_from_it(start, stores, tmp_path):
    store, root = stores(), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, store))
    send(weir)
    uploaded(weir, root)
    places = [f"tenant=default/date=2026-02-03/hour=04/x{number}.otlp" for number in range(12)]
    store.objects |= {f"{PREFIX}/{place}": b"x" for place in places}
    # Nor does a tenant whose files it refuses.
    store.mood = lambda method, target: DENIED if (method, "x7.otlp" in target) == ("DELETE", True) or method == "PUT" else OK
    send(weir)
    eventually(lambda: outbox(root), weir.log, 30)
    up = root / ".upload"
    for number, place in enumerate(places):
        (up / f"{number}.new").write_text(f"{place}\n")
        (up / f"{number}.new").rename(up / f"{number}.remove")
    eventually(lambda: [path.name for path in up.glob("*.remove")] == ["7.remove"], weir.log, 30)
    assert [name for name in store.names() if "/x" in name] == [f"{PREFIX}/{places[7]}"] and outbox(root)
    store.mood = lambda *_: OK
    uploaded(weir, root, 2)
    eventually(lambda: not list(up.glob("*.remove")), weir.log, 30)


def test_files_go_up_between_removals(start, stores, tmp_path):
    store, root = stores(), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, store))
    send(weir)
    uploaded(weir, root)
    up, left = root / ".upload", []

    def mood(method, target):
        # While the first one is removed a file comes.
        if method == "DELETE" and not left:
            left.append(None)
            send(weir)
            eventually(lambda: outbox(root), weir.log, 30)
        if method == "PUT" and len(left) == 1:
            left.append(len(list(up.glob("*.remove"))))
        return OK

    store.mood = mood
    for number in range(350):
        (up / f"{number}.new").write_text(f"tenant=default/date=2026-02-03/hour=04/x{number}.otlp\n")
    for number in range(350):
        (up / f"{number}.new").rename(up / f"{number}.remove")
    eventually(lambda: not list(up.glob("*.remove")), weir.log, 60)
    uploaded(weir, root, 2)
    assert left[1] >= 150, left


def test_the_bucket_is_not_asked_in_vain(start, stores, tmp_path):
    store, root = stores(), tmp_path / "archive"
    (root / ".erasing").mkdir(parents=True)
    descriptor = os.open(root / ".erasing", os.O_RDONLY)
    weir = start(directory=tmp_path, exporters=keys(root, store, storage={"remove_local_after": "0s"}))
    # As who erases or merges for hours.
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    for files in range(1, 6):
        send(weir)
        uploaded(weir, root, files)
    counts = Counter(name for method, name, _ in store.requests if method == "HEAD")
    # Before and after it went up.
    assert set(counts.values()) == {2}, counts
    os.close(descriptor)
    eventually(lambda: not list(root.rglob("_*.manifest.json")), weir.log, 30)


def test_what_is_damaged_here_is_not_uploaded(start, stores, tmp_path):
    down = True
    store, root = stores(mood=lambda *_: SLOW if down else OK), tmp_path / "archive"
    weir = start(exporters=keys(root, store))
    send(weir)
    eventually(lambda: outbox(root), weir.log)
    [file] = archives.published(root)
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    # As if it had been so for long: it might be about to be replaced.
    for name in outbox(root):
        os.utime(root / ".upload" / name, (1, 1))
    down = False
    eventually(lambda: "not what its manifest says" in weir.log(), weir.log, 30)
    assert not [name for name in store.names() if name.endswith(".manifest.json")]
    [aside] = (root / ".upload").glob("*.aside")
    # When it is removed here it is taken up again, and is in nobody's way.
    list_removal(root, [path.relative_to(root) for path in [*root.rglob("_*.manifest.json"), file]])
    for path in [*root.rglob("_*.manifest.json"), file]:
        path.unlink()
    eventually(lambda: not aside.exists() and not (root / ".upload" / "x.remove").exists(), weir.log, 30)
    assert not store.names() and not outbox(root)


@pytest.mark.parametrize(
    "change, problem",
    [
        ({"bucket": None}, "object_storage.bucket: is missing, wanted a string"),
        ({"bucket": "a/b"}, "wanted the name of a bucket"),
        ({"secret_access_key": None}, "found no credentials, wanted access_key_id and secret_access_key, or credentials_file"),
        ({"credentials_file": "nowhere"}, "found two kinds of credentials, wanted one"),
        ({"access_key_id": None, "secret_access_key": None, "credentials_file": "nowhere"}, "open nowhere: no such file"),
        ({"endpoint": "http://127.0.0.1:1/path"}, "found a URL with a path, wanted one without"),
        ({"part_size": "1MiB"}, "wanted a size in 5MiB...256MiB"),
        ({"remove_local_after": "soon"}, "wanted a duration such as 0s or 24h"),
        ({"storage_class": "cold"}, "wanted a storage class such as STANDARD_IA"),
        ({"provider": "azure"}, "wanted one of s3, gcs"),
        ({"prefix": "../x"}, "wanted at most 512 characters of ASCII"),
        ({"buckett": "x"}, "is not a known key"),
    ],
)
def test_check_names_what_is_wrong(tmp_path, change, problem):
    own = {"endpoint": "http://127.0.0.1:1", "bucket": "traces", "access_key_id": "id", "secret_access_key": "a secret"}
    own = {key: value for key, value in {**own, "secret_access_key": "abcdefghijklmnop", **change}.items() if value is not None}
    file = tmp_path / "collector.yaml"
    file.write_text(configuration(exporters={"archive": archive(tmp_path / "a", object_storage=own)}))
    done = command("check", "--config", str(file))
    out = done.stdout + done.stderr
    assert done.returncode == 1 and problem in out, out
    assert "abcdefghijklmnop" not in out


def test_print_config_shows_no_credentials(tmp_path):
    own = {"bucket": "traces", "access_key_id": "AKIDHIDDEN", "secret_access_key": "abcdefghijklmnop", "region": "eu-central-1"}
    file = tmp_path / "collector.yaml"
    file.write_text(configuration(exporters={"archive": archive(tmp_path / "a", object_storage=own)}))
    done = command("print-config", "--config", str(file))
    assert done.returncode == 0 and "abcdefghijklmnop" not in done.stdout and "AKIDHIDDEN" not in done.stdout
    assert "part_size: 16MiB" in done.stdout, done.stdout


@pytest.mark.parametrize("format", ["otlp_json", "parquet"])
def test_the_commands_look_into_a_bucket(start, stores, tmp_path, format):
    store, root = stores(), tmp_path / "archive"
    weir = start(exporters=keys(root, store, format))
    send(weir)
    # Those with a clock that is far off stand together.
    start_time = time.time_ns()
    post(weir.endpoint, a_body(a_span(start_time_unix_nano=start_time, end_time_unix_nano=start_time + 1)))
    uploaded(weir, root, 2)
    config = ["--config", str(weir.config), "--directory", f"s3://{BUCKET}/{PREFIX}"]

    def same(*arguments):
        there = command("archive", *arguments, *config)
        here = command("archive", *arguments, "--directory", str(root))
        assert there.returncode == 0 and there.stdout == here.stdout and there.stdout, (there, here)
        return there.stdout

    # A directory that somebody's tool has made up is no file.
    made_up = [f"{PREFIX}/{tree}tenant=default/" for tree in ("", "spans/")]
    store.objects |= dict.fromkeys(made_up, b"")
    for arguments in (["ls"], ["ls", "--json"], ["stat"], ["verify"], ["ls", "--from", "2026-01-01"]):
        same(*arguments)
    for name in made_up:
        del store.objects[name]
    # A manifest that is gone when it is asked for has made way for another: that one is there at the next look.
    manifest, gone = next(name for name in store.names() if name.endswith(".manifest.json")), {}

    def merging(_, target):
        if "list-type" in target:
            store.objects.update(gone)
        elif urllib.parse.unquote(target).endswith(manifest) and not gone:
            gone[manifest] = store.objects.pop(manifest)
        return OK

    store.mood = merging
    same("ls")
    assert gone and store.objects[manifest]
    store.mood = lambda *_: OK
    assert ": whole" in same("verify")
    if format == "otlp_json":
        assert same("cat").count("resourceSpans") == 21
        today = time.strftime("%Y-%m-%d", time.gmtime(start_time // 10**9))
        assert same("cat", "--from", today).count("resourceSpans") == 1
    # What is not what it was, and what is not there.
    files = [name for name in store.names() if "/_" not in name]
    store.objects[files[0]] += b"?"
    del store.objects[files[1]]
    done = command("archive", "verify", *config)
    assert done.returncode == 1 and "wanted" in done.stdout and "is missing" in done.stdout, done
    other = command("archive", "ls", "--config", str(weir.config), "--directory", "s3://another")
    assert other.returncode != 0 and "found no archive in" in other.stderr


@pytest.mark.parametrize("format", ["otlp_json", "parquet"])
def test_verify_reads_each_file_of_a_bucket_once(start, stores, tmp_path, format):
    store, root = stores(), tmp_path / "archive"
    weir = start(exporters=keys(root, store, format))
    send(weir)
    uploaded(weir, root, 1)
    weir.stop()
    config = ["--config", str(weir.config), "--directory", f"s3://{BUCKET}/{PREFIX}"]
    store.requests.clear()
    done = command("archive", "verify", *config)
    assert done.returncode == 0 and ": whole" in done.stdout, done
    asked = Counter(name for method, name, query in store.requests if method == "GET" and name in store.objects)
    assert set(asked) == set(store.names()) and set(asked.values()) == {1}, asked
    # One that is gone is missing, and ends nothing.
    files = [name for name in store.names() if "/_" not in name]
    del store.objects[files[0]]
    done = command("archive", "verify", *config)
    assert done.returncode == 1 and "is missing" in done.stdout and "1 problem" in done.stdout, done


def there(weir):
    return ["--config", str(weir.config), "--directory", f"s3://{BUCKET}/{PREFIX}"]


def in_files(weir, root, bodies):
    """One file for each."""
    before = len(list(root.rglob("_*.manifest.json")))
    for number, body in enumerate(bodies, before + 1):
        assert post(weir.endpoint, body).status == 200
        eventually(lambda: len(list(root.rglob("_*.manifest.json"))) >= number, weir.log, 30)
    uploaded(weir, root, before + len(bodies))


def test_a_bucket_in_which_files_are_merged_meanwhile_is_whole(start, stores, tmp_path):
    store, root = stores(), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, store))
    told = [text("gen_ai.conversation.id", "c1")]
    in_files(weir, root, [a_body(a_span(attributes=told)) for _ in range(3)])
    commands = (["verify"], ["conversation", "c1", "--tenant", "default"])
    for number, arguments in enumerate(commands):
        merged = []

        def merging(method, target):
            if method == "GET" and target.partition("?")[0].endswith(".otlp") and not merged:
                merged.append(compacted(weir, tmp_path))
                eventually(lambda: in_bucket(store) == tree(root), weir.log, 30)
            return OK

        store.mood = merging
        done = command("archive", *arguments, *there(weir), deadline=60)
        assert merged and "merged into 1" in merged[0].stdout, merged
        assert done.returncode == 0, done
        if arguments[0] == "conversation":
            document = json.loads(done.stdout)
            assert document["spans"] == 4 and len(document["files"]) == 1, document
        store.mood = lambda *_: OK
        # To be merged with what there is.
        in_files(weir, root, [a_body(a_span(attributes=told))])


def test_a_file_whose_manifest_is_on_its_way_has_one(start, stores, tmp_path):
    store, root = stores(), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, store, "parquet"))
    send(weir)
    uploaded(weir, root)
    weir.stop()
    [manifest] = manifests_in(store)
    content, asked = store.objects.pop(manifest), []

    def coming(_, target):
        if urllib.parse.unquote(target).endswith(manifest):
            asked.append(target)
            if len(asked) == 2:
                store.objects[manifest] = content
        return OK

    store.mood = coming
    done = command("archive", "verify", *there(weir), deadline=60)
    assert done.returncode == 0 and ": whole" in done.stdout, done
    # One that does not come is missed.
    del store.objects[manifest]
    store.mood = lambda *_: OK
    done = command("archive", "verify", *there(weir), deadline=60)
    assert done.returncode == 1 and "found no manifest beside it" in done.stdout, done


def test_only_the_day_is_looked_at_again_of_which_a_manifest_went(start, stores, tmp_path):
    store, root = stores(), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, store))
    times = [time.time_ns() - days * 86_400 * 10**9 for days in (3, 0)]
    in_files(weir, root, [a_body(a_span(start_time_unix_nano=when, end_time_unix_nano=when + 1)) for when in times])
    weir.stop()
    old, new = manifests_in(store)
    # As a list that is behind: the same names are gone at each of four looks.
    looks = []

    def going(_, target):
        name = urllib.parse.unquote(target.partition("?")[0]).removeprefix(f"/{BUCKET}/")
        if name == new and new in store.objects and len(looks) < 4:
            looks.append(store.objects.pop(new))
        elif "list-type" in target and looks:
            store.objects[new] = looks[0]
        return OK

    store.mood, store.requests[:] = going, []
    done = command("archive", "ls", *there(weir), deadline=60)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 3 and len(looks) == 4, done
    assert Counter(name for method, name, _ in store.requests if method == "GET")[old] == 1


@pytest.mark.parametrize("where", ["directory", "bucket"])
def test_cat_prints_each_span_once_while_files_are_merged(start, stores, tmp_path, dice, where):
    store, root = stores(), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, store))
    in_files(weir, root, [large(1, dice) for _ in range(3)])
    own = there(weir) if where == "bucket" else ["--directory", str(root)]
    # It waits for whoever reads.
    arguments = [BINARY, "archive", "cat", *own]
    with subprocess.Popen(arguments, bufsize=0, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        first = process.stdout.read(1)
        done = compacted(weir, tmp_path)
        assert "3 files merged into 1" in done.stdout, done
        eventually(lambda: in_bucket(store) == tree(root), weir.log, 30)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0 and not errors, errors
    found = re.findall(rb'"spanId":"(\w+)"', first + output)
    assert len(found) == 3 and len(set(found)) == 3, found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_stays_of_a_copy_that_is_interrupted(start, stores, tmp_path, dice, number):
    store, root, temporary = stores(), tmp_path / "archive", tmp_path / "temporary"
    temporary.mkdir()
    weir = start(directory=tmp_path, exporters=keys(root, store))
    in_files(weir, root, [large(1, dice)])
    env = {**os.environ, "TMPDIR": str(temporary)}
    arguments = [BINARY, "archive", "cat", *there(weir)]
    with subprocess.Popen(arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(1)
        [copy] = temporary.iterdir()
        assert copy.stat().st_mode & 0o777 == 0o700
        # What somebody uses is nobody else's to remove.
        assert command("archive", "ls", *there(weir), env={"TMPDIR": str(temporary)}).returncode == 0
        assert list(temporary.iterdir()) == [copy]
        process.send_signal(number)
        process.wait(30)
    if number == signal.SIGKILL:
        assert list(temporary.iterdir()) == [copy]
        assert command("archive", "ls", *there(weir), env={"TMPDIR": str(temporary)}).returncode == 0
    assert not list(temporary.iterdir()) and process.returncode != 0


def test_a_trace_is_found_in_a_bucket_whatever_else_is_not(start, stores, tmp_path):
    store, root, trace = stores(), tmp_path / "archive", bytes(range(16))
    weir = start(exporters=keys(root, store, "otlp_json"))
    for hour in range(3):
        when = time.time_ns() - hour * 3600 * 10**9
        told = [text("gen_ai.conversation.id", "c1")]
        body = a_body(a_span(trace_id=trace, start_time_unix_nano=when, end_time_unix_nano=when + 1, attributes=told))
        assert post(weir.endpoint, body).status == 200
    uploaded(weir, root, 3)
    config = ["--config", str(weir.config), "--directory", f"s3://{BUCKET}/{PREFIX}"]

    def find():
        done = command("archive", "find", trace.hex(), *config)
        return done.returncode, len(done.stdout.splitlines()), done.stderr

    assert find()[:2] == (0, 3)
    before = dict(store.objects)
    for name in store.names():
        if name.endswith(".bloom"):
            del store.objects[name]
    assert find()[:2] == (0, 3), "a filter costs time"
    store.objects |= before
    file = next(name for name in store.names() if "/_" not in name)
    del store.objects[file]
    code, lines, errors = find()
    assert (code, lines) == (1, 2) and "and is missing" in errors, errors
    store.objects |= before
    stem = file.rpartition("/")[2].partition(".")[0]
    expired = [name for name in before if stem in name]

    def expiring(_, target):
        if urllib.parse.unquote(target).endswith(file):
            for name in expired:
                store.objects.pop(name, None)
        return OK

    store.mood = expiring
    assert len(expired) == 3 and find()[:2] == (0, 2)
    store.objects |= before
    # One file at a time is here, of an archive that may be larger than the disk.
    temporary, here = tmp_path / "temporary", []
    temporary.mkdir()

    def looking(_, target):
        if urllib.parse.unquote(target).endswith(".jsonl"):
            files = [path for path in temporary.rglob("*.jsonl") if path.stat().st_size > 0]
            here.append(len(files))
        return OK

    store.mood = looking
    done = command(
        "archive", "conversation", "c1", "--tenant", "default", *config, env={"TMPDIR": str(temporary)}
    )
    assert done.returncode == 0 and json.loads(done.stdout)["spans"] == 3, done
    assert len(here) >= 3 and set(here) == {0}, here
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("removed", [False, True, "unlisted"])
def test_an_erasure_reaches_the_bucket(start, stores, tmp_path, removed):
    store, root = stores(), tmp_path / "archive"
    own = {"remove_local_after": "0s"} if removed else {}
    weir = start(directory=tmp_path, exporters=keys(root, store, compression="none", storage=own))
    kept = [a_span() for _ in range(3)]
    person = a_span(attributes=[text("user.id", "maria-4711")])
    for span in [*kept, person]:
        post(weir.endpoint, a_body(span))

    def has(span):
        return any(span.span_id in content for content in list(store.objects.values()))

    eventually(lambda: has(person) and not outbox(root), weir.log, 30)
    if removed:
        eventually(lambda: not archives.published(root), weir.log, 30)
    if removed == "unlisted":
        # As a crash leaves it that comes between the manifest and the list.
        for entry in eventually(lambda: list((root / ".upload" / "away").iterdir()), weir.log):
            entry.unlink()
    config = ["--config", str(weir.config)]
    done = command("erase", "subject", *config, "--tenant", "default", "--subject", "user.id=maria-4711", cwd=tmp_path, deadline=60)
    assert done.returncode in (0, 3), done

    def complete():
        return command("erase", "apply", *config, cwd=tmp_path, deadline=60).returncode == 0

    eventually(complete, weir.log, 30)
    # Said to be complete is not before the bucket has it.
    assert not has(person)
    eventually(lambda: not has(person) and not outbox(root), lambda: f"{done.stdout}{weir.log()}", 30)
    if removed:
        eventually(lambda: not archives.published(root), weir.log, 30)
    whole(store)
    assert {found.span.span_id for found in archives.spans(download(store, tmp_path / "copy"))} == {s.span_id for s in kept}
    verified = command("archive", "verify", "--directory", str(tmp_path / "copy"))
    assert verified.returncode == 0, verified.stdout


@pytest.mark.parametrize("format", ["otlp_proto", "parquet"])
def test_an_erasure_brings_back_what_may_be_the_persons_only(start, stores, tmp_path, format):
    store, root = stores(), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, store, format, max_file_age="1s", storage={"remove_local_after": "0s"}))
    for number in range(6):
        user = "maria-4711" if number == 3 else f"user-{number}"
        post(weir.endpoint, a_body(a_span(attributes=[text("user.id", user)])))
        eventually(lambda: len(list(root.rglob("_*.uploaded.json"))) > number, weir.log, 30)
    store.requests.clear()
    config = ["--config", str(weir.config)]
    done = command("erase", "subject", *config, "--tenant", "default", "--subject", "enduser.id=maria-4711", cwd=tmp_path, deadline=60)
    assert done.returncode in (0, 3) and "archive: 1 spans" in done.stdout, done

    def read():
        return {name.rsplit("/", 1)[1].split(".")[0] for method, name, _ in store.requests
                if method == "GET" and "/_" not in name and "/.chain/" not in name and "tenant=" in name}

    assert len(read()) == 1, store.requests
    eventually(lambda: command("erase", "apply", *config, cwd=tmp_path, deadline=60).returncode == 0, weir.log, 30)
    assert len(read()) == 1, store.requests
    eventually(lambda: not outbox(root) and not archives.published(root), weir.log, 30)
    whole(store)
    nobody = command("erase", "subject", *config, "--tenant", "default", "--subject", "user.id=user-9", cwd=tmp_path, deadline=60)
    assert nobody.returncode == 0 and len(read()) == 1, nobody


def test_no_erasure_is_complete_while_the_bucket_before_may_have_spans(start, stores, tmp_path):
    before, store, root = stores(), stores(), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, before))
    send(weir, 1)
    uploaded(weir, root)
    weir.stop()
    weir = start(directory=tmp_path, exporters=keys(root, store))
    eventually(lambda: in_bucket(store) == tree(root), weir.log, 30)
    assert "another bucket than before" in weir.log()
    config = ["--config", str(weir.config)]
    person = ["--tenant", "default", "--subject", "user.id=nobody"]
    done = command("erase", "subject", *config, *person, cwd=tmp_path, deadline=60)
    assert done.returncode == 3 and f"files in the bucket before, {before.url}" in done.stdout, done
    (root / ".upload" / "former").write_text("")

    def complete():
        return command("erase", "apply", *config, cwd=tmp_path, deadline=60).returncode == 0

    eventually(complete, weir.log, 30)


def test_days_that_are_merged_are_merged_in_the_bucket(start, stores, tmp_path):
    store, root = stores(), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, store))
    sent = set()
    for files in (1, 2, 3):
        sent |= send(weir, 3)
        uploaded(weir, root, files)
    before = set(store.names())
    done = command("archive", "compact", "--config", str(weir.config), cwd=tmp_path, deadline=60)
    assert done.returncode == 0, done
    eventually(lambda: in_bucket(store) == tree(root), lambda: f"{store.names()} {done}\n{weir.log()}", 30)
    assert not before & set(store.names()) and len(store.names()) == 3
    assert {found.span.span_id for found in archives.spans(download(store, tmp_path / "copy"))} == sent


@pytest.mark.parametrize("format", ["otlp_proto", "parquet"])
def test_a_day_comes_back_from_the_bucket(start, stores, tmp_path, format):
    store, root = stores(), tmp_path / "archive"
    own = keys(root, store, format, storage={"remove_local_after": "0s"}) | {"sqlite": sqlite(tmp_path / "hot")}
    weir = start(directory=tmp_path, exporters=own)
    for _ in range(20):
        now = time.time_ns()
        post(weir.endpoint, a_body(a_span(start_time_unix_nano=now, end_time_unix_nano=now + 1)))
    weir.drain()
    eventually(lambda: store.names() and not archives.published(root) and not outbox(root), weir.log, 30)
    weir.stop()
    for path in (tmp_path / "hot").glob("spans-*"):
        path.unlink()
    restore = ["archive", "restore", "--config", str(weir.config), "--tenant", "default", "--from", "2020-01-01"]
    done = command(*restore, "--to", "2100-01-01", cwd=tmp_path)
    assert done.returncode == 1 and "that only the bucket has" in done.stderr and "0 spans restored" in done.stdout, done
    there = ["--to", "2100-01-01", "--directory", f"s3://{BUCKET}/{PREFIX}"]
    file = next(name for name in files_in(store) if not archives.FURTHER & set(name.split("/")))
    content = store.objects[file]
    store.objects[file] = content[:-1] + bytes([content[-1] ^ 1])
    done = command(*restore, *there, cwd=tmp_path)
    assert done.returncode == 1 and "not what its manifest says" in done.stderr, done
    store.objects[file] = content
    done = command(*restore, *there, cwd=tmp_path)
    assert "20 spans restored, 0 there already" in done.stdout, done


def test_what_is_to_go_goes_from_the_bucket_after_what_takes_its_place(start, stores, tmp_path):
    store, root = stores(), tmp_path / "archive"
    weir = start(exporters=keys(root, store))
    send(weir)
    uploaded(weir, root)
    names = [name.removeprefix(f"{PREFIX}/") for name in store.names()]
    list_removal(root, [*names, "not/there"])
    eventually(lambda: not store.names(), weir.log, 30)
    eventually(lambda: not (root / ".upload" / "x.remove").exists(), weir.log)
    deleted = [name for method, name, _ in store.requests if method == "DELETE"]
    assert deleted[0].endswith(".manifest.json") and f"{PREFIX}/not/there" in deleted
    # What another archive has put there under that name is not ours to remove, and neither is what it speaks of.
    send(weir)
    uploaded(weir, root, 2)
    [manifest] = [name for name in store.names() if name.endswith(".manifest.json")]
    ours, theirs = store.objects[manifest], store.objects[manifest].replace(b'{"', b'{ "', 1)
    assert ours != theirs
    lines = [name.removeprefix(f"{PREFIX}/") for name in store.names()] + [f"#{hashlib.sha256(ours).hexdigest()}"]
    there = set(store.names())
    store.objects[manifest] = theirs
    list_removal(root, lines)
    eventually(lambda: not (root / ".upload" / "x.remove").exists(), weir.log, 30)
    assert set(store.names()) == there and "leaves what is to go" in weir.log()
    store.objects[manifest] = ours
    list_removal(root, lines)
    eventually(lambda: not store.names(), weir.log, 30)


def stuck(start, store, root, dice, **further):
    """A Weir with a file that goes up in parts, of which two got there."""
    weir = start(exporters=keys(root, store, max_file_age="2s", compression="none", **further))
    person = a_span(attributes=[text("user.id", "maria-4711"), text("noise", dice.randbytes(6 << 20).hex())])
    for span in [person, a_span()]:
        post(weir.endpoint, a_body(span))
    eventually(lambda: sum(store.parts_put.values()) >= 2, weir.log, 30)
    return weir, person


@pytest.mark.parametrize("end", ["erased", "removed"])
def test_what_went_up_in_part_does_not_stay_there(start, stores, tmp_path, dice, end):
    down = True
    store = stores(mood=lambda _, target: SLOW if down and "partNumber=3" in target else OK)
    root = tmp_path / "archive"
    weir, person = stuck(start, store, root, dice)
    assert store.uploads
    if end == "erased":
        config = ["--config", str(weir.config), "--tenant", "default", "--subject", "user.id=maria-4711"]
        done = command("erase", "subject", *config, cwd=weir.directory, deadline=60)
        assert done.returncode in (0, 3), done
    else:
        [manifest] = root.rglob("_*.manifest.json")
        paths = [manifest, *archives.published(root), *root.rglob("_*.bloom")]
        list_removal(root, [path.relative_to(root) for path in paths])
        for path in paths:
            path.unlink()
    down = False
    eventually(lambda: not outbox(root) and not store.uploads and not list((root / ".upload").glob("*.remove")), weir.log, 60)
    assert in_bucket(store) == tree(root) and bool(store.names()) == (end == "erased")
    assert not any(person.span_id in content for content in store.objects.values())


def test_what_is_not_in_the_bucket_any_more_is_not_removed_here(start, stores, tmp_path):
    store, root = stores(), tmp_path / "archive"
    weir = start(exporters=keys(root, store, storage={"remove_local_after": "2s"}))
    sent = send(weir)
    uploaded(weir, root)
    whole_tree = tree(root)
    files = [name for name in store.names() if "/_" not in name]
    for name in files:
        del store.objects[name]
    eventually(lambda: "is not in the bucket any more" in weir.log(), weir.log, 30)
    eventually(lambda: not archives.published(root), weir.log, 30)
    assert in_bucket(store) == whole_tree
    assert {found.span.span_id for found in archives.spans(download(store, tmp_path / "copy"))} == sent


def test_a_file_that_cannot_be_read_does_not_hold_up_others(start, stores, tmp_path):
    down = True
    store, root = stores(mood=lambda *_: SLOW if down else OK), tmp_path / "archive"
    weir = start(exporters=keys(root, store))
    send(weir, 1)
    eventually(lambda: outbox(root), weir.log)
    [file] = archives.published(root)
    # A disk that cannot read is not at hand; a directory cannot be read either.
    size = file.stat().st_size
    file.unlink()
    file.mkdir()
    sent = send(weir, 1)
    eventually(lambda: len(outbox(root)) == 2, weir.log)
    down = False
    eventually(lambda: len(outbox(root)) == 1 and len(store.names()) == 3, weir.log, 30)
    assert size and {found.span.span_id for found in archives.spans(download(store, tmp_path / "copy"))} == sent


def test_an_internal_error_at_the_end_of_an_upload_costs_no_part(start, stores, tmp_path, dice):
    failures = 2

    def mood(method, target):
        nonlocal failures
        if method == "POST" and "uploadId" in target and failures:
            failures -= 1
            return INTERNAL
        return OK

    store, root = stores(mood=mood), tmp_path / "archive"
    weir = start(exporters=keys(root, store, max_file_age="2s"))
    for _ in range(3):
        post(weir.endpoint, large(4, dice))
    uploaded(weir, root)
    assert in_bucket(store) == tree(root) and not failures
    assert set(store.parts_put.values()) == {1} and not store.uploads


def test_nothing_goes_whose_successor_does_not_come(start, stores, tmp_path):
    store, root = stores(), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, store))
    sent = set()
    for files in (1, 2):
        sent |= send(weir, 3)
        uploaded(weir, root, files)
    before = set(store.names())
    store.mood = lambda *_: SLOW
    done = command("archive", "compact", "--config", str(weir.config), cwd=tmp_path, deadline=60)
    assert done.returncode == 0, done
    [merged] = root.rglob("_*.manifest.json")
    theirs = f"{PREFIX}/{merged.relative_to(root)}"
    store.objects[theirs], store.metadata[theirs] = b'{"files":[]}', {}
    erase = ["--config", str(weir.config), "--tenant", "default", "--subject", "user.id=nobody"]
    done = command("erase", "subject", *erase, cwd=tmp_path, deadline=60)
    assert done.returncode == 3 and "files of 2 manifests are still to go from the bucket" in done.stdout, done
    store.mood = lambda *_: OK
    eventually(lambda: "removes nothing in the bucket" in weir.log(), weir.log, 60)
    assert before < set(store.names()) and weir.metric("weir_archive_upload_pending_removals") == 2
    # Somebody sees to it.
    del store.objects[theirs]
    [aside] = (root / ".upload").glob("*.aside")
    aside.rename(aside.with_suffix(""))
    eventually(lambda: in_bucket(store) == tree(root), weir.log, 60)
    assert weir.metric("weir_archive_upload_pending_removals") == 0
    assert {found.span.span_id for found in archives.spans(download(store, tmp_path / "copy"))} == sent


def test_files_with_wrong_clocks_go_too(start, stores, tmp_path):
    store, root = stores(), tmp_path / "archive"
    weir = start(exporters=keys(root, store, "parquet", storage={"remove_local_after": "0s"}))
    now = time.time_ns()
    for moment in (now, 1):
        post(weir.endpoint, a_body(a_span(start_time_unix_nano=moment, end_time_unix_nano=moment + 1)))
    weir.drain()
    eventually(lambda: len(store.names()) == 8 and not outbox(root) and not archives.published(root), weir.log, 30)
    assert len(list(root.rglob("_*.uploaded.json"))) == 2 and len(list(root.rglob("_*.bloom"))) == 2


def files_in(store):
    """Those that have spans, or what comes of them."""
    return [name for name in store.names() if "/_" not in name and "/.chain/" not in name]


def ages(*classes):
    return {"storage_classes": [{"class": name, "after": after} for name, after in classes]}


@pytest.mark.parametrize("dialect, first", [("s3", "STANDARD_IA"), ("gcs", "NEARLINE")])
def test_files_move_to_the_storage_class_of_their_age(start, stores, tmp_path, dialect, first):
    store, root = stores(dialect), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, store))
    send(weir)
    uploaded(weir, root)
    weir.stop()
    before = {name: store.read(name) for name in store.names()}
    assert set(store.classes.values()) == {None}
    bad = [LOST, INTERNAL, RESET, SLOW]
    store.mood = lambda method, target: bad.pop() if bad and method == "PUT" else OK
    rules = ages((first, "0s"), ("COLDLINE", "30d"))
    weir = start(directory=tmp_path, exporters=keys(root, store, lifecycle=rules))
    eventually(lambda: {store.classes[name] for name in files_in(store)} == {first}, weir.log, 60)
    # What is read is where it was, and all is what it was.
    assert all(store.classes[name] is None for name in store.names() if "/_" in name)
    assert {name: store.read(name) for name in store.names()} == before and not bad
    eventually(lambda: (root / ".upload" / "classes").exists(), weir.log)
    # Also that of which the answer was lost.
    moved = len(store.moved)
    assert weir.metric("weir_archive_upload_moved_files") == moved
    # What comes now is there at once, and of what is there nobody is asked again.
    asked = len(store.requests)
    send(weir)
    uploaded(weir, root, 2)
    weir.stop()
    weir = start(directory=tmp_path, exporters=keys(root, store, lifecycle=rules))
    send(weir)
    uploaded(weir, root, 3)
    assert {store.classes[name] for name in files_in(store)} == {first} and len(store.moved) == moved
    assert not [name for _, name, _ in store.requests[asked:] if name in before]
    done = command("archive", "verify", "--config", str(weir.config), "--directory", f"s3://{BUCKET}/{PREFIX}", cwd=tmp_path)
    assert done.returncode == 0, done


def test_files_in_the_default_class_of_a_bucket_move_too(start, stores, tmp_path):
    store, root = stores("gcs"), tmp_path / "archive"
    store.default_class = "NEARLINE"
    weir = start(directory=tmp_path, exporters=keys(root, store))
    send(weir)
    uploaded(weir, root)
    assert {store.classes[name] for name in files_in(store)} == {"NEARLINE"}
    weir.stop()
    weir = start(directory=tmp_path, exporters=keys(root, store, lifecycle=ages(("COLDLINE", "0s"))))
    eventually(lambda: {store.classes[name] for name in files_in(store)} == {"COLDLINE"}, weir.log, 60)
    assert "does not say its storage class" not in weir.log()


def test_moto_has_them_in_that_class(start, bucket, tmp_path):
    root = tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, bucket, "parquet"))
    send(weir)
    uploaded(weir, root)
    weir.stop()
    before = {name: bucket.read(name) for name in bucket.names()}
    weir = start(directory=tmp_path, exporters=keys(root, bucket, "parquet", lifecycle=ages(("GLACIER_IR", "0s"))))

    def classes(isfile):
        names = [name for name in bucket.names() if ("/_" not in name) == isfile]
        return {bucket.client.head_object(Bucket=BUCKET, Key=name).get("StorageClass") for name in names}

    eventually(lambda: classes(True) == {"GLACIER_IR"}, weir.log, 60)
    assert classes(False) == {None} and {name: bucket.read(name) for name in bucket.names()} == before


def test_what_somebody_s_rule_has_moved_stays_there(start, stores, tmp_path):
    store, root = stores(), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, store))
    send(weir)
    uploaded(weir, root)
    weir.stop()
    for name in files_in(store):
        store.classes[name] = "DEEP_ARCHIVE"
    weir = start(directory=tmp_path, exporters=keys(root, store, lifecycle=ages(("STANDARD_IA", "0s"))))
    eventually(lambda: (root / ".upload" / "classes").exists(), weir.log, 60)
    assert not store.moved and {store.classes[name] for name in files_in(store)} == {"DEEP_ARCHIVE"}


@pytest.mark.parametrize(("mood", "left"), [(DENIED, None), (CLASSLESS, "STANDARD")])
def test_what_cannot_be_moved_keeps_nothing_else_from_it(start, stores, tmp_path, mood, left):
    store, root = stores(), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, store))
    for files in (1, 2):
        send(weir)
        uploaded(weir, root, files)
    weir.stop()
    [stays, *others] = files_in(store)
    store.mood = lambda method, target: mood if method == "PUT" and stays in urllib.parse.unquote(target) else OK
    weir = start(directory=tmp_path, exporters=keys(root, store, lifecycle=ages(("STANDARD_IA", "0s"))))
    eventually(lambda: {store.classes[name] for name in others} == {"STANDARD_IA"}, weir.log, 60)
    send(weir)
    uploaded(weir, root, 3)
    assert store.classes[stays] == left
    # It is said once, and tried again on another day: all of them are asked about then.
    assert weir.log().count("could not move a file to another storage class") == 1
    assert not (root / ".upload" / "classes").exists()


def sent_away(start, store, tmp_path, format="otlp_proto", files=3):
    """A Weir whose files of a day that is over only the bucket has; the ids of their spans, and how many there are."""
    root, sent = tmp_path / "archive", set()
    weir = start(directory=tmp_path, exporters=keys(root, store, format, storage={"remove_local_after": "0s"}))

    def away():
        return [json.loads(path.read_bytes())["spans"] for path in root.rglob("_*.uploaded.json")]

    for _ in range(files):
        sent |= send(weir, 3)
        weir.drain()
        eventually(lambda: sum(away()) == len(sent), weir.log, 60)  # noqa: B023
    eventually(lambda: not archives.published(root), weir.log, 60)
    return weir, root, sent, len(away())


def compacted(weir, directory, **keys):
    return command("archive", "compact", "--config", str(weir.config), cwd=directory, deadline=120, **keys)


def manifests_in(store):
    return [name for name in store.names() if name.endswith(".manifest.json")]


@pytest.mark.parametrize("format", ["otlp_proto", "parquet"])
def test_files_that_only_the_bucket_has_are_merged(start, stores, tmp_path, format):
    store = stores()
    weir, root, sent, count = sent_away(start, store, tmp_path, format)
    before = set(store.names())
    done = compacted(weir, tmp_path)
    assert done.returncode == 0 and f"{count} files merged into 1" in done.stdout, done
    assert f"{count} files brought from the bucket" in done.stdout, done
    eventually(lambda: len(manifests_in(store)) == 1 and not archives.published(root), weir.log, 60)
    eventually(lambda: not before & set(store.names()), weir.log, 60)
    copy = download(store, tmp_path / "copy")
    if format == "parquet":
        assert {row["span_id"] for row in parquets.by_duckdb(copy)} == {span.hex() for span in sent}
    else:
        assert {found.span.span_id for found in archives.spans(copy)} == sent
    there = ["archive", "verify", "--config", str(weir.config), "--directory", f"s3://{BUCKET}/{PREFIX}"]
    assert command(*there, cwd=tmp_path).returncode == 0
    # What is merged is not brought again.
    asked = len(store.requests)
    assert "0 files merged into 0" in compacted(weir, tmp_path).stdout
    assert not [name for method, name, _ in store.requests[asked:] if method == "GET"]


def test_what_cannot_be_had_from_the_bucket_is_named_and_left(start, stores, tmp_path):
    store = stores()
    weir, root, _, count = sent_away(start, store, tmp_path)
    before = in_bucket(store)
    for name in files_in(store):
        store.classes[name] = "GLACIER"
    done = compacted(weir, tmp_path)
    assert done.returncode == 1 and "InvalidObjectState" in done.stderr and "0 files merged" in done.stdout, done
    for name in files_in(store):
        store.classes[name] = None
    [damaged, *_] = files_in(store)
    store.objects[damaged] = store.objects[damaged][:-1] + b"?"
    done = compacted(weir, tmp_path)
    assert done.returncode == 1 and "not what its manifest says" in done.stderr, done
    store.objects[damaged] = before[damaged.removeprefix(f"{PREFIX}/")]
    assert in_bucket(store) == before
    done = compacted(weir, tmp_path)
    assert done.returncode == 0 and f"{count} files merged into 1" in done.stdout, done


def test_what_is_here_is_merged_though_the_bucket_gives_nothing(start, stores, tmp_path):
    store = stores()
    weir, root, _, _ = sent_away(start, store, tmp_path)
    weir.stop()
    weir = start(directory=tmp_path, exporters=keys(root, store))
    for files in (1, 2):
        send(weir, 3)
        weir.drain()
        eventually(lambda: len(archives.published(root)) == files and not outbox(root), weir.log)  # noqa: B023
    store.mood = lambda method, target: DENIED if method == "GET" else OK
    done = compacted(weir, tmp_path)
    assert done.returncode == 1 and "AccessDenied" in done.stderr, done
    assert "2 files merged into 1" in done.stdout, done


# What bringing and merging do with files, in the order in which they do so.
STEPS = [
    ("write", "/.upload/"),
    ("fsync", "/.upload/"),
    ("rename", "/.upload/"),
    ("rename", "/archive/tenant"),
    ("write", "/.erasing/"),
    ("rename", "/.erasing/"),
    ("link", "/.erasing/"),
    ("unlink", "/archive/"),
]


@pytest.mark.parametrize("call, path", STEPS)
def test_a_kill_while_files_are_brought_and_merged_costs_nothing(start, stores, faults, tmp_path, call, path):
    store = stores()
    weir, root, sent, _ = sent_away(start, store, tmp_path)
    weir.stop()
    dead = 0
    for action, number in [("before", 1), ("after", 1), ("after", 3)]:
        done = compacted(weir, tmp_path, env=faults.at(call, path, action, number))
        dead += done.returncode == -signal.SIGKILL
    assert dead, f"{call} {path}: was not called"
    weir = start(directory=tmp_path, exporters=keys(root, store, storage={"remove_local_after": "0s"}))
    assert compacted(weir, tmp_path).returncode == 0
    eventually(lambda: len(manifests_in(store)) == 1 and not archives.published(root), weir.log, 60)
    eventually(lambda: not list((root / ".upload").glob("*.remove")), weir.log, 60)
    assert sorted(found.span.span_id for found in archives.spans(download(store, tmp_path / "copy"))) == sorted(sent)


def test_a_bucket_says_what_was_removed_on_purpose(start, stores, tmp_path):
    store, root = stores(), tmp_path / "archive"
    weir = start(directory=tmp_path, exporters=keys(root, store))
    for files in (1, 2, 3):
        send(weir, 1)
        uploaded(weir, root, files)
    manifests = {json.loads(path.read_bytes())["number"]: path for path in root.rglob("_*.manifest.json")}
    # As when its time was over: nobody else has the time to wait for that.
    second, text_of = manifests[2], json.loads(manifests[2].read_bytes())
    paths = [second, root / text_of["files"][0]["path"], root / text_of["bloom"]["path"]]
    line = {"at": "2026-02-03T04:05:06Z", "why": "expired", "journal": text_of["journal"], "numbers": [[2, 2]]}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    config = elsewhere / "collector.yaml"
    config.write_text(configuration(exporters=keys(elsewhere / "archive", store)))

    def verified():
        there = ["archive", "verify", "--config", str(config), "--directory", f"s3://{BUCKET}/{PREFIX}"]
        return command(*there, cwd=elsewhere, deadline=60)

    assert verified().returncode == 0
    content = {name: store.objects.pop(name) for name in list(store.names()) if second.name.split(".")[0].strip("_") in name}
    done = verified()
    assert len(content) == 3 and done.returncode == 1 and "manifests 2 to 2 are missing" in done.stdout, done
    store.objects |= content
    with open(root / ".chain" / "removed.jsonl", "a") as file:
        file.write(json.dumps(line) + "\n")
    list_removal(root, [path.relative_to(root) for path in paths])
    for path in paths:
        path.unlink()
    eventually(lambda: len(manifests_in(store)) == 2, weir.log, 60)
    assert [name for name in store.names() if "/.chain/removed-" in name]
    done = verified()
    assert done.returncode == 0 and "2 files" in done.stdout, done
