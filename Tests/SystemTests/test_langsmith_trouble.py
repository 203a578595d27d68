"""The exporter `langsmith` where something goes wrong: what it remembers is gone, a process dies, one of many is away."""

import shutil
import time

import pytest

import smith
from keys import new_key
from otlp import a_body, a_request, attribute
from smith import Fault
from test_langsmith import a_tree, arrives, ids, langsmith, send, server, servers, span, story  # noqa: F401, two fixtures
from waiting import eventually
from weir import configuration
from wire import post


def names(server):
    return {run["name"] for run in server.all_runs().values()}


@pytest.mark.parametrize("whole", [False, True])
def test_a_late_span_of_a_trace_that_was_forgotten_arrives(start, server, tmp_path, journal, whole):
    """Its stand-in is there already, or even the root itself."""
    keys = dict(exporters=langsmith(server), journal=journal, directory=tmp_path / "same")
    weir = start(**keys)
    early = [span(1, 1, name="root"), span(1, 2, 1, name="child")] if whole else [span(1, 2, 1, name="child")]
    send(weir, *early)
    eventually(lambda: len(server.all_runs()) == 2, story(weir, server))
    weir.stop()
    shutil.rmtree(tmp_path / "same" / "data" / "langsmith")
    before = len(server.posts())
    weir = start(**keys)
    send(weir, span(1, 4, 2, start=9, name="late"))
    eventually(lambda: "late" in names(server), story(weir, server))
    weir.drain()
    assert len(server.posts()) - before <= 3
    assert names(server) == {"late", "child", "root" if whole else "(root not seen yet)"}


def test_what_was_stored_before_a_kill_hides_nothing_that_was_not(start, servers, tmp_path, journal):
    """The server has A and answers 409 for A, B and C together, after an error: B and C are not there."""
    server = servers(known="drop-all")
    exporters = langsmith(server, trace_grace="0s")
    keys = dict(exporters=exporters, journal=journal, directory=tmp_path / "same")
    weir = start(**keys)
    server.fail(Fault(503, when="stored"), *[Fault(503)] * 10_000)
    send(weir, span(1, 1, name="A"))
    eventually(lambda: names(server) == {"A"}, story(weir, server))
    send(weir, span(2, 2, name="B"))
    send(weir, span(3, 3, name="C"))
    weir.kill()
    server.faults = [Fault(503)]
    weir = start(**keys)
    weir.drain()
    assert names(server) == {"A", "B", "C"}


def test_a_run_that_is_sent_alone_and_stored_hides_nothing_either(start, servers):
    """409 to all, then alone: A is stored and its answer lost. Then all together again: 503, 409."""
    server = servers(known="drop-all")
    weir = start(exporters=langsmith(server, trace_grace="0s"))
    server.fail(Fault(409), Fault(503, when="stored"), Fault(503))
    send(weir, span(1, 1, name="A"), span(2, 2, name="B"), span(3, 3, name="C"))
    weir.drain()
    assert names(server) == {"A", "B", "C"}


def test_a_stand_in_is_not_buried_with_one_of_its_children(start, server):
    weir = start(exporters=langsmith(server))
    take = server.take

    def picky(request, path):
        if b"poison" in smith.rules.decoded(request.headers, request.body, True):
            raise smith.rules.unprocessable("", "we do not like this one")
        take(request, path)

    server.take = picky
    send(weir, span(1, 2, 1, name="poison"))
    eventually(lambda: names(server) == {"(root not seen yet)"}, story(weir, server))
    send(weir, span(1, 3, 1, name="good"))
    eventually(lambda: len(server.all_runs()) == 2, story(weir, server))
    send(weir, span(1, 1, name="root", length=5000))
    weir.drain()
    server.verify()
    assert names(server) == {"root", "good"}


@pytest.mark.parametrize("known", ["drop-all", "accept-new"])
@pytest.mark.parametrize("fault", [Fault(429, delay=1), Fault(when="stored", delay=1)], ids=["refused", "stored"])
def test_a_root_changes_no_stand_in_that_is_not_there(start, servers, fault, known):
    """The request with the stand-in hangs and fails. Meanwhile the root comes, and must not be hidden by it later."""
    server = servers(known=known)
    weir = start(exporters=langsmith(server))
    server.fail(fault)
    send(weir, span(1, 2, 1, name="child"))
    eventually(lambda: server.active, story(weir, server))
    send(weir, span(1, 1, name="root", length=5000))
    weir.drain()
    server.verify()
    assert names(server) == {"root", "child"}
    taken = [one for request in server.posts() if request.status == 202 for one in request.operations]
    assert [one.kind for one in taken if one.run["trace_id"] == one.id] == ["post", "patch"]


def test_a_trace_is_in_one_project(start, server):
    weir = start(exporters=langsmith(server, project_attribute="team"))
    named = {"langsmith.trace.session_name": "other"}
    # A run has its id of its span, so no two traces may have one in common.
    send(weir, span(1, 11, name="root", attributes=named), span(1, 12, 11, name="child"))
    send(weir, span(2, 22, 21, name="child", attributes=named))
    send(weir, span(3, 32, 31, name="child", attributes={"team": "blue"}))
    eventually(lambda: len(server.all_runs()) == 6, story(weir, server))
    send(weir, span(2, 21, name="root"), span(3, 31, name="root", attributes=named))
    weir.drain()
    projects = {}
    for run in server.verify().values():
        projects.setdefault(run["trace_id"][-1], set()).add(run["session_name"])
    assert projects == {"1": {"other"}, "2": {"other"}, "3": {"blue"}}


