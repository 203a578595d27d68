"""A running program takes a changed configuration: no request fails, no span is lost, and what is wrong changes nothing."""

import http.client
import json
import signal
import threading

import pytest

import archives
from authority import Authority
from backend import Backend
from otlp import a_body, a_span
from waiting import eventually
from weir import archive, configuration, forward, postgres, sqlite
from wire import post

UPSERT = "attributes/mark: {{ actions: [ {{ key: mark, value: \"{}\", action: upsert }} ] }}"


def text_of(tmp_path, mark=None, operations="127.0.0.1:0", **keys):
    """A configuration with an operations listener, and a processor that marks spans where `mark` says how."""
    keys.setdefault("exporters", {"archive": archive(tmp_path / "archive")})
    keys.setdefault("journal", {"directory": str(tmp_path / "journal"), "max_bytes": "64MiB"})
    text = configuration(**keys) + f"  operations: {{ endpoint: {operations} }}\n"
    if mark:
        text = text.replace("receivers: [otlp]", "receivers: [otlp]\n      processors: [attributes/mark]")
        text += "processors:\n  " + UPSERT.format(mark) + "\n"
    return text


class Reloading:
    """A program, and what is asked of it."""

    def __init__(self, weir):
        self.weir = weir
        self.operations = weir._listening("operations")

    def ask(self, method, path):
        host, port = self.operations.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def reload(self, text):
        self.weir.config.write_text(text)
        return self.ask("POST", "/-/reload")


@pytest.fixture
def begin(start, tmp_path):
    def begin(**keys):
        return Reloading(start(text=text_of(tmp_path, **keys)))

    begin.start = start
    return begin


def marks(directory):
    found = {}
    for span in archives.spans(directory):
        values = {pair.key: pair.value.string_value for pair in span.span.attributes}
        found[span.span.name] = values.get("mark")
    return found


def names_in(directory):
    return sorted(span.span.name for span in archives.spans(directory))


def send(weir, name):
    answer = post(weir.endpoint, a_body(a_span(name=name)))
    assert answer.status == 200, answer


def test_processors_change_while_a_connection_stays(begin, tmp_path):
    program = begin(mark="one")
    host, port = program.weir.endpoint.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=10)

    def deliver(name):
        connection.request("POST", "/v1/traces", a_body(a_span(name=name)), {"Content-Type": "application/x-protobuf"})
        response = connection.getresponse()
        response.read()
        assert response.status == 200 and connection.sock is not None

    connection.connect()
    socket = connection.sock
    deliver("first")
    assert program.reload(text_of(tmp_path, mark="two")) == (200, {"status": "applied"})
    deliver("second")
    assert program.reload(text_of(tmp_path)) == (200, {"status": "applied"})
    deliver("third")
    assert connection.sock is socket, "the connection was closed in between"
    connection.close()
    program.weir.stop()
    assert marks(tmp_path / "archive") == {"first": "one", "second": "two", "third": None}


def test_exporters_come_and_go_and_keep_their_place(begin, tmp_path, backend):
    files = {"archive": archive(tmp_path / "archive")}
    program = begin(exporters=files)
    send(program.weir, "a")
    both = {**files, "otlp_http": forward(backend.url)}
    assert program.reload(text_of(tmp_path, exporters=both))[0] == 200
    send(program.weir, "b")
    eventually(lambda: len(backend.taken) == 1, "the new exporter has nothing")
    changed = {**files, "otlp_http": forward(backend.url, compression="gzip")}
    assert program.reload(text_of(tmp_path, exporters=changed))[0] == 200
    send(program.weir, "c")
    eventually(lambda: len(backend.taken) == 2, "the changed exporter has nothing")
    assert program.reload(text_of(tmp_path, exporters=files))[0] == 200
    send(program.weir, "d")
    program.weir.stop()
    assert names_in(tmp_path / "archive") == ["a", "b", "c", "d"]
    assert len(backend.taken) == 2


