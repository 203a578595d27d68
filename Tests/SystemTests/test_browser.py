"""`weir-beacon.js` in a real browser, on a page of another origin: every event that is sent is found in the tables."""

import base64
import json
import os
import pathlib
import sys

import pytest

from browser import Browser, Site
from otlp import request_json, span_json
from test_beacon import Beacons
from waiting import eventually
from weir import ROOT

SCRIPT = ROOT / "Sources/Weir/Receivers/Beacon/weir-beacon.js"


def test_the_script_is_small_and_made_of_its_source():
    sys.path.insert(0, str(ROOT / "browser"))
    import minify

    assert SCRIPT.read_text() == minify.minified(), "make beacon-script"
    assert SCRIPT.stat().st_size < 4000


@pytest.fixture(scope="module")
def browser():
    browser = Browser()
    yield browser
    browser.close()


class World:
    """A page, its server and Weir, which are three origins."""

    def __init__(self, browser, start, directory):
        self.browser = browser
        self.pages = {"/": (ROOT / "demo/beacon.html").read_text(), "/api/orders/17": "{}"}
        self.pages["/weir-beacon.js"] = SCRIPT.read_text()
        self.site = Site(self.pages)
        self.beacons = Beacons(start, directory, origins=[self.site.origin], rate_limits={"origin": 0, "address": 0})

    def open(self, options="{}", as_file=False):
        """The demo page, with options on top of its own. With `as_file` the script comes from the page's own server."""
        first = f"<script>window.weirOptions = {options}</script><style>"
        self.pages["/page"] = self.pages["/"].replace("<style>", first, 1)
        if as_file:
            self.pages["/page"] = self.pages["/page"].replace('new URL("/weir-beacon.js", url)', '"/weir-beacon.js"')
        path = f"/page?url=http://{self.beacons.endpoint}{self.beacons.path()}"
        page = self.browser.page(self.site.origin + path)
        eventually(lambda: page.run("!!window.weirBeacon"), "the script is not there")
        return page

    def found(self, name=None):
        return [span for span in self.beacons.spans() if name in (None, span["name"])]

    def wait(self, count, name):
        eventually(lambda: len(self.found(name)) >= count, lambda: f"{count} {name}: {self.beacons.spans()}", 30)
        return self.found(name)


@pytest.fixture
def world(browser, start, tmp_path):
    made = World(browser, start, tmp_path)
    yield made
    made.site.close()


def beacons_sent(page):
    return [url for method, url in page.requests() if url.split("?")[0].count("/v1/beacon/")]


def storage(page):
    return page.run("JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])")


def test_nothing_leaves_or_is_stored_before_consent_and_everything_after(world):
    page = world.open()
    for _ in range(3):
        page.run("send()")
    page.run("weirBeacon.flush(); fetch('/api/orders/17').then(a => a.text())")
    assert beacons_sent(page) == [] and storage(page) == "[[],[]]"
    assert world.site.asked[-1] == ("/api/orders/17", None)
    page.run("answer(true)")
    spans = world.wait(3, "detail_panel.view")
    assert len(spans) == 3 and len(world.found("page.view")) == 1
    view = world.found("page.view")[0]
    assert view["service"] == "demo-page" and view["attributes"]["url.path"] == "/page"
    # The tables have ids as signed numbers.
    of_view = {(span["trace_id"], span["parent_span_id"] % 2**64) for span in spans}
    assert of_view == {(view["trace_id"], view["span_id"] % 2**64)}
    node = {span["attributes"]["app.node_id"] for span in spans}
    assert len(node) == 3 and all(text.startswith("h") and "node" not in text for text in node), "texts are hashed"
    assert {span["attributes"]["app.severity"] for span in spans} == {"high"}, "but for those that are plain"
    assert page.preflights() == [], "a beacon asks nobody first"
    types = (ROOT / "browser/weir-beacon.d.ts").read_text()
    assert all(f"  {name}(" in types for name in page.run("Object.keys(weirBeacon)"))
    page.close()


def test_who_refuses_is_forgotten(world):
    page = world.open("{ consent: true }")
    page.run("send()")
    world.wait(1, "detail_panel.view")
    page.run("send(); answer(false); send(); weirBeacon.flush()")
    assert storage(page) == "[[],[]]"
    before = len(beacons_sent(page))
    page.run("dispatchEvent(new Event('pagehide')); fetch('/api/orders/17').then(a => a.text())")
    assert len(beacons_sent(page)) == before and len(world.found("detail_panel.view")) == 1
    page.close()


def test_a_page_that_begins_with_a_refusal_forgets_what_others_left(world):
    page = world.open("{ consent: true }")
    world.wait(1, "page.view")
    page.run("localStorage.setItem('weir.q', '[\"{}\"]')")
    page.close()
    page = world.open("{ consent: false }")
    page.run("localStorage.setItem('weir.q', '[\"{}\"]'); location.reload()")
    eventually(lambda: page.run("!!window.weirBeacon && localStorage.length === 0"), "it is still there")
    page.close()


