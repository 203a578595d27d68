"""What a LangSmith server holds of a request, strictly. The rules have numbers, which violations and tests name."""

import datetime
import gzip
import json
import re
import zlib
from dataclasses import dataclass, field

import zstandard

RUN_TYPES = {"tool", "chain", "llm", "retriever", "embedding", "prompt", "parser"}
FIELDS = ("inputs", "outputs", "events", "extra", "error", "serialized")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
SEGMENT = re.compile(r"(\d{8})T(\d{12})Z(" + UUID.pattern + ")", re.IGNORECASE)
MAX_NAME = 128
MAX_WIRE = 25_000_000


class Refused(Exception):
    """A request that is refused as a whole."""

    def __init__(self, status, rule, text, html=False):
        super().__init__(f"{rule}: {text}")
        self.status, self.rule, self.text, self.html = status, rule, text, html

    def body(self):
        if self.html:
            return b"<html><head><title>413 Request Entity Too Large</title></head></html>", "text/html"
        return json.dumps({"error": self.text}).encode(), "application/json"


def unprocessable(rule, text):
    return Refused(422, rule, f"Unprocessable entity: {text}")


def bad(rule, text):
    return Refused(400, rule, f"Bad request: {text}")


@dataclass
class Operation:
    """`post` or `patch`, and the whole run."""

    kind: str
    run: dict

    @property
    def id(self):
        return self.run["id"].lower()

    @property
    def key(self):
        return self.kind, self.id


@dataclass
class Parsed:
    operations: list = field(default_factory=list)
    feedback: list = field(default_factory=list)
    attachments: list = field(default_factory=list)
    size: int = 0


def decoded(headers, body, offered):
    """R2: the body without its compression."""
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "zstd"):
        raise Refused(415, "R2", f"unsupported content encoding {encoding}")
    if encoding == "zstd" and not offered:
        raise Refused(415, "R2", "zstd was not offered")
    try:
        if encoding == "gzip":
            return gzip.decompress(body)
        if encoding == "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise bad("R2", f"the body does not decode: {error}") from None
    return body


def strict_json(text, rule="R14"):
    def constant(name):
        raise unprocessable(rule, f"{name} is not JSON")

    def integer(digits):
        number = int(digits)
        if not -(2**63) <= number < 2**64:
            raise unprocessable("R16", "int too big to convert")
        return number

    def pairs(members):
        names = [name for name, _ in members]
        if len(set(names)) != len(names):
            raise unprocessable("R14", f"a name stands twice in {names}")
        return dict(members)

    try:
        value = json.loads(
            text.decode("utf-8") if isinstance(text, bytes) else text,
            parse_constant=constant, parse_int=integer, object_pairs_hook=pairs,
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")
        return value
    except (UnicodeError, ValueError, RecursionError) as error:
        raise unprocessable(rule, f"not JSON: {error}") from None


# Multipart


def parts(content_type, body):
    """R3 and R4: name, type and data of each part, taken by its length."""
    match = re.fullmatch(r'multipart/form-data\s*;\s*boundary="?([^";]+)"?', content_type, re.IGNORECASE)
    if not match:
        raise unprocessable("R3", "no boundary")
    line = b"--" + match[1].encode()
    at = 0
    while True:
        if not body.startswith(line, at):
            raise unprocessable("R3", "error reading multipart data: multipart: NextPart: EOF")
        at += len(line)
        if body.startswith(b"--", at):
            if body[at + 2 :] not in (b"", b"\r\n"):
                raise unprocessable("R3", "something stands behind the end")
            return
        if not body.startswith(b"\r\n", at):
            raise unprocessable("R3", "no line ends behind a boundary")
        end = body.find(b"\r\n\r\n", at)
        if end < 0:
            raise unprocessable("R3", "error reading multipart data: multipart: NextPart: EOF")
        headers = {}
        for header in body[at + 2 : end].decode("utf-8", "replace").split("\r\n"):
            name, _, value = header.partition(":")
            headers[name.strip().lower()] = value.strip()
        at = end + 4
        name = re.fullmatch(r'form-data;\s*name="([^"]*)"(;\s*filename="[^"]*")?', headers.get("content-disposition", ""))
        if not name:
            raise unprocessable("R3", f"no name in {headers.get('content-disposition')!r}")
        kind = headers.get("content-type")
        if not kind:
            raise unprocessable("R4", f"{name[1]} has no Content-Type")
        if "content-encoding" in headers:
            raise unprocessable("R4", f"{name[1]} has a Content-Encoding of its own")
        length = headers.get("content-length") or (re.search(r";\s*length=(\d+)", kind) or ["", None])[1]
        if length is None or not length.isdigit():
            raise unprocessable("R4", f"{name[1]} has no length")
        data = body[at : at + int(length)]
        at += int(length)
        if len(data) != int(length) or not body.startswith(b"\r\n", at):
            raise unprocessable("R4", f"{name[1]} does not end where its length says")
        at += 2
        yield name[1], kind, data


def multipart(headers, body):
    parsed = Parsed(size=len(body))
    runs, seen = {}, set()
    for name, kind, data in parts(headers.get("content-type", ""), body):
        if name in seen:
            raise unprocessable("R3", f"{name} stands there twice")
        seen.add(name)
        event, _, rest = name.partition(".")
        if event == "feedback":
            feedback = strict_json(data)
            for wanted in ("trace_id", "key"):
                if not feedback.get(wanted):
                    raise unprocessable("R5", f"feedback without {wanted}")
            parsed.feedback.append(feedback)
            continue
        run, _, further = rest.partition(".")
        if event not in ("post", "patch", "attachment") or not UUID.fullmatch(run):
            raise unprocessable("R3", f"{name!r} is no name of a part")
        if event == "attachment":
            if not further or "." in further:
                raise unprocessable("R3", f"{name!r} is no name of an attachment")
            if not any(known == run for _, known in runs):
                raise unprocessable("R3", f"{name} stands in front of its run")
            parsed.attachments.append((run, further, kind, data))
            continue
        if kind.split(";")[0] != "application/json":
            raise unprocessable("R4", f"{name} is {kind}")
        value = strict_json(data)
        if not further:
            if not isinstance(value, dict):
                raise unprocessable("R14", f"{name} is no object")
            inline = [key for key in FIELDS if key in value]
            if inline:
                raise unprocessable("R18", f"{name} has {inline} inline")
            if str(value.get("id", "")).lower() != run.lower():
                raise unprocessable("R3", f"{name} has the id {value.get('id')}")
            runs[event, run] = value
            parsed.operations.append(Operation(event, value))
        else:
            if further not in FIELDS:
                raise unprocessable("R3", f"{name!r} is no field of a run")
            if (event, run) not in runs:
                raise unprocessable("R3", f"{name} stands in front of its run")
            runs[event, run][further] = value
    return parsed


def batch(body):
    """R20."""
    value = strict_json(body)
    if not isinstance(value, dict) or not set(value) <= {"post", "patch"}:
        raise unprocessable("R20", "batch schema error: wanted post and patch")
    parsed = Parsed(size=len(body))
    for kind in ("post", "patch"):
        runs = value.get(kind) or []
        if not isinstance(runs, list) or not all(isinstance(run, dict) for run in runs):
            raise unprocessable("R20", f"batch schema error {kind}: wanted an array of objects")
        parsed.operations += [Operation(kind, run) for run in runs]
    return parsed


# Runs


def instant(value, rule="R15"):
    try:
        if not isinstance(value, str):
            raise ValueError
        parsed = datetime.datetime.fromisoformat(value)
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.timezone.utc)
    except ValueError:
        raise unprocessable(rule, f"start_time must be an ISO 8601 timestamp, found {value!r}") from None