class Doors(Backend):
    """Remembers through which connections spans came."""

    def __init__(self):
        self.doors = []
        super().__init__()

    def answer(self, handler, received):
        self.doors.append(handler.client_address)
        self.accepted.append(received)
        super().answer(handler, received)


def test_an_exporter_of_an_unchanged_pipeline_keeps_its_connection(begin, tmp_path):
    """Its own pipeline's processors may change, and other pipelines as they like."""
    backend = Doors()
    try:
        own = {"otlp_http": forward(backend.url, sending_queue={"num_consumers": 1})}
        program = begin(exporters=own)
        for number, mark in enumerate([None, "one", None]):
            send(program.weir, f"span {number}")
            eventually(lambda: len(backend.doors) == number + 1, program.weir.log)
            more = text_of(tmp_path, mark=mark, exporters=own).replace(
                "exporters:\n", f"exporters:\n  archive: {{ directory: {tmp_path}/{number} }}\n", 1
            ).replace("  pipelines:\n", "  pipelines:\n    traces/b: { receivers: [otlp], exporters: [archive] }\n", 1)
            assert program.reload(more)[0] == 200
        assert len(set(backend.doors)) == 1, backend.doors
        program.weir.stop()
    finally:
        backend.close()


def test_an_exporter_keeps_what_it_has_open_whatever_changes_beside_it(begin, tmp_path, database):
    """Connections, a database session and files, while processors change and another exporter comes, changes and goes;
    and where a reload is rejected after some of that was done."""
    kept, changed = Doors(), Doors()
    one_at_a_time = {"sending_queue": {"num_consumers": 1}}
    own = {
        "otlp_http": forward(kept.url, **one_at_a_time),
        "postgres": postgres(database, **one_at_a_time),
        "archive": archive(tmp_path / "archive", max_file_age="1h"),
    }

    def beside(**keys):
        return {"otlp_http/beside": forward(changed.url, **one_at_a_time, **keys)}

    def sessions():
        return set(database.sql("SELECT pid, backend_start FROM pg_stat_activity WHERE usename = %s", [database.role]))

    (tmp_path / "file").write_text("")
    broken = {"sqlite/broken": sqlite(tmp_path / "file" / "hot")}
    steps = [
        ("one", {}, 200, 0),
        ("one", beside(), 200, 1),
        ("two", beside(compression="gzip"), 200, 2),
        ("three", {**beside(), **broken}, 422, 3),
        ("two", {}, 200, 3),
        # What came while it was away is still there.
        (None, beside(), 200, 5),
    ]
    try:
        program = begin(exporters=own)
        before = None
        for number, (mark, siblings, status, theirs) in enumerate([(None, {}, 200, 0), *steps]):
            answer = program.reload(text_of(tmp_path, mark=mark, exporters={**own, **siblings}))
            assert answer[0] == status, answer
            send(program.weir, f"span {number}")
            eventually(lambda: len(kept.taken) == number + 1 and len(changed.taken) == theirs, program.weir.log)
            eventually(lambda: program.weir.metric("otelcol_exporter_sent_spans", exporter="postgres") == number + 1, program.weir.log)
            # Another one may come, which makes partitions.
            before = before or sessions()
            assert before and before <= sessions()
        program.weir.stop()
        assert len(set(kept.doors)) == 1, kept.doors
        # It came, changed, changed in vain and came again.
        assert len(set(changed.doors)) == 4, changed.doors
        assert set(kept.taken.values()) == set(changed.taken.values()) == {1}
        assert database.sql("SELECT count(*) FROM spans") == [(len(steps) + 1,)]
        assert len(archives.files(tmp_path / "archive")) == 1, "the file was closed in between"
        wanted = [None, "one", "one", "two", "two", "two", None]
        assert marks(tmp_path / "archive") == {f"span {number}": mark for number, mark in enumerate(wanted)}
    finally:
        kept.close()
        changed.close()