@pytest.mark.parametrize("beacon", ["undefined", "() => false"])
def test_what_waits_arrives_without_send_beacon_too(world, beacon):
    page = world.open("{ consent: true, interval: 600000 }")
    world.wait(1, "page.view")
    page.run(f"Navigator.prototype.sendBeacon = {beacon}; for (var i = 0; i < 3; i++) send()")
    page.close()
    assert len(world.wait(3, "detail_panel.view")) == 3


def test_what_waits_when_a_page_is_closed_arrives(world):
    page = world.open("{ consent: true, interval: 600000 }")
    world.wait(1, "page.view")
    page.run("for (var i = 0; i < 45; i++) send()")
    assert world.found("detail_panel.view") == []
    page.close()
    assert len(world.wait(45, "detail_panel.view")) == 45
    (vitals,) = world.wait(1, "web_vitals")
    assert vitals["attributes"]["web_vital.ttfb_ms"] >= 0 and vitals["attributes"]["web_vital.fcp_ms"] > 0


def test_a_share_of_sessions_is_sent_and_counts_for_all(world):
    sent = 0
    for _ in range(12):
        page = world.open("{ consent: true, sample: 0.5 }")
        page.run("send()")
        if page.run("JSON.parse(sessionStorage.getItem('weir.s')).k"):
            sent += 1
            world.wait(sent, "detail_panel.view")
        page.close()
    spans = world.found("detail_panel.view")
    assert len(spans) == sent, "a session outside the sample sends nothing"
    assert all(span["attributes"]["weir.sampling.adjusted_count"] == 2 for span in spans)


def test_a_server_that_is_away_for_a_while_loses_nothing(world):
    page = world.open("{ consent: true, interval: 100 }")
    page.run("send()")
    world.wait(1, "detail_panel.view")
    world.beacons.weir.stop()
    for _ in range(60):
        page.run("send()")
    eventually(lambda: page.run("JSON.parse(localStorage.getItem('weir.q') || '[]').length") > 0, "nothing waits")
    world.beacons.begin()
    assert len(world.wait(61, "detail_panel.view")) == 61
    eventually(lambda: page.run("localStorage.getItem('weir.q')") is None, "something still waits", 30)
    assert len(world.found("detail_panel.view")) == 61, "nothing is there twice"
    page.close()


# Behind the options: requests that fail take 100 ms for it, and both is noted.
SLOW = """; window.asked = []; window.failed = 0; let ask = fetch;
window.fetch = (...all) => asked.push(Date.now()) && ask(...all).catch(
  () => new Promise((_, no) => setTimeout(() => no(++failed), 100)))"""


def test_a_server_that_is_slow_to_fail_is_asked_less_and_less(world):
    page = world.open("{ consent: true, interval: 50 }" + SLOW)
    world.wait(1, "page.view")
    world.beacons.weir.stop()
    page.run("asked.length = 0, setInterval(send, 10), 1")
    eventually(lambda: page.run("asked.length") >= 6, lambda: page.run("asked.join()"), 30)
    assert page.run("asked[5] - asked[4]") > 1000, "events that come meanwhile do not make it hurry"
    page.close()
    world.beacons.begin()


def test_storage_that_is_full_loses_the_oldest(world):
    page = world.open("{ consent: true, interval: 600000, maxStored: 2 }" + SLOW)
    world.wait(1, "page.view")
    world.beacons.weir.stop()

    def fail(name):
        page.run(f"weirBeacon.event('{name}', {{ 'app.n': 1 }}), window.before = failed, weirBeacon.flush()")
        eventually(lambda: page.run("failed > before"), "it did not fail")

    for name in ("o1", "o2"):
        fail(name)
    fill = "localStorage[n + '.' + localStorage.length] = 'x'.repeat(n)"
    page.run(f"for (let n = 1 << 20; n; n >>= 1) try {{ for (;;) {fill} }} catch (e) {{ }}")
    for name in ("n1", "n2"):
        fail(name)
    world.beacons.begin()
    eventually(lambda: page.run("weirBeacon.flush()") or len(world.found("n2")) == 1, "it does not arrive", 30)
    assert len(world.found("n1")) == 1
    page.run("localStorage.clear()")
    page.close()


def test_a_browser_that_is_offline_sends_when_it_is_back(world):
    page = world.open("{ consent: true, interval: 100 }")
    world.wait(1, "page.view")
    network = dict(latency=0, downloadThroughput=-1, uploadThroughput=-1)
    page.call("Network.emulateNetworkConditions", offline=True, **network)
    page.run("send(); send(); dispatchEvent(new Event('pagehide'))")
    eventually(lambda: page.run("JSON.parse(localStorage.getItem('weir.q') || '[]').length") > 0, "nothing waits")
    page.call("Network.emulateNetworkConditions", offline=False, **network)
    assert len(world.wait(2, "detail_panel.view")) == 2
    page.close()


def test_what_waits_is_bounded(world):
    page = world.open("{ consent: true, interval: 50, maxQueue: 30, maxStored: 2 }")
    world.wait(1, "page.view")
    world.beacons.weir.stop()
    page.run("for (var i = 0; i < 300; i++) send()")
    for _ in range(5):
        page.run("weirBeacon.flush(); for (var i = 0; i < 30; i++) send(); dispatchEvent(new Event('pagehide'))")
    assert page.run("JSON.parse(localStorage.getItem('weir.q')).length") == 2
    page.close()
    world.beacons.begin()


