"""Requests that LangSmith's own client has sent, as a server got them."""

import pathlib
from dataclasses import dataclass

DIRECTORY = pathlib.Path(__file__).parent / "data" / "langsmith"


@dataclass
class Capture:
    name: str
    method: str
    path: str
    headers: dict
    body: bytes


def capture(name):
    head, _, body = (DIRECTORY / f"{name}.http").read_bytes().partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {line.split(":", 1)[0].strip().lower(): line.split(":", 1)[1].strip() for line in lines}
    return Capture(name, method, path, headers, body)


def runs():
    """Those that bring runs."""
    names = sorted(path.stem for path in DIRECTORY.glob("*.http"))
    return [capture(name) for name in names if name != "otel"]