def test_an_archive_does_not_notice_another_one(begin, tmp_path):
    own = {"archive": archive(tmp_path / "archive", max_file_age="1h")}
    program = begin(exporters=own)
    for number in range(3):
        beside = {"archive/beside": archive(tmp_path / "beside")} if number == 1 else {}
        answer = program.reload(text_of(tmp_path, exporters={**own, **beside}))
        assert answer[0] == 200, answer
        send(program.weir, f"span {number}")
    program.weir.stop()
    assert len(archives.spans(tmp_path / "archive")) == 3
    assert len(archives.files(tmp_path / "archive")) == 1, "the file was closed in between"


def test_what_was_wrong_with_an_exporter_that_is_gone_is_not_said_any_more(begin, tmp_path):
    own = {"archive": archive(tmp_path / "archive")}
    program = begin(exporters={**own, "otlp_http": forward("http://127.0.0.1:9")})
    send(program.weir, "a span")
    labels = {"exporter": "otlp_http", "pipeline": "traces"}
    eventually(lambda: program.weir.metric("weir_exporter_retrying", **labels) > 0, program.weir.log)
    answer = program.reload(text_of(tmp_path, exporters=own))
    assert answer[0] == 200, answer
    assert program.weir.metric("weir_exporter_retrying", **labels) == 0
    assert program.weir.metric("weir_exporter_in_flight_batches", **labels) == 0


def test_an_exporter_behind_a_stage_keeps_its_connection(begin, tmp_path):
    """Processors in front of it and behind it change, and the stage itself, which forwards nothing twice."""
    backend = Doors()
    own = {"otlp_http": forward(backend.url, sending_queue={"num_consumers": 1})}
    files = {"archive": archive(tmp_path / "archive")}

    def text(wait, front=None, behind=None, siblings=()):
        marks = [(f"attributes/{place}", mark) for place, mark in [("front", front), ("behind", behind)] if mark]
        order = [name for name, _ in marks if name.endswith("front")] + ["tail_sampling"]
        order += [name for name, _ in marks if name.endswith("behind")]
        text = text_of(tmp_path, exporters={**own, **dict(siblings)})
        text = text.replace("receivers: [otlp]", f"receivers: [otlp]\n      processors: [{', '.join(order)}]")
        text += f"processors:\n  tail_sampling: {{ decision_wait: {wait}, policies: [ {{ name: all, type: always_sample }} ] }}\n"
        for name, mark in marks:
            text += "  " + UPSERT.format(mark).replace("attributes/mark", name).replace("key: mark", f"key: {name[11:]}") + "\n"
        return text

    steps = [text("100ms"), text("100ms", front="one"), text("200ms", front="one"), text("200ms", behind="two")]
    steps += [text("200ms", behind="two", siblings=files), text("100ms", behind="two")]
    try:
        program = Reloading(begin.start(text=steps[0]))
        for number, step in enumerate(steps):
            assert program.reload(step)[0] == 200
            send(program.weir, f"span {number}")
            # What is undecided goes on behind the next stage.
            if number % 2:
                eventually(lambda: len(backend.taken) == number + 1, program.weir.log)
        program.weir.stop()
        assert len(set(backend.doors)) == 1, backend.doors
        assert sorted(backend.taken.values()) == [1] * len(steps)
        found = {}
        for span in backend.spans():
            found[span.span.name] = {pair.key: pair.value.string_value for pair in span.span.attributes if pair.key in ("front", "behind")}
        # The processors behind are those of the time of the decision.
        assert found["span 1"] == {"front": "one"} and found["span 3"] == {"behind": "two"}
    finally:
        backend.close()


def test_what_waits_is_delivered_after_the_exporter_changed(begin, tmp_path, backend):
    program = begin(exporters={"otlp_http": forward("http://127.0.0.1:9")})
    for name in "abc":
        send(program.weir, name)
    right = {"otlp_http": forward(backend.url)}
    assert program.reload(text_of(tmp_path, exporters=right))[0] == 200
    eventually(lambda: len(backend.taken) == 3, "spans of before are not there")


