"""An HTTP server that can end in the middle of requests, as one that is killed does."""

import contextlib
import http.server
import socket
import threading


class Server(http.server.ThreadingHTTPServer):
    """Hands requests to the `owner` that its handlers know."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, owner, address, handler):
        self.owner = owner
        self.connections = set()
        self.ending = threading.Event()
        super().__init__(address, handler)

    def end(self):
        self.ending.set()
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_):
        """A client that does not believe the certificate, or was killed, hangs up; that is no news."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        self.server.connections.add(self.request)
        super().setup()

    def finish(self):
        self.server.connections.discard(self.request)
        super().finish()

    def hang_up(self):
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def lower_headers(self):
        return {name.lower(): value for name, value in self.headers.items()}

    def respond(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


class Owner:
    """Answers at a port that nobody else gets while its server is down."""

    def __init__(self):
        self.lock = threading.RLock()
        self.server = None

    def open(self, handler, port=0, tls=None):
        self.handler, self.tls = handler, tls
        self.reservation = socket.socket()
        self.reservation.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.reservation.bind(("127.0.0.1", port))
        self.port = self.reservation.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        with self.lock:
            self.server = Server(self, ("127.0.0.1", self.port), self.handler)
            if self.tls:
                self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
            threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        """From here on connections are refused, and those that there were are cut."""
        with self.lock:
            if self.server:
                self.server.end()
            self.server = None

    def close(self):
        self.stop()
        self.reservation.close()
