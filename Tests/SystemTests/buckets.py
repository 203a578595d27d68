"""Stores of objects: moto, which checks signatures as Amazon does, and a strict one that has bad days."""

import base64
import contextlib
import datetime
import hashlib
import hmac
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

import boto3
import botocore.config

import cut_server
from waiting import eventually

BUCKET = "traces"
# What the bucket has to have is looked at in each test; its name for what stands in front.
PREFIX = "weir/prod"


class Moto:
    """A server of its own, in which everybody has to sign."""

    def __init__(self, directory):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        # As many calls as it takes to make a user that may do something.
        env = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "3"}
        program = pathlib.Path(sys.executable).with_name("moto_server")
        self.log = open(pathlib.Path(directory) / "moto.log", "wb")
        self.process = subprocess.Popen(
            [program, "-H", "127.0.0.1", "-p", str(port)], env=env, stdout=self.log, stderr=self.log
        )
        eventually(self._answers, "moto does not answer", 60)
        nobody = dict(region_name="us-east-1", endpoint_url=self.url, aws_access_key_id="x", aws_secret_access_key="x")
        iam = boto3.client("iam", **nobody)
        iam.create_user(UserName="weir")
        key = iam.create_access_key(UserName="weir")["AccessKey"]
        allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        iam.put_user_policy(UserName="weir", PolicyName="all", PolicyDocument=policy)
        self.id, self.secret = key["AccessKeyId"], key["SecretAccessKey"]
        self.client = boto3.client(
            "s3",
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id=self.id,
            aws_secret_access_key=self.secret,
            config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 5}),
        )
        self.client.create_bucket(Bucket=BUCKET)

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"moto ended with {self.process.returncode}")
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"{self.url}/moto-api/", timeout=5)

    def keys(self, **further):
        """Those of `object_storage`."""
        return storage(self, **further)

    def names(self, bucket=BUCKET):
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return sorted(entry["Key"] for page in pages for entry in page.get("Contents", []))

    def read(self, name, bucket=BUCKET):
        return self.client.get_object(Bucket=bucket, Key=name)["Body"].read()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


def storage(store, **further):
    """The keys of `object_storage` for a store of this file."""
    return {
        "endpoint": store.url,
        "bucket": BUCKET,
        "prefix": PREFIX,
        "access_key_id": store.id,
        "secret_access_key": store.secret,
        "part_size": "5MiB",
        "timeout": "10s",
        "max_retry_interval": "50ms",
        **further,
    }