def test_a_wrong_file_changes_nothing_and_says_why_everywhere(begin, tmp_path):
    program = begin(mark="one")
    wrong = text_of(tmp_path, mark="two").replace("action: upsert", "action: upset")
    status, answer = program.reload(wrong)
    assert status == 422
    assert len(answer["problems"]) == 1
    line = next(number for number, text in enumerate(wrong.split("\n"), 1) if "upset" in text)
    assert answer["problems"][0].startswith(f"{program.weir.config}:{line}: processors.attributes/mark.actions[0].action")
    assert program.weir.metric("weir_reloads", outcome="rejected", reason="configuration") == 1
    assert program.weir.metric("weir_reload_last_applied") == 0
    assert "rejected a reload" in program.weir.log() and "upset" in program.weir.log()
    # Whoever asks that shows no key, and a wrong line may have a secret in it.
    said = f"the configuration on disk is not the one that runs: {program.weir.config}:{line}: the log says why"
    assert said in program.weir.get("/healthz")[2] and "upset" not in program.weir.get("/healthz")[2]
    send(program.weir, "a")
    assert program.reload(text_of(tmp_path, mark="two"))[0] == 200
    assert program.weir.metric("weir_reload_last_applied") == 1
    assert program.weir.get("/healthz")[2] == "ok\n"
    send(program.weir, "b")
    program.weir.stop()
    assert marks(tmp_path / "archive") == {"a": "one", "b": "two"}


def test_what_cannot_be_built_changes_nothing(begin, tmp_path):
    program = begin(mark="one")
    (tmp_path / "file").write_text("")
    wrong = {"archive": archive(tmp_path / "file" / "archive")}
    status, answer = program.reload(text_of(tmp_path, mark="two", exporters=wrong))
    assert status == 422 and "mkdir" in answer["problems"][0], answer
    send(program.weir, "a")
    taken = program.weir.metrics_endpoint
    status, answer = program.reload(
        text_of(tmp_path, mark="two").replace("endpoint: 127.0.0.1:0\n", f"endpoint: {taken}\n", 1)
    )
    assert status == 422 and "cannot listen" in answer["problems"][0], answer
    send(program.weir, "b")
    status, answer = program.reload(text_of(tmp_path, journal={"max_bytes": "128MiB"}))
    assert status == 422 and "takes a restart" in answer["problems"][0], answer
    send(program.weir, "c")
    counts = {reason: program.weir.metric("weir_reloads", reason=reason) for reason in ("component", "restart")}
    assert counts == {"component": 2, "restart": 1} and program.weir.metric("weir_reloads") == 3
    program.weir.stop()
    assert marks(tmp_path / "archive") == {"a": "one", "b": "one", "c": "one"}


def test_a_certificate_whose_key_is_yet_to_come_changes_nothing(begin, tmp_path):
    authority = Authority(tmp_path / "authority")
    certificate, key = authority.sign("weir")
    tls = {"ca_file": str(authority.file), "cert_file": str(certificate), "key_file": str(key)}
    exporters = {"archive": archive(tmp_path / "archive"), "otlp_http": {"endpoint": "https://127.0.0.1:9", "tls": tls}}
    program = begin(mark="one", exporters=exporters)
    wanted, (other, other_key) = text_of(tmp_path, mark="two", exporters=exporters), authority.sign("other")
    before = certificate.read_bytes()
    certificate.write_bytes(other.read_bytes())
    status, answer = program.reload(wanted)
    assert status == 422 and "tls.key_file" in answer["problems"][0], answer
    certificate.unlink()
    status, answer = program.reload(wanted)
    assert status == 422 and f"{certificate} is not there" in answer["problems"][0], answer
    send(program.weir, "a")
    certificate.write_bytes(other.read_bytes())
    key.write_bytes(other_key.read_bytes())
    assert before != certificate.read_bytes() and program.reload(wanted)[0] == 200
    send(program.weir, "b")
    program.weir.stop()
    assert marks(tmp_path / "archive") == {"a": "one", "b": "two"}