def segments(run):
    """R7: time and id of each step."""
    steps = []
    for part in run["dotted_order"].split("."):
        match = SEGMENT.fullmatch(part)
        try:
            if not match:
                raise ValueError(part)
            time = datetime.datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S%f")
        except ValueError as error:
            raise bad("R7", f"invalid 'dotted_order': parsing time {error}") from None
        steps.append((time.replace(tzinfo=datetime.timezone.utc), match[3].lower()))
    return steps


def check(operation, single=False):
    """R5 to R17 of one run."""
    run = operation.run
    needed = ["id"] if single else ["id", "trace_id", "dotted_order"]
    needed += ["name", "run_type", "start_time"] if operation.kind == "post" else []
    for name in needed:
        if not run.get(name):
            raise unprocessable("R5", f"batch schema error {operation.kind}: {name} is required")
    for name in ("id", "trace_id", "parent_run_id", "session_id", "reference_example_id"):
        value = run.get(name)
        if value is not None and not (isinstance(value, str) and UUID.fullmatch(value)):
            raise unprocessable("R6", f"{name}: Must validate one and only one schema (oneOf)")
    sessions = [name for name in ("session_id", "session_name", "address") if run.get(name) is not None]
    if len(sessions) > 1 or operation.kind == "post" and not sessions:
        raise unprocessable("R6", f"wanted one of session_id and session_name, found {sessions}")
    if run.get("run_type") is not None and run["run_type"] not in RUN_TYPES:
        raise unprocessable("R14", f"run_type {run['run_type']!r}")
    for name, kind in {"inputs": dict, "outputs": dict, "extra": dict, "events": list, "tags": list, "error": str}.items():
        if run.get(name) is not None and not isinstance(run[name], kind):
            raise unprocessable("R14", f"{name} is no {kind.__name__}")
    if not all(isinstance(tag, str) for tag in run.get("tags") or []):
        raise unprocessable("R14", "a tag is no string")
    for event in run.get("events") or []:
        if not isinstance(event, dict):
            raise unprocessable("R14", "an event is no object")
        if "time" in event:
            instant(event["time"])
    if len(run.get("name") or "") > MAX_NAME:
        raise unprocessable("R16", f"name: maxLength {MAX_NAME}")
    start = instant(run["start_time"]) if run.get("start_time") else None
    end = instant(run["end_time"]) if run.get("end_time") else None
    if start and end and end < start:
        raise unprocessable("R15", "end_time is before start_time")
    if run.get("dotted_order"):
        check_order(run, start)


def check_order(run, start):
    steps = segments(run)
    ids = [step[1] for step in steps]
    parent = (run.get("parent_run_id") or "").lower()
    if ids[-1] != run["id"].lower():
        raise bad("R8", f"run id {run['id']} does not match the last part of dotted_order")
    if ids[0] != (run.get("trace_id") or ids[0]).lower():
        raise bad("R9", f"trace_id {run['trace_id']} does not match first part of dotted_order {run['dotted_order']}")
    if not parent and len(ids) != 1:
        raise bad("R10", f"dotted_order must contain a single part for root runs for run_id:{run['id']} parent_run_id:None")
    if parent and len(ids) < 2:
        raise bad("R10", "dotted_order must contain at least two parts for child runs")
    if parent and ids[-2] != parent:
        raise bad("R11", f"parent_run_id {parent} does not match the last part but one of dotted_order")
    if len(set(ids)) != len(ids):
        raise bad("R12", "a run stands twice in dotted_order")
    for (before, _), (after, _) in zip(steps, steps[1:]):
        if after < before:
            raise bad("R13", f"dotted_order has timestamp {after} earlier than parent timestamp {before}")
    if start and start != steps[-1][0]:
        raise bad("R17", f"start_time {start} is not that of dotted_order {steps[-1][0]}")
