"""The strict server itself: it takes what LangSmith's client sends, and refuses what is wrong."""

import gzip
import json
import urllib.error
import urllib.request

import pytest

import captures
import smith

ID = "019b7c8f-1111-7000-8000-00000000000"
START = "20260102T030405678901Z"


def run(**changes):
    order = f"{START}{ID}1"
    whole = {
        "id": f"{ID}1", "trace_id": f"{ID}1", "dotted_order": order, "name": "agent", "run_type": "chain",
        "session_name": "demo", "start_time": "2026-01-02T03:04:05.678901+00:00",
        "end_time": "2026-01-02T03:04:06+00:00", "inputs": {"q": 1}, "outputs": {},
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def child(**changes):
    order = f"{START}{ID}1.20260102T030405678902Z{ID}2"
    own = {"id": f"{ID}2", "parent_run_id": f"{ID}1", "dotted_order": order,
           "start_time": "2026-01-02T03:04:05.678902+00:00"}
    return run(**{**own, **changes})


def send(server, path, body, method="POST", **headers):
    """Status and text of the answer."""
    request = urllib.request.Request(server.url + path, body, {"x-api-key": smith.KEY, **headers}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def batch(server, *runs, **headers):
    return send(server, "/runs/batch", json.dumps({"post": runs}).encode(), **headers)


@pytest.fixture
def server():
    made = smith.Smith()
    yield made
    made.close()


@pytest.mark.parametrize("capture", captures.runs(), ids=lambda capture: capture.name)
def test_takes_what_langsmiths_client_has_sent(server, capture):
    server.keys = {capture.headers["x-api-key"]: [capture.headers.get("x-tenant-id", smith.WORKSPACE)]}
    headers = {name: value for name, value in capture.headers.items() if name not in ("host", "content-length")}
    status, text = send(server, capture.path, capture.body, capture.method, **headers)
    assert status == 202, text


@pytest.mark.parametrize(
    "rule, wrong",
    [
        ("R5", run(name=None)),
        ("R5", run(dotted_order=None)),
        ("R6", run(id="agent")),
        ("R6", run(session_name=None)),
        ("R6", run(session_id=ID + "9")),
        ("R7", run(dotted_order=f"20260102T030405678Z{ID}1")),
        ("R7", run(dotted_order=f"20261302T030405678901Z{ID}1")),
        ("R8", run(dotted_order=f"{START}{ID}2")),
        ("R9", run(trace_id=ID + "3")),
        ("R10", run(dotted_order=f"{START}{ID}1.{START}{ID}1")),
        ("R10", child(dotted_order=f"20260102T030405678902Z{ID}2", trace_id=ID + "2")),
        ("R11", child(parent_run_id=ID + "3")),
        ("R12", child(dotted_order=f"{START}{ID}1.{START}{ID}2.{START}{ID}1.20260102T030405678902Z{ID}2")),
        ("R13", child(dotted_order=f"{START}{ID}1.20260102T030405678900Z{ID}2", start_time="2026-01-02T03:04:05.678900+00:00")),
        ("R14", run(run_type="agent")),
        ("R14", run(inputs=[1])),
        ("R14", run(tags=[1])),
        ("R15", run(end_time="2026-01-02T03:04:05+00:00")),
        ("R15", run(start_time="yesterday")),
        ("R16", run(name="n" * 129)),
        ("R17", run(start_time="2026-01-02T03:04:05.678902+00:00")),
    ],
)
def test_refuses_a_run_that_is_wrong_and_all_with_it(server, rule, wrong):
    status, text = batch(server, run(id=ID + "7", trace_id=ID + "7", dotted_order=f"{START}{ID}7"), wrong)
    assert status in (400, 422), text
    assert server.requests[-1].rule == rule, text
    assert server.all_runs() == {}


def test_refuses_integers_of_more_than_64_bits(server):
    assert batch(server, run(inputs={"n": 2**64}))[0] == 422
    assert server.requests[-1].rule == "R16"


def test_wants_a_known_key_and_a_workspace_of_it(server):
    assert batch(server, run(), **{"x-api-key": "wrong"})[0] == 401
    assert batch(server, run(), **{"x-tenant-id": ID + "1"})[0] == 403
    server.keys = {smith.KEY: [None, smith.WORKSPACE]}
    assert "org_scoped_key_requires_workspace" in batch(server, run())[1]
    assert batch(server, run(), **{"x-tenant-id": smith.WORKSPACE})[0] == 202


def test_takes_each_operation_once(server):
    assert batch(server, run())[0] == 202
    assert batch(server, run())[0] == 409
    assert batch(server, run(), child())[0] == 409
    assert len(server.all_runs()) == 1
    server.known = "accept-new"
    assert batch(server, run(), child())[0] == 202
    assert len(server.all_runs()) == 2


def part(name, data, kind="application/json", length=None):
    length = len(data) if length is None else length
    head = f'--B\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n'
    return head.encode() + data + b"\r\n"


def multipart(server, *parts, end=b"--B--\r\n", **headers):
    kind = {"Content-Type": "multipart/form-data; boundary=B"}
    return send(server, "/runs/multipart", b"".join(parts) + end, **{**kind, **headers})


def head(**changes):
    whole = run(inputs=None, outputs=None, **changes)
    return part(f"post.{ID}1", json.dumps(whole).encode())


@pytest.mark.parametrize(
    "rule, parts, end",
    [
        ("R3", [head()], b""),
        ("R3", [head(), head()], b"--B--\r\n"),
        ("R3", [part(f"post.{ID}1.inputs", b"{}"), head()], b"--B--\r\n"),
        ("R3", [head(), part(f"post.{ID}1.wishes", b"{}")], b"--B--\r\n"),
        ("R3", [head(), part(f"attachment.{ID}1.a.b", b"x", "image/png")], b"--B--\r\n"),
        ("R4", [head(), part(f"post.{ID}1.inputs", b"{}", length=1)], b"--B--\r\n"),
        ("R14", [head(), part(f"post.{ID}1.inputs", b"{]")], b"--B--\r\n"),
        ("R18", [part(f"post.{ID}1", json.dumps(run()).encode())], b"--B--\r\n"),
    ],
)
def test_refuses_parts_that_are_wrong(server, rule, parts, end):
    assert multipart(server, *parts, end=end)[0] == 422
    assert server.requests[-1].rule == rule


def test_decodes_what_info_offers(server):
    body = head() + b"--B--\r\n"
    assert multipart(server, gzip.compress(body), end=b"", **{"Content-Encoding": "gzip"})[0] == 202
    server.info = smith.info(zstd=False)
    assert multipart(server, body, end=b"", **{"Content-Encoding": "zstd"})[0] == 415
    assert multipart(server, body, end=b"", **{"Content-Encoding": "br"})[0] == 415


def test_refuses_what_is_too_large_or_too_much(server):
    server.info = smith.info(size_limit_bytes=2_000)
    assert batch(server, run(inputs={"text": "x" * 2_000}))[0] == 413
    server.per_minute = 2
    assert [batch(server, run())[0], batch(server, run())[0]] == [202, 429]


def test_notes_a_child_that_does_not_begin_as_its_parent(server):
    batch(server, run())
    batch(server, child(dotted_order=f"20260102T030405678900Z{ID}1.20260102T030405678902Z{ID}2"))
    assert [rule for rule, _ in server.violations] == ["R21"]


def test_a_trace_has_at_most_as_many_runs_as_langsmith_takes(server):
    server.max_trace = 1
    assert batch(server, run())[0] == 202
    status, text = batch(server, child())
    assert status == 400 and "too many runs" in text
    assert server.requests[-1].rule == "R25"


def test_faults_can_be_asked_for_from_outside(server):
    script = [{"status": 429, "headers": {"Retry-After": "7"}}, {"status": 503, "when": "stored", "body": "oops"}]
    assert send(server, "/_script", json.dumps(script).encode())[0] == 200
    assert batch(server, run())[0] == 429 and not server.all_runs()
    assert batch(server, run()) == (503, "oops") and len(server.all_runs()) == 1
    assert batch(server, run())[0] == 409
    for wrong in (b"{", b'[{"state": 1}]', b"[1]", b'{"status": 1}'):
        assert send(server, "/_script", wrong)[0] == 400