def test_a_signal_reloads(begin, tmp_path):
    program = begin()
    program.weir.config.write_text(text_of(tmp_path, mark="two"))
    program.weir.process.send_signal(signal.SIGHUP)
    eventually(lambda: program.weir.metric("weir_reloads", outcome="applied") == 1, program.weir.log)
    send(program.weir, "a")
    program.weir.config.write_text("nonsense")
    program.weir.process.send_signal(signal.SIGHUP)
    eventually(lambda: program.weir.metric("weir_reloads", outcome="rejected") == 1, program.weir.log)
    send(program.weir, "b")
    program.weir.stop()
    assert marks(tmp_path / "archive") == {"a": "two", "b": "two"}


def test_pipelines_and_receivers_come_and_go(begin, tmp_path):
    program = begin()
    more = text_of(tmp_path).replace(
        "receivers:\n", "receivers:\n  otlp/b: { protocols: { http: { endpoint: 127.0.0.1:0 } } }\n", 1
    ).replace(
        "  pipelines:\n", "  pipelines:\n    traces/b: { receivers: [otlp/b], exporters: [archive] }\n", 1
    )
    assert program.reload(more)[0] == 200
    assert program.weir.get("/readyz")[0] == 200
    endpoint = program.weir.endpoints("otlp/http")["otlp/b"]
    assert post(endpoint, a_body(a_span(name="b"))).status == 200
    send(program.weir, "a")
    assert program.reload(text_of(tmp_path))[0] == 200
    with pytest.raises(OSError):
        post(endpoint, a_body())
    send(program.weir, "c")
    program.weir.stop()
    assert names_in(tmp_path / "archive") == ["a", "b", "c"]


