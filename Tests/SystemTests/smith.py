"""A strict LangSmith-compatible server: it keeps what it takes, refuses what LangSmith refuses, and fails as it is told.

    python smith.py [port]      a server to look at what would be sent; prints each run that comes

Endpoints are those of LangSmith, also below /api/v1: /info, /runs, /runs/{id}, /runs/batch, /runs/multipart,
/otel/v1/traces. For whoever looks: GET /_runs, GET /_requests, POST /_reset. POST /_script takes a list of faults, one
for each of the next requests that bring runs: [{"status": 503, "when": "stored", "delay": 2}, {"status": 429,
"headers": {"Retry-After": "7"}}].
"""

import contextlib
import json
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import cut_server
import smith_rules as rules

KEY = "lsv2_sk_0123456789abcdef0123456789abcdef_0123456789"
WORKSPACE = "5f0c8a3e-6a0f-4a5e-9d3b-0c1d2e3f4a5b"


def info(zstd=True, multipart=True, size_limit=100, size_limit_bytes=20_971_520, **flags):
    config = {"use_multipart_endpoint": multipart, "size_limit": size_limit, "size_limit_bytes": size_limit_bytes}
    # The Python client wants all of them.
    scaling = {"scale_up_qsize_trigger": 1000, "scale_up_nthreads_limit": 16, "scale_down_nempty_trigger": 4}
    return {
        "version": "0.13.0",
        "batch_ingest_config": {**scaling, **config},
        "instance_flags": {"zstd_compression_enabled": zstd, **flags},
    }


@dataclass
class Fault:
    """What happens to a request in place of the right answer. `when` is `before` the body is read, `after` it was read
    and nothing kept, or `stored`: everything is kept, and the client does not hear of it."""

    status: int = 0
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    when: str = "after"
    delay: float = 0
    slow: bool = False


@dataclass
class Request:
    method: str
    path: str
    headers: dict
    body: bytes
    time: float
    status: int = 0
    rule: str = ""
    operations: list = field(default_factory=list)