def test_a_request_to_the_backend_is_a_span_that_the_backend_continues(world):
    page = world.open("{ consent: true }")
    page.run("fetch('/api/orders/17?q=secret').then(a => a.text())")
    page.run("fetch('http://127.0.0.1:1/gone').catch(() => 0)")
    (span,) = world.wait(1, "fetch")
    path, parent = next(ask for ask in world.site.asked if ask[0].startswith("/api"))
    assert parent == f"00-{span['trace_id']}-{span['span_id'] & (1 << 64) - 1:016x}-01"
    assert span["attributes"]["url.path"] == "/api/orders/*" and span["kind"] == 3
    assert span["attributes"]["http.response.status_code"] == 200
    assert span["trace_id"] == world.wait(1, "page.view")[0]["trace_id"]
    page.close()


def test_the_script_works_as_a_file_and_breaks_no_page(world):
    page = world.open("{ consent: true }", as_file=True)
    assert page.run("weirBeacon.measure('never.marked'), weirBeacon.event(), 1") == 1
    for bad in ["'http://['", "'/x', { method: 'GET', body: 'b' }", "null, { headers: { 'a b': 1 } }"]:
        assert page.run(f"fetch({bad}).then(a => 'answered', e => e.name)") == "TypeError"
    page.run("send()")
    world.wait(1, "detail_panel.view")
    page.close()


def test_a_measure_lasts_as_long_as_it_took(world):
    page = world.open("{ consent: true }")
    page.run("measure()")
    (span,) = world.wait(1, "canvas.zoom")
    assert 20_000_000 <= span["duration_ns"] < 10_000_000_000 and span["attributes"]["app.factor"] == 2
    page.close()


def test_a_page_may_send_json_after_asking_and_a_page_of_another_origin_may_not(world):
    page = world.open()
    url = f"http://{world.beacons.endpoint}{world.beacons.path()}"
    blob = "new Blob(['{\"events\":[{\"name\":\"blob\"}]}'], { type: 'application/json' })"
    assert page.run(f"navigator.sendBeacon('{url}', {blob})")
    world.wait(1, "blob")
    assert page.preflights() == [url]
    stranger = Site({"/": "<p>elsewhere</p>"})
    other = world.browser.page(stranger.origin + "/")
    said = "then(a => a.status, e => 'refused')"
    body = '{"events":[{"name":"forged"}]}'
    for type in ["text/plain", "application/json"]:
        how = f"{{ method: 'POST', body: '{body}', headers: {{ 'Content-Type': '{type}' }} }}"
        assert other.run(f"fetch('{url}', {how}).{said}") == "refused"
    assert world.found("forged") == []
    other.close()
    page.close()
    stranger.close()


def test_a_page_sends_otlp_itself_where_cors_lets_it(world):
    page = world.open()
    stranger = Site({"/": "<p>elsewhere</p>"})
    other = world.browser.page(stranger.origin + "/")
    url = f"http://{world.beacons.weir.endpoint}/v1/traces"

    def send(page, name):
        """The status, and what the page can read of the answer."""
        body = request_json(span_json(name=name))
        headers = {"Content-Type": "application/json", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
        how = json.dumps({"method": "POST", "headers": headers, "body": json.dumps(body), "credentials": "include"})
        return page.run(f"fetch('{url}', {how}).then(a => a.text().then(t => a.status + t), e => e.name)")

    assert send(page, "from the page") == "200{}"
    assert page.preflights() == [url]
    assert send(other, "forged") == "TypeError" and other.preflights() == [url]
    assert len(world.wait(1, "from the page")) == 1 and world.found("forged") == []
    told = [line for line in world.beacons.weir.records() if line.get("message") == "refused a request"]
    assert [(line["client"], line["http_status"]) for line in told] == [("127.0.0.1", "403")]
    assert stranger.origin in told[0]["reason"]
    other.close()
    page.close()
    stranger.close()


def test_the_demo_page_shows_what_it_does(world, tmp_path):
    page = world.open()
    # The pictures in the docs: WEIR_PICTURES=docs/pictures
    page.call("Emulation.setDeviceMetricsOverride", width=760, height=560, deviceScaleFactor=1, mobile=False)

    def picture(name):
        picture = base64.b64decode(page.call("Page.captureScreenshot", format="png")["data"])
        (pathlib.Path(os.environ.get("WEIR_PICTURES", tmp_path)) / name).write_bytes(picture)

    def shown():
        return page.run("[...document.querySelectorAll('dd')].map(d => d.textContent).slice(0, 2).join()")

    for script in ["send()", "measure()"]:
        page.run(script)
    before = shown()
    assert before.endswith(",2") and not before.startswith("given")
    picture("beacon-before.png")
    page.run("answer(true)")
    world.wait(1, "canvas.zoom")
    assert shown() == "given,2"
    picture("beacon.png")
    page.close()