class Load:
    """Clients on connections that have to stay, for whose spans any answer but 200 is a failure."""

    def __init__(self, endpoint):
        self.address, self.stopping = endpoint.rsplit(":", 1), threading.Event()
        self.sent, self.failures = [[] for _ in range(4)], []
        self.threads = [threading.Thread(target=self._client, args=(number,)) for number in range(4)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def names(self):
        return sorted(name for one in self.sent for name in one)

    def _client(self, number):
        host, port = self.address
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        connection.connect()
        socket = connection.sock
        try:
            while not self.stopping.is_set():
                name = f"{number}-{len(self.sent[number])}"
                body = a_body(a_span(name=name))
                connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
                response = connection.getresponse()
                response.read()
                assert response.status == 200, response.status
                assert connection.sock is socket, "the connection was dropped"
                self.sent[number].append(name)
        except Exception as error:
            self.failures.append(error)
        finally:
            connection.close()


def test_a_hundred_reloads_under_load_lose_nothing(begin, tmp_path, backend, dice):
    """Half of them are of files that are wrong; the others change processors, exporters or nothing."""
    files = {"archive": archive(tmp_path / "archive")}
    program = begin(exporters=files)
    with Load(program.weir.endpoint) as load:
        for number in range(100):
            exporters = dict(files)
            if dice.random() < 0.5:
                exporters["otlp_http"] = forward(backend.url, compression=dice.choice(["none", "gzip"]))
            text = text_of(tmp_path, mark=dice.choice([None, "one", "two"]), exporters=exporters)
            if number % 2:
                text = dice.choice([text.replace("receivers: [otlp]", "receivers: [otpl]"), text[:-30], ":", text + "x: 1\n"])
            status, answer = program.reload(text)
            assert status == (422 if number % 2 else 200), (text, answer)
            assert not load.failures, load.failures
    assert not load.failures, load.failures
    assert len(load.names()) > 100
    program.weir.stop()
    assert names_in(tmp_path / "archive") == load.names()


def test_a_stage_comes_changes_and_goes_under_load(begin, tmp_path, dice):
    """Open traces go on, and what waits in one journal is delivered before its exporters read another."""
    files = {"archive": archive(tmp_path / "archive")}

    def text(stage):
        text = text_of(tmp_path, exporters=files)
        if stage:
            text = text.replace("receivers: [otlp]", "receivers: [otlp]\n      processors: [tail_sampling]")
            text += (
                f"processors:\n  tail_sampling: {{ decision_wait: {stage}, decision_wait_after_root_received: {stage},"
                " policies: [ { name: all, type: always_sample } ] }\n"
            )
        return text

    program = begin(exporters=files)
    with Load(program.weir.endpoint) as load:
        for stage in [None, "1s", "2s", "1s", None, "2s"] * 2:
            before = len(load.names())
            status, answer = program.reload(text(stage))
            assert status == 200, (stage, answer, program.weir.log())
            eventually(lambda: load.failures or len(load.names()) > before + 20, program.weir.log)
            assert not load.failures, load.failures
    assert not load.failures, load.failures
    eventually(lambda: len(names_in(tmp_path / "archive")) == len(load.names()), program.weir.log, 20)
    program.weir.stop()
    assert names_in(tmp_path / "archive") == load.names()


PRICES = "models:\n  - {{ provider: p, model: m, prices: {{ input: {} }} }}\n"
TEAM = """\
owner: shop@example.com
processors: {{ {} }}
pipelines: {{ traces: {{ receivers: [otlp], processors: [attributes/mark], exporters: [archive], tenants: [shop] }} }}
"""


def test_changed_files_are_taken_by_themselves_and_a_wrong_one_is_tried_once(begin, tmp_path):
    """The main file, a team's file, one that comes, and one that a component names."""
    teams, prices = tmp_path / "teams", tmp_path / "prices.yaml"
    teams.mkdir()
    prices.write_text(PRICES.format(1))

    def text(mark, reload="{ watch: true, check_interval: 20ms }"):
        text = text_of(tmp_path, mark=mark).replace("processors: [attributes/mark]", "processors: [attributes/mark, cost]")
        text = text.replace("service:\n", f"service:\n  reload: {reload}\n  pipelines_directory: {teams}\n", 1)
        return text + f"  cost: {{ prices: {prices} }}\n"

    program = begin(mark="one")
    counts = {"applied": 0, "partial": 0, "rejected": 0}

    def comes(outcome):
        counts[outcome] += 1
        eventually(lambda: program.weir.metric("weir_reloads", outcome=outcome) == counts[outcome], program.weir.log)
        looks = program.weir.log().count("files of the configuration have changed")
        assert looks == sum(counts.values()) - 1, program.weir.log()

    assert program.reload(text("two"))[0] == 200
    comes("applied")
    send(program.weir, "a")
    program.weir.config.write_text(text("three").replace("upsert", "upset"))
    comes("rejected")
    assert f"{program.weir.config}:" in program.weir.get("/healthz")[2]
    send(program.weir, "b")
    # Of the file that stands there wrong nothing is heard again: the next thing that happens is the next change.
    replacement = tmp_path / "replacement"
    replacement.write_text(text("four"))
    replacement.rename(program.weir.config)
    comes("applied")
    send(program.weir, "c")
    prices.write_text("models: 3\n")
    comes("rejected")
    prices.write_text(PRICES.format(2))
    comes("applied")
    (teams / "shop.yaml").write_text(TEAM.format("attributes/mark: 3"))
    comes("partial")
    (teams / "shop.yaml").write_text("overrides: [attributes/mark]\n" + TEAM.format(UPSERT.format("own")))
    comes("applied")
    (teams / "shop.yaml").unlink()
    comes("applied")
    program.weir.config.write_text(text("five", "{ watch: false }"))
    comes("applied")
    # Nobody looks any more.
    program.weir.config.write_text("nonsense")
    send(program.weir, "d")
    program.weir.stop()
    assert sum(counts.values()) == program.weir.log().count("reloaded") + program.weir.log().count("rejected a reload")
    assert marks(tmp_path / "archive") == {"a": "two", "b": "two", "c": "four", "d": "five"}