class Smith(cut_server.Owner):
    """One server. `runs` is what it has, by workspace and id."""

    def __init__(self, info=info(), keys=None, known="drop-all", strict_order=False, per_minute=None, port=0):
        super().__init__()
        self.info = info
        # By key: the workspaces that it may write to, the first by default. None in front: one has to be named.
        self.keys = keys or {KEY: [WORKSPACE]}
        # Of a request with operations that it has and others: `drop-all` answers 409 and takes none, `accept-new` takes them.
        self.known = known
        self.strict_order = strict_order
        self.per_minute = per_minute
        self.faults = []
        self.missing = set()
        self.on_run = None
        self.on_refusal = None
        self.reset()
        self.open(_Handler, port)

    def reset(self):
        with self.lock:
            self.requests, self.runs, self.operations, self.violations = [], {}, set(), []
            self.feedback, self.attachments, self.otlp = [], [], []
            self.trace_sizes = Counter()
            self.active = self.most_active = 0
            self.taken = []

    def fail(self, *faults):
        """Each of these happens to one of the next requests that bring runs, in turn."""
        with self.lock:
            self.faults += faults

    def script(self, body):
        """The same, for those outside of this process. Status and body of the answer."""
        try:
            faults = [Fault(**{**fault, "body": fault.get("body", "").encode()}) for fault in json.loads(body)]
        except (AttributeError, TypeError, ValueError) as error:
            return 400, json.dumps({"error": str(error)}).encode()
        self.fail(*faults)
        return 200, b"{}"

    # What a test looks at

    def posts(self):
        with self.lock:
            return [request for request in self.requests if request.method != "GET"]

    def all_runs(self, workspace=WORKSPACE):
        with self.lock:
            return {id: dict(run) for (place, id), run in self.runs.items() if place == workspace}

    def verify(self, workspace=WORKSPACE):
        """Every tree is whole, every run has been posted, and nothing was refused."""
        runs = self.all_runs(workspace)
        with self.lock:
            assert not self.violations, self.violations
            refused = [(request.status, request.rule) for request in self.requests if request.rule]
        assert not refused, refused
        for id, run in runs.items():
            assert ("post", id) in {key[1:] for key in self.operations if key[0] == workspace}, f"{id} was never posted"
            parent = run.get("parent_run_id")
            if parent:
                assert parent in runs, f"{id} has the parent {parent}, which is not there"
                assert run["dotted_order"] == runs[parent]["dotted_order"] + "." + run["dotted_order"].rsplit(".", 1)[1]
                assert runs[parent]["trace_id"] == run["trace_id"]
        return runs

    # Requests

    def workspace(self, headers):
        """R1."""
        key, wanted = headers.get("x-api-key"), headers.get("x-tenant-id")
        if key not in self.keys:
            raise rules.Refused(401, "R1", "Invalid token")
        allowed = self.keys[key]
        if wanted is None and allowed[0] is None:
            raise rules.Refused(403, "R1", "org_scoped_key_requires_workspace")
        if wanted is not None and wanted not in allowed:
            raise rules.Refused(403, "R1", "Forbidden")
        return wanted or allowed[0]

    def take(self, request, path):
        """Checks and keeps what a request brings. One run that is wrong spoils all of it."""
        workspace = self.workspace(request.headers)
        self.count(request)
        if len(request.body) > rules.MAX_WIRE:
            raise rules.Refused(413, "R24", "", html=True)
        offered = self.info and self.info["instance_flags"].get("zstd_compression_enabled")
        body = rules.decoded(request.headers, request.body, offered)
        config = (self.info or info())["batch_ingest_config"]
        single = False
        if path == "/runs/multipart":
            parsed = rules.multipart(request.headers, body)
        elif path == "/runs/batch":
            parsed = rules.batch(body)
        else:
            single = True
            kind = "patch" if request.method == "PATCH" else "post"
            run = rules.strict_json(body)
            run.setdefault("id", path.rsplit("/", 1)[1])
            parsed = rules.Parsed([rules.Operation(kind, run)], size=len(body))
        if parsed.size > config["size_limit_bytes"]:
            raise rules.Refused(413, "R24", "", html=True)
        request.operations = parsed.operations
        for operation in parsed.operations:
            rules.check(operation, single)
        with self.lock:
            if len(parsed.operations) > config["size_limit"]:
                self.violate("R24", f"{len(parsed.operations)} operations")
            known = [(workspace, *operation.key) in self.operations for operation in parsed.operations]
            if known and (all(known) or any(known) and self.known == "drop-all"):
                raise rules.Refused(409, "", "Conflict: payload already received: payloads already received")
            for operation, is_known in zip(parsed.operations, known):
                if not is_known:
                    self.keep(workspace, operation)
            self.feedback += parsed.feedback
            self.attachments += parsed.attachments

    def keep(self, workspace, operation):
        run, place = operation.run, (workspace, operation.id)
        parent = (run.get("parent_run_id") or "").lower()
        stored = self.runs.get((workspace, parent))
        if parent and stored is None:
            # R19: allowed, and noted for whoever wants it otherwise.
            if self.strict_order:
                self.violate("R19", f"{operation.id} came before {parent}")
        elif parent and not run["dotted_order"].startswith(stored.get("dotted_order", "") + "."):
            self.violate("R21", f"{operation.id} does not begin as {parent}")
        if operation.kind == "patch":
            before = self.runs.get(place, {})
            if before.get("dotted_order", run.get("dotted_order")) != run.get("dotted_order"):
                self.violate("R21", f"{operation.id} was patched elsewhere")
        trace = workspace, run.get("trace_id")
        if place not in self.runs:
            if self.trace_sizes[trace] >= self.max_trace:
                raise rules.bad("R25", "too many runs in a trace")
            self.trace_sizes[trace] += 1
        self.operations.add((workspace, *operation.key))
        changes = {name: value for name, value in run.items() if value is not None}
        self.runs[place] = {**self.runs.get(place, {}), **changes}
        if self.on_run:
            self.on_run(operation)

    max_trace = 25_000

    def count(self, request):
        """R26."""
        now = time.monotonic()
        with self.lock:
            self.taken = [moment for moment in self.taken if now - moment < 60] + [now]
            if self.per_minute and len(self.taken) > self.per_minute:
                raise rules.Refused(429, "R26", "rate limit exceeded")

    def violate(self, rule, text):
        self.violations.append((rule, text))


