"""What browsers ask before they let a page send spans, and what a page may read of the answer."""

import pytest

from otlp import a_body, request_json, span_json
from weir import archive, configuration
from wire import TRACES, Connection, post_json, request

PAGE = "https://app.example.com"
ASK = [("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "content-type")]


@pytest.fixture
def page(start):
    return start(http={"cors": {"allowed_origins": [PAGE, "https://*.shop.example"], "max_age": 60}})


def preflight(weir, origin, path=TRACES):
    with Connection(weir.endpoint) as connection:
        connection.send(request(method="OPTIONS", path=path, headers=[("Origin", origin), *ASK]))
        return connection.read(bodyless=True)


@pytest.mark.parametrize("origin", [PAGE, "https://www.shop.example"])
def test_a_page_of_an_allowed_origin_sends_spans(page, origin):
    asked = preflight(page, origin)
    assert asked.status == 204 and "content-length" not in asked.headers
    assert asked.headers["access-control-allow-origin"] == origin
    assert asked.headers["access-control-allow-credentials"] == "true"
    assert asked.headers["access-control-allow-methods"] == "POST"
    assert "content-type" in asked.headers["access-control-allow-headers"].lower()
    assert asked.headers["access-control-max-age"] == "60"
    sent = post_json(page.endpoint, request_json(span_json()), headers=[("Origin", origin)])
    assert sent.status == 200
    assert sent.headers["access-control-allow-origin"] == origin and sent.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://app.example.com", PAGE + ".evil.example"])
def test_other_pages_are_told_nothing(page, origin):
    with Connection(page.endpoint) as connection:
        connection.send(request(method="OPTIONS", headers=[("Origin", origin), *ASK]))
        asked = connection.read()
    assert asked.status == 403 and "access-control-allow-origin" not in asked.headers
    sent = post_json(page.endpoint, request_json(span_json()), headers=[("Origin", origin)])
    assert "access-control-allow-origin" not in sent.headers and sent.headers["vary"] == "Origin"


def test_a_page_may_read_why_it_was_refused(start, tmp_path):
    keys = tmp_path / "keys.yaml"
    keys.write_text("keys: []")
    http = {"cors": {"allowed_origins": [PAGE]}, "auth": {"authenticator": "api_keys"}}
    text = configuration(http=http, exporters={"archive": archive(tmp_path / "archive")})
    weir = start(text=text + f"extensions:\n  api_keys: {{ file: {keys} }}\n")
    assert preflight(weir, PAGE).status == 204, "a browser asks without the page's key"
    sent = post_json(weir.endpoint, request_json(span_json()), headers=[("Origin", PAGE)])
    assert sent.status == 401 and sent.headers["access-control-allow-origin"] == PAGE


def test_without_cors_nothing_of_it_is_said(weir):
    with Connection(weir.endpoint) as connection:
        connection.send(request(a_body(), headers=[("Origin", PAGE)]))
        answer = connection.read()
    assert answer.status == 200 and "vary" not in answer.headers
    assert not [name for name in answer.headers if name.startswith("access-control")]
