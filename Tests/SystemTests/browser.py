"""A real browser: Chromium without a window, driven over its own protocol."""

import contextlib
import http.server
import json
import pathlib
import shutil
import subprocess
import tempfile
import threading
import urllib.request

from websockets.sync.client import connect

from waiting import eventually


class Browser:
    """One process with a profile of its own; pages are its tabs."""

    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="weir-chromium-")
        self.process = subprocess.Popen(
            [
                shutil.which("chromium"), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--disable-background-networking", "--disable-dev-shm-usage", "--remote-debugging-port=0",
                "--remote-allow-origins=*", f"--user-data-dir={self.profile}", "about:blank",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        file = pathlib.Path(self.profile) / "DevToolsActivePort"
        eventually(lambda: file.exists() and file.read_text().count("\n") == 1, "the browser does not start", 60)
        self.port = int(file.read_text().split("\n")[0])

    def page(self, url):
        return Page(self._ask("PUT", "new?about:blank")["webSocketDebuggerUrl"], url)

    def _ask(self, method, path):
        ask = urllib.request.Request(f"http://127.0.0.1:{self.port}/json/{path}", method=method)
        with urllib.request.urlopen(ask, timeout=20) as answer:
            return json.load(answer)

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.profile, ignore_errors=True)


class Page:
    def __init__(self, socket, url):
        self.stack = contextlib.ExitStack()
        self.socket = self.stack.enter_context(connect(socket, max_size=None, open_timeout=20))
        self.number = 0
        self.events = []
        self.call("Page.enable")
        self.call("Network.enable")
        self.go(url)

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv(timeout=30))
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def go(self, url):
        self.call("Page.navigate", url=url)
        eventually(lambda: self.run("document.readyState") == "complete" and self.run("location.href") == url, url, 30)

    def run(self, script):
        """What an expression of the page is; promises are waited for."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def requests(self):
        """Method and URL of what the page asked for, in order."""
        self.run("0")
        sent = [event["params"] for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [(request["request"]["method"], request["request"]["url"]) for request in sent]

    def preflights(self):
        return [url for method, url in self.requests() if method == "OPTIONS"]

    def close(self):
        """As a user closes a tab."""
        self.socket.send(json.dumps({"id": 0, "method": "Page.close", "params": {}}))
        self.stack.close()


class Site:
    """The pages of one origin, and what their backend was sent."""

    def __init__(self, pages, host="127.0.0.1"):
        self.asked = []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append((self.path, self.headers.get("traceparent")))
                body = pages.get(self.path.split("?")[0])
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write((body or "").encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((host, 0), Handler)
        self.origin = f"http://{host}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
