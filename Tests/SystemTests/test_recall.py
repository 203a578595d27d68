"""The ring of what tail sampling left out: it gives way, keeps nobody waiting, and is found again after a reload."""

import subprocess

from otlp import a_body, a_span, text
from test_disk import small_disk  # noqa: F401, a fixture
from test_encryption import FIRST, SECOND, write_keys
from test_reload import Reloading
from test_tail_sampling import ERROR, staged
from waiting import eventually
from weir import archive, command, forward
from wire import post


def sampling(ring, further=""):
    return f"""{{ decision_wait: 1s, decision_wait_after_root_received: 100ms, {further} policies: [
    {{ name: errors, type: status_code, status_code: {{ status_codes: [ERROR] }} }} ],
    recall: {{ directory: {ring}, max_bytes: 16MiB, max_age: 10m }} }}"""


def send(weir, **fields):
    """Sends a trace of one span."""
    span = a_span(**fields)
    assert post(weir.endpoint, a_body(span)).status == 200
    return span


def recalled(weir, count):
    """Waits until so many spans were put into the ring."""
    eventually(lambda: weir.metric("weir_tail_sampling_recall_spans") == count, weir.log, 15)


def promoted(weir, span):
    """What is said of calling a span's trace back."""
    done = command(
        "promote", "--config", str(weir.config), "--trace", span.trace_id.hex(), cwd=weir.directory, deadline=60)
    return done.stdout or done.stderr


def bytes_on_disk(directory):
    return int(subprocess.run(["du", "-s", "-B1", directory], capture_output=True, text=True).stdout.split()[0])


def test_the_ring_gives_the_disk_back_to_the_journals(start, small_disk):  # noqa: F811
    """The destination is away, so the second journal grows, on the disk that the ring has filled."""
    filler = text("filler", "x" * 200_000)
    journal = {"directory": str(small_disk / "journal"), "max_bytes": "16MiB", "min_free_bytes": "2MiB"}
    exporters = {"otlp_http": forward("http://127.0.0.1:1")}
    ring = small_disk / "recall"
    weir = start(text=staged(sampling(ring), exporters=exporters, journal=journal))

    def take(count, **fields):
        """Sends until so many were taken."""
        left = [count]

        def is_taken():
            left[0] -= post(weir.endpoint, a_body(a_span(attributes=[filler], **fields))).status == 200
            return left[0] == 0

        eventually(is_taken, lambda: f"{left[0]} of {count} left; {weir.get('/healthz')[2]}\n{weir.log()}", 120)

    take(70)
    eventually(lambda: weir.metric("weir_tail_sampling_waiting_records") == 0, weir.log, 30)
    before = bytes_on_disk(ring)
    assert before > 6 << 20
    # More than was left: they are taken while the oldest of the ring goes.
    take(65, status=ERROR)
    eventually(lambda: weir.metric("weir_tail_sampling_waiting_records") == 0, weir.log, 60)
    assert bytes_on_disk(ring) < before - (3 << 20)
    weir.stop()


def test_a_record_of_the_ring_whose_key_is_away_keeps_no_recall_waiting(start, tmp_path):
    journal = {"directory": str(tmp_path / "journal"), "max_bytes": "64MiB", "encryption": "keystore"}
    store = f"{{ key_encryption_keys: {{ file: {tmp_path}/kek }}, path: {tmp_path}/keys/keys.db }}"
    config = staged(
        sampling(tmp_path / "recall"), exporters={"archive": archive(tmp_path / "archive")}, journal=journal)
    config += f"extensions: {{ keystore: {store} }}\n"
    # The second opens the store, and the first is that of the record.
    write_keys(tmp_path, SECOND)
    start(text=config).stop()
    write_keys(tmp_path, FIRST, SECOND)
    weir = start(text=config)
    old = send(weir)
    recalled(weir, 1)
    weir.drain()
    weir.stop()
    write_keys(tmp_path, SECOND)
    weir = start(text=config)
    new = send(weir)
    recalled(weir, 1)
    assert promoted(weir, new) == "1 trace, 1 span\n"
    assert promoted(weir, old) == "0 traces, 0 spans\n"
    assert "left out records of the ring whose keys are away" in weir.log()
    weir.stop()
    write_keys(tmp_path, SECOND, FIRST)
    weir = start(text=config)
    assert promoted(weir, old) == "1 trace, 1 span\n"


def test_a_reload_that_gives_a_pipeline_another_name_leaves_it_its_ring(start, tmp_path):
    journal = {"directory": str(tmp_path / "journal"), "max_bytes": "64MiB"}

    def named(pipeline):
        config = staged(
            sampling(tmp_path / "recall"), exporters={"archive": archive(tmp_path / "archive")}, journal=journal)
        return config.replace("    traces:\n", f"    {pipeline}:\n") + "  operations: { endpoint: 127.0.0.1:0 }\n"

    program = Reloading(start(text=named("traces/a")))
    before = send(program.weir)
    recalled(program.weir, 1)
    assert program.reload(named("traces/b"))[0] == 200
    eventually(lambda: program.weir.get("/healthz")[2] == "ok\n", lambda: program.weir.get("/healthz")[2], 30)
    after = send(program.weir)
    recalled(program.weir, 2)
    assert promoted(program.weir, before) == promoted(program.weir, after) == "1 trace, 1 span\n"


def test_who_was_erased_while_a_trace_was_open_is_not_in_the_ring(start, tmp_path):
    config = staged(
        sampling(tmp_path / "recall", "copy_forward_after: 1s,").replace(
            "decision_wait: 1s, decision_wait_after_root_received: 100ms",
            "decision_wait: 15s, decision_wait_after_root_received: 0s"),
        exporters={"sqlite": {"directory": str(tmp_path / "hot")}},
        journal={"directory": str(tmp_path / "journal"), "max_bytes": "64MiB", "dedupe_window": "0s"})
    weir = start(directory=tmp_path, text=config)
    secret = "the-plan-of-maria"
    send(weir, attributes=[text("user.id", "maria-4711"), text("app.text", secret)])
    kept = send(weir, attributes=[text("user.id", "bob")])

    def erase(*words):
        return command("erase", *words, "--config", str(weir.config), cwd=tmp_path, deadline=60)

    done = [erase("subject", "--tenant", "default", "--subject", "user.id=maria-4711")]
    assert done[0].returncode in (0, 3), done[0].stderr

    def is_complete():
        if done[-1].returncode == 3:
            done.append(erase("apply"))
        return done[-1].returncode == 0

    eventually(is_complete, lambda: done[-1].stdout, 60)
    # What is not the person's is decided later, and has its place in the ring.
    eventually(
        lambda: weir.metric("otelcol_processor_tail_sampling_sampling_traces_on_memory") == 0, weir.log, 60)
    eventually(lambda: weir.metric("weir_tail_sampling_waiting_records") == 0, weir.log, 60)
    recalled(weir, 1)
    found = [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    assert found == []
    assert promoted(weir, kept) == "1 trace, 1 span\n"