class _Handler(cut_server.Handler):
    def do_GET(self):
        smith = self.server.owner
        path = self.bare_path()
        if path == "/info":
            self.note(b"", 200)
            if isinstance(smith.info, dict):
                return self.reply(200, json.dumps(smith.info).encode())
            return self.reply(500, b"oops", "text/plain")
        if path == "/_runs":
            return self.reply(200, json.dumps(smith.all_runs(), indent=1).encode())
        if path == "/_requests":
            lines = [{"path": r.path, "status": r.status, "bytes": len(r.body)} for r in smith.requests]
            return self.reply(200, json.dumps(lines).encode())
        return self.reply(404, b'{"detail":"Not Found"}')

    def do_PATCH(self):
        self.do_POST()

    def do_POST(self):
        smith = self.server.owner
        with smith.lock:
            smith.active += 1
            smith.most_active = max(smith.most_active, smith.active)
        try:
            self.answer(smith)
        finally:
            with smith.lock:
                smith.active -= 1

    def bare_path(self):
        path = self.path.split("?")[0]
        for prefix in ("/api/v1", "/api"):
            if path.startswith(prefix + "/"):
                path = path[len(prefix) :]
        return path

    def answer(self, smith):
        path = self.bare_path()
        with smith.lock:
            takes_fault = smith.faults and path.startswith("/runs")
            fault = smith.faults.pop(0) if takes_fault else None
        if fault and fault.when == "before":
            return self.hang_up()
        length = int(self.headers.get("content-length", 0))
        body = self.read_slowly(length) if fault and fault.slow else self.rfile.read(length)
        if len(body) < length:
            return self.hang_up()
        if path == "/_reset":
            smith.reset()
            return self.reply(200, b"{}")
        if path == "/_script":
            return self.reply(*smith.script(body))
        request = self.note(body, 0)
        if fault and fault.delay:
            self.server.ending.wait(fault.delay)
        if fault and fault.when == "after" and not fault.slow:
            request.status = fault.status
            return self.reply(fault.status, fault.body, headers=fault.headers) if fault.status else self.hang_up()
        status, content, kind = self.process(smith, path, request)
        request.status = status
        if fault and fault.when == "stored":
            return self.reply(fault.status, fault.body) if fault.status else self.hang_up()
        self.reply(status, content, kind)

    def process(self, smith, path, request):
        known = path in ("/runs", "/runs/batch", "/runs/multipart") or path.startswith("/runs/")
        if path == "/otel/v1/traces":
            smith.otlp.append(request)
            return 200, b"", "application/x-protobuf"
        if not known or path in smith.missing:
            return 404, b'{"detail":"Not Found"}', "application/json"
        try:
            smith.take(request, path)
            return 202, b'{"message":"Runs batch ingested"}', "application/json"
        except rules.Refused as refused:
            request.rule = refused.rule
            if smith.on_refusal:
                smith.on_refusal(request, refused.status)
            return refused.status, *refused.body()

    def note(self, body, status):
        request = Request(self.command, self.path, self.lower_headers(), body, time.monotonic(), status)
        with self.server.owner.lock:
            self.server.owner.requests.append(request)
        return request

    def read_slowly(self, length):
        body = b""
        while len(body) < length:
            piece = self.rfile.read(min(max(1, length // 20), length - len(body)))
            if not piece:
                break
            body += piece
            self.server.ending.wait(0.01)
        return body

    def reply(self, status, body=b"", kind="application/json", headers=None):
        self.respond(status, {"Content-Type": kind, **(headers or {})}, body)


def main():
    """A server for a person: every key is good, and each run is printed."""

    class Anything(dict):
        def __contains__(self, _):
            return True

        def __getitem__(self, _):
            return [WORKSPACE]

    def show(operation):
        run = operation.run
        depth = run["dotted_order"].count(".") if run.get("dotted_order") else 0
        print(f"{operation.kind:5} {'  ' * depth}{run.get('run_type', ''):9} {run.get('name', '')}", flush=True)
        for name in ("inputs", "outputs", "error"):
            if run.get(name):
                print(f"      {'  ' * depth}  {name}: {json.dumps(run[name], ensure_ascii=False)[:300]}", flush=True)

    smith = Smith(keys=Anything(x=0), port=int(sys.argv[1]) if len(sys.argv) > 1 else 1984)
    smith.on_run = show
    smith.on_refusal = lambda request, status: print(
        f"refused {request.path} {status} by rule {request.rule}", flush=True
    )
    print(f"takes runs at {smith.url}; see them at {smith.url}/_runs", flush=True)
    print(f"weir: endpoint: {smith.url}   client: LANGSMITH_ENDPOINT={smith.url}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()


if __name__ == "__main__":
    main()