def download(store, directory):
    """The archive in the bucket, as files."""
    for name in store.names():
        assert name.startswith(f"{PREFIX}/"), name
        path = pathlib.Path(directory) / name.removeprefix(f"{PREFIX}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.read(name))
    return pathlib.Path(directory)


# What the strict store may do with a request: answer it; say that it is too much; hang up while the body comes; do it
# and hang up; answer in part; name the wrong tag for a part; not do it, and say so in an answer of success; begin an
# answer and say nothing more; refuse it for good; copy, but not into the storage class that is wanted.
OK, SLOW, RESET, LOST, CUT, WRONG_TAG, INTERNAL = "ok", "slow", "reset", "lost", "cut", "wrong tag", "internal"
STALL, DENIED, CLASSLESS = "stall", "denied", "classless"


@dataclass
class Upload:
    name: str
    metadata: dict
    parts: dict = field(default_factory=dict)


class Handler(cut_server.Handler):
    def _any(self):
        length = int(self.headers.get("content-length") or 0)
        mood = self.server.owner.mood(self.command, self.path)
        if mood == RESET:
            self.rfile.read(length // 2)
            return self.hang_up()
        body = self.rfile.read(length)
        if len(body) == length:
            self.server.owner.answer(self, self.command, self.path, self.lower_headers(), body, mood)

    def date_time_string(self, timestamp=None):
        return super().date_time_string((timestamp or time.time()) + self.server.owner.ahead)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _any

    def respond(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Refused(Exception):
    def __init__(self, status, code):
        self.status, self.code = status, code


class StrictStore(cut_server.Owner):
    """Holds to the signature (RFC and all), the hash of each body, its checksum, conditions and the sizes of parts.

    `mood` is given method and target of each request. What readers must never see stands in `wrong`.
    """

    def __init__(self, dialect="s3", id="AKIDSTRICT", secret="a secret of the strict store", mood=lambda *_: OK, ahead=0):
        super().__init__()
        self.id, self.secret, self.mood, self.dialect, self.ahead = id, secret.replace(" ", "-"), mood, dialect, ahead
        self.prefix = {"s3": "x-amz-", "gcs": "x-goog-"}[dialect]
        self.objects, self.metadata, self.uploads = {}, {}, {}
        self.requests, self.wrong, self.classes = [], [], {}
        self.moved = []
        self.signatures = set()
        # Of what asks for none; nobody says it of Amazon's.
        self.default_class = None
        # Whether the list of an upload's parts has no end.
        self.goes_round = False
        self.parts_put = Counter()
        self.open(Handler)

    def keys(self, **further):
        return storage(self, provider=self.dialect, **further)

    def names(self):
        with self.lock:
            return sorted(self.objects)

    def read(self, name):
        return self.objects[name]

    # What it answers.

    def answer(self, handler, method, target, headers, body, mood):
        if mood == SLOW:
            return self.refuse(handler, Refused(503, "SlowDown"))
        if mood == DENIED:
            return self.refuse(handler, Refused(403, "AccessDenied"))
        if mood == INTERNAL:
            return self.refuse(handler, Refused(200, "InternalError"))
        with self.lock:
            try:
                path, _, query = target.partition("?")
                query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
                self.check(method, path, target, headers, body)
                name = urllib.parse.unquote(path).removeprefix(f"/{BUCKET}").removeprefix("/")
                self.requests.append((method, name, query))
                status, fields, content = self.act(method, name, query, headers, body, mood)
            except Refused as refusal:
                return self.refuse(handler, refusal)
            except Exception as error:
                self.wrong.append(f"{method} {target}: {error!r}")
                raise
        if mood == LOST:
            return handler.hang_up()
        if mood == CUT and content:
            fields["Content-Length"] = str(len(content))
            content = content[: len(content) // 2]
            handler.close_connection = True
        if mood == STALL:
            handler.respond(status, fields | {"Content-Length": str(len(content) + 1)}, content)
            # Until the other side has had enough.
            return handler.rfile.read(1)
        handler.respond(status, fields, content)

    def refuse(self, handler, refusal):
        # Some servers repeat what they do not accept.
        signature = handler.headers.get("authorization", "").rpartition(" ")[2]
        message = f"no: {self.secret} {signature}"
        text = f"<?xml version='1.0'?><Error><Code>{refusal.code}</Code><Message>{message}</Message></Error>"
        handler.respond(refusal.status, {"Content-Type": "application/xml"}, text.encode())

    def check(self, method, path, target, headers, body):
        words = {"s3": ("AWS4", "s3", "aws4_request"), "gcs": ("GOOG4", "storage", "goog4_request")}[self.dialect]
        pattern = r"(\S+) Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/(\S+), SignedHeaders=(\S+), Signature=([0-9a-f]{64})"
        found = re.fullmatch(pattern, headers.get("authorization", ""))
        if not found or found.group(1, 5, 6) != (f"{words[0]}-HMAC-SHA256", *words[1:]):
            raise Refused(400, "AuthorizationHeaderMalformed")
        self.signatures.add(found[8])
        moment = headers[f"{self.prefix}date"]
        age = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self.ahead) - datetime.datetime.strptime(moment + "+0000", "%Y%m%dT%H%M%SZ%z")
        if abs(age.total_seconds()) > 900:
            raise Refused(403, "RequestTimeTooSkewed")
        if found[2] != self.id:
            raise Refused(403, "InvalidAccessKeyId")
        names = found[7].split(";")
        unsigned = {"authorization", "content-length", "connection", "accept-encoding", "user-agent", "accept"}
        left = set(headers) - set(names) - unsigned
        other = {"x-amz-": "x-goog-", "x-goog-": "x-amz-"}[self.prefix]
        if left or any(name.startswith(other) for name in headers) or names != sorted(names):
            raise Refused(400, f"ExcessHeaderValues{sorted(left)}")
        if headers[f"{self.prefix}content-sha256"] != hashlib.sha256(body).hexdigest():
            raise Refused(400, "XAmzContentSHA256Mismatch")
        query = "&".join(sorted(part if "=" in part else part + "=" for part in target.partition("?")[2].split("&") if part))
        fields = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
        canonical = "\n".join([method, path, query, fields, found[7], headers[f"{self.prefix}content-sha256"]])
        scope = "/".join(found.group(3, 4, 5, 6))
        text = "\n".join([found[1], moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = (words[0] + self.secret).encode()
        for part in [*found.group(3, 4, 5, 6), text]:
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        if key.hex() != found[8]:
            raise Refused(403, "SignatureDoesNotMatch")
        if wanted := headers.get("x-amz-checksum-sha256"):
            if base64.b64decode(wanted) != hashlib.sha256(body).digest():
                raise Refused(400, "BadDigest")
        if wanted := headers.get("content-md5"):
            if base64.b64decode(wanted) != hashlib.md5(body).digest():
                raise Refused(400, "BadDigest")
        is_copy = f"{self.prefix}copy-source" in headers
        if method == "PUT" and not is_copy and not {"content-md5", "x-amz-checksum-sha256"} & set(headers):
            raise Refused(400, "InvalidRequest")

    def act(self, method, name, query, headers, body, mood):
        if not name and "storageClass" in query:
            return 200, {}, f"<StorageClass>{self.default_class or 'STANDARD'}</StorageClass>".encode()
        if not name:
            return self.listing(query)
        if "uploads" in query or "uploadId" in query:
            return self.multipart(method, name, query, headers, body, mood)
        if method == "PUT" and f"{self.prefix}copy-source" in headers:
            return self.copy(name, headers, mood)
        if method == "PUT":
            self.condition(name, headers)
            self.store(name, body, self.described(headers))
            return 200, {"ETag": self.tag(name)}, b""
        if method == "DELETE":
            self.objects.pop(name, None)
            return 204, {}, b""
        if name not in self.objects:
            raise Refused(404, "NoSuchKey")
        content, fields = self.objects[name], {"ETag": self.tag(name), **self.metadata[name]}
        fields["x-goog-generation"] = self.generation(name)
        there = self.classes.get(name)
        if there:
            fields[f"{self.prefix}storage-class"] = there
        if method == "GET" and there in ("GLACIER", "DEEP_ARCHIVE"):
            raise Refused(403, "InvalidObjectState")
        if method == "HEAD":
            return 200, {**fields, "Content-Length": str(len(content))}, b""
        if wanted := headers.get("range"):
            start, end = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", wanted).groups())
            if start >= len(content):
                raise Refused(416, "InvalidRange")
            return 206, fields, content[start : end + 1]
        return 200, fields, content

    def copy(self, name, headers, mood):
        """An object in its own place, in another storage class, which is all that changes."""
        source = urllib.parse.unquote(headers[f"{self.prefix}copy-source"])
        if source != f"/{BUCKET}/{name}" or headers[f"{self.prefix}metadata-directive"] != "COPY":
            raise Refused(400, "InvalidArgument")
        if name not in self.objects:
            raise Refused(404, "NoSuchKey")
        known = {"s3": ("x-amz-copy-source-if-match", self.tag), "gcs": ("x-goog-copy-source-if-generation-match", self.generation)}
        condition, version = known[self.dialect]
        if headers[condition] != version(name):
            raise Refused(412, "PreconditionFailed")
        if self.classes[name] in ("GLACIER", "DEEP_ARCHIVE"):
            raise Refused(403, "InvalidObjectState")
        wanted = headers[f"{self.prefix}storage-class"]
        if wanted == (self.classes[name] or "STANDARD"):
            raise Refused(400, "InvalidRequest")
        self.classes[name] = "STANDARD" if mood == CLASSLESS else wanted
        self.moved.append((name, wanted))
        return 200, {}, b"<CopyObjectResult><ETag>&quot;x&quot;</ETag></CopyObjectResult>"

    def described(self, headers):
        fields = {name: value for name, value in headers.items() if name.startswith(f"{self.prefix}meta-")}
        self.last_class = headers.get(f"{self.prefix}storage-class", self.default_class)
        return fields

    def condition(self, name, headers):
        there = name in self.objects
        if headers.get("if-none-match") == "*" and there or headers.get("x-goog-if-generation-match") == "0" and there:
            raise Refused(412, "PreconditionFailed")
        if wanted := headers.get("if-match"):
            if not there or wanted != self.tag(name):
                raise Refused(412, "PreconditionFailed")
        wanted = headers.get("x-goog-if-generation-match", "0")
        if wanted != "0" and (not there or wanted != self.generation(name)):
            raise Refused(412, "PreconditionFailed")
        if name.endswith(".manifest.json"):
            if not set(headers) & {"if-none-match", "if-match", "x-goog-if-generation-match"}:
                self.wrong.append(f"{name}: put without a condition")

    def store(self, name, content, metadata):
        self.objects[name], self.metadata[name] = content, metadata
        self.classes[name] = self.last_class
        if not name.endswith(".manifest.json"):
            return
        # The commit: from here on readers count on what it says.
        for file in json.loads(content)["files"]:
            there = self.objects.get(f"{PREFIX}/{file['path']}")
            if there is None or hashlib.sha256(there).hexdigest() != file["sha256"]:
                self.wrong.append(f"{name}: came before its file {file['path']}")

    def tag(self, name):
        return f'"{hashlib.md5(self.objects[name]).hexdigest()}"'

    def generation(self, name):
        return str(int(hashlib.md5(self.objects[name]).hexdigest()[:12], 16) + 1)

    def multipart(self, method, name, query, headers, body, mood):
        if method == "POST" and "uploads" in query:
            id = f"upload/{len(self.uploads) + len(self.requests)}+id"
            self.uploads[id] = Upload(name, self.described(headers))
            self.uploads[id].storage = self.last_class
            return 200, {}, f"<R><UploadId>{escape(id)}</UploadId></R>".encode()
        upload = self.uploads.get(query["uploadId"])
        if upload is None or upload.name != name:
            raise Refused(404, "NoSuchUpload")
        if method == "DELETE":
            del self.uploads[query["uploadId"]]
            return 204, {}, b""
        if method == "PUT":
            number = int(query["partNumber"])
            self.parts_put[name, number] += 1
            upload.parts[number] = body
            tag = "wrong" if mood == WRONG_TAG else hashlib.md5(body).hexdigest()
            return 200, {"ETag": f'"{tag}"'}, b""
        if method == "GET":
            return 200, {}, self.parts(upload, int(query.get("part-number-marker", 0)))
        return self.complete(name, query["uploadId"], upload, body.decode())

    def parts(self, upload, marker):
        """One at a time, so that whoever reads has to go on; and perhaps for ever."""
        left = [number for number in sorted(upload.parts) if number > marker]
        text = "".join(self.part(number, upload.parts[number]) for number in left[:1])
        following = 1 + marker % 2 if self.goes_round else left[0] if len(left) > 1 else None
        if following:
            text += f"<IsTruncated>true</IsTruncated><NextPartNumberMarker>{following}</NextPartNumberMarker>"
        return f"<R>{text}</R>".encode()

    def part(self, number, part):
        checksum = base64.b64encode(hashlib.sha256(part).digest()).decode() if self.dialect == "s3" else ""
        return (
            f"<Part><PartNumber>{number}</PartNumber><ETag>&quot;{hashlib.md5(part).hexdigest()}&quot;</ETag>"
            f"<Size>{len(part)}</Size><ChecksumSHA256>{checksum}</ChecksumSHA256></Part>"
        )

    def complete(self, name, id, upload, text):
        named = re.findall(r"<PartNumber>(\d+)</PartNumber><ETag>&quot;(\w+)&quot;</ETag>", text)
        sums = re.findall(r"<ChecksumSHA256>(.*?)</ChecksumSHA256>", text)
        parts = [upload.parts.get(int(number), b"") for number, _ in named]
        for (number, tag), part in zip(named, parts):
            if tag != hashlib.md5(part).hexdigest():
                raise Refused(400, "InvalidPart")
        if any(len(part) < 5 << 20 for part in parts[:-1]):
            raise Refused(400, "EntityTooSmall")
        if self.dialect == "s3" and sums != [base64.b64encode(hashlib.sha256(part).digest()).decode() for part in parts]:
            raise Refused(400, "BadDigest")
        self.last_class = upload.storage
        self.store(name, b"".join(parts), upload.metadata)
        del self.uploads[id]
        return 200, {}, b"<R><ETag>&quot;x-1&quot;</ETag></R>"

    def listing(self, query):
        prefix = query.get("prefix", "")
        if "uploads" in query:
            found = [(id, upload.name) for id, upload in self.uploads.items() if upload.name.startswith(prefix)]
            text = "".join(
                f"<Upload><Key>{escape(name)}</Key><UploadId>{escape(id)}</UploadId>"
                f"<Initiated>2026-01-01T00:00:{index:02}Z</Initiated></Upload>"
                for index, (id, name) in enumerate(found)
            )
            return 200, {}, f"<R>{text}</R>".encode()
        names = sorted(name for name in self.objects if name.startswith(prefix))
        # Two at a time, so that whoever reads has to go on.
        start = int(query.get("continuation-token", 0))
        text = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{len(self.objects[name])}</Size></Contents>"
            for name in names[start : start + 2]
        )
        if start + 2 < len(names):
            text += f"<IsTruncated>true</IsTruncated><NextContinuationToken>{start + 2}</NextContinuationToken>"
        return 200, {}, f"<R>{text}</R>".encode()