@pytest.mark.parametrize("status", [402, 406, 410, 415, 451])
def test_what_is_no_fault_of_a_run_buries_none(start, server, status):
    weir = start(exporters=langsmith(server))
    server.fail(*[Fault(status)] * 4)
    tree = a_tree(1, 5)
    send(weir, *tree)
    arrives(weir, server, tree)
    assert not list(weir.directory.rglob("letters.jsonl"))
    if status == 415:
        tried = [request.headers.get("content-encoding") for request in server.posts()]
        assert tried[:3] == ["zstd", "gzip", None] and server.all_runs()


def test_a_strict_server_takes_names_that_would_be_there_twice(start, server):
    weir = start(exporters=langsmith(server, trace_grace="0s"))
    message = a_request(span(1, 1, name="both", attributes={"host.name": "a", "input.value": '{"a":1,"a":2}'}))
    message.resource_spans[0].resource.attributes.append(attribute("host.name", "b"))
    assert post(weir.endpoint, message.SerializeToString()).status == 200
    eventually(lambda: names(server) == {"both"}, story(weir, server))
    run = next(iter(server.verify().values()))
    assert run["extra"]["metadata"]["host.name"] == "a" and run["inputs"] == {"a": 1}


@pytest.mark.parametrize("fault", [Fault(503), Fault(503, when="stored"), Fault(409)], ids=["refused", "stored", "409"])
@pytest.mark.parametrize("before", [1, 7], ids=["first piece", "second piece"])
def test_a_batch_that_is_sent_in_pieces_is_there_once_wherever_it_fails(start, server, before, fault):
    """A small request whose runs are large: all of the resource stands on each root."""
    weir = start(exporters=langsmith(server))
    server.fail(*[None] * before, fault)
    message = a_request(*[span(number, number, name=f"root {number}") for number in range(1, 801)])
    message.resource_spans[0].resource.attributes.append(attribute("blob", "x" * 15_000))
    assert post(weir.endpoint, message.SerializeToString()).status == 200
    eventually(lambda: len(server.all_runs()) == 800, story(weir, server), 60)
    weir.drain()
    server.verify()
    requests = server.posts()
    taken = [one.id for request in requests if request.status == 202 for one in request.operations]
    assert len(taken) == len(set(taken)), "what was taken is sent again"
    assert len(taken) == 800
    if fault.status == 503:
        assert requests[before].body == requests[before + 1].body
    if before == 7:
        sizes = [len(request.operations) for request in requests[:7]]
        assert sizes[:5] == [100] * 5 and 0 < sizes[5] < 100 and sizes[6] == 100, "the sixth ends the first piece"


@pytest.mark.parametrize("fault", [Fault(429, headers={"Retry-After": "600"}), Fault(500, delay=2), Fault(404)])
def test_a_tenant_whose_own_destination_is_away_holds_up_no_other(start, servers, tmp_path, fault):
    away, works = servers(), servers()
    away.fail(*[fault] * 100_000)
    (acme, entry), (bank, other) = new_key("acme", "ingest"), new_key("bank", "ingest")
    (tmp_path / "keys.yaml").write_text("keys:\n" + entry + other)
    tenants = {"acme": {"endpoint": away.url, "project": "theirs"}}
    exporters = langsmith(works, trace_grace="0s", tenants=tenants)
    text = configuration(http={"auth": {"authenticator": "api_keys"}}, exporters=exporters)
    weir = start(text=text + f"extensions:\n  api_keys: {{ file: {tmp_path}/keys.yaml }}\n")

    def sent(key, *spans):
        assert post(weir.endpoint, a_body(*spans), headers=[("X-API-Key", key)]).status == 200

    for number in range(1, 101):
        sent(acme, span(number, 1, name=f"acme {number}"))
    for number in range(101, 106):
        sent(bank, span(number, 1, name=f"bank {number}"))
    eventually(lambda: len(works.all_runs()) == 5, story(weir, works), 40)
    assert not away.all_runs()
    if "Retry-After" in fault.headers:
        assert len(away.posts()) <= 8, "it has named a time, and each of its connections has heard so"
        weir.kill()
        return
    away.faults = []
    eventually(lambda: len(away.all_runs()) == 100, story(weir, away), 60)
    weir.drain()


def test_a_minute_away_is_caught_up(start, server):
    """A real one."""
    weir = start(exporters=langsmith(server))
    server.stop()
    began = time.monotonic()
    trees = [a_tree(number, 20) for number in range(60, 80)]
    for number, tree in enumerate(trees, 1):
        send(weir, *tree)
        eventually(lambda due=began + 3 * number: time.monotonic() >= due, "time stands still")
    assert "could not deliver" in weir.log()
    server.start()
    spans = [one for tree in trees for one in tree]
    arrives(weir, server, spans)
    assert ids(spans) == server.all_runs().keys()
