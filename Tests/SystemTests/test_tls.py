"""TLS on the listeners: who is believed, what is spoken, and that certificates change without a restart."""

import contextlib
import datetime
import http.client
import json
import socket
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from authority import Authority
from frames import PREFACE, SETTINGS, frame
from otlp import a_body
from waiting import eventually
from weir import archive, command, configuration
from wire import request


@pytest.fixture
def secure(start, authority, tmp_path):
    """Starts a program that speaks TLS, with further keys of `tls` and of the receiver."""

    def begin(tls=None, **http):
        certificate, key = authority.sign("server")
        tls = {"cert_file": str(certificate), "key_file": str(key), "check_interval": "20ms", **(tls or {})}
        return start(http={"tls": tls, **http})

    return begin


def client(authority, certificate=None, **versions):
    context = ssl.create_default_context(cafile=authority.file)
    if certificate:
        context.load_cert_chain(*certificate)
    for name, version in versions.items():
        setattr(context, name, version)
    return context


def connect(weir, context, timeout=10):
    host, port = weir.endpoint.rsplit(":", 1)
    plain = socket.create_connection((host, int(port)), timeout=timeout)
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def status_of(connection, body=None):
    connection.sendall(request(body if body is not None else a_body()))
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(4096)
        if not piece:
            raise ConnectionError(f"closed after {answer!r}")
        answer += piece
    return int(answer.split(b" ", 2)[1])


def test_spans_come_in_over_tls(secure, authority):
    weir = secure()
    with connect(weir, client(authority)) as connection:
        assert connection.version() == "TLSv1.3"
        for _ in range(3):
            assert status_of(connection) == 200
    with connect(weir, client(authority, maximum_version=ssl.TLSVersion.TLSv1_2)) as connection:
        assert status_of(connection) == 200
    assert len(weir.spans()) == 4


def test_old_versions_are_refused(secure, authority):
    weir = secure({"min_version": "1.3"})
    with pytest.raises(ssl.SSLError):
        connect(weir, client(authority, maximum_version=ssl.TLSVersion.TLSv1_2))
    with connect(weir, client(authority)) as connection:
        assert status_of(connection) == 200
    assert weir.metric("weir_tls_handshake_failures", component="otlp") == 1


def test_what_is_no_tls_is_cut_and_counted(secure, authority):
    weir = secure()
    host, port = weir.endpoint.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request(a_body()))
        assert not connection.recv(100).startswith(b"HTTP")
    eventually(lambda: weir.metric("weir_tls_handshake_failures", component="otlp") == 1, "not counted")
    assert "a TLS connection failed" in weir.log()


def test_only_clients_of_the_authority_are_served(secure, authority, tmp_path):
    weir = secure({"client_ca_file": str(authority.file)})
    with connect(weir, client(authority, authority.sign("client"))) as connection:
        assert status_of(connection) == 200
    stranger = Authority(tmp_path / "stranger")
    for certificate in [None, stranger.sign("client")]:
        # With TLS 1.3 the client learns of it with its first read.
        with pytest.raises(OSError):
            with connect(weir, client(authority, certificate)) as connection:
                status_of(connection)
    assert len(weir.spans()) == 1


def test_certificates_change_without_a_restart(secure, authority):
    weir = secure()
    certificate, key = authority.directory / "server.pem", authority.directory / "server.key"

    def name():
        with connect(weir, client(authority)) as connection:
            return dict(pair for (pair,) in connection.getpeercert()["subject"])["commonName"]

    assert name() == "server"
    with connect(weir, client(authority)) as old:
        assert status_of(old) == 200
        authority.sign("renewed", certificate, key)
        eventually(lambda: name() == "renewed", "the old certificate")
        assert status_of(old) == 200, "a connection that was there goes on"
        certificate.write_text("no certificate")
        eventually(lambda: weir.metric("weir_tls_reload_failures", component="otlp") > 0, "not counted")
        assert name() == "renewed"
        assert status_of(old) == 200


LISTENERS = {
    # By what the log calls it: what is answered well there.
    "otlp/http": "/v1/traces", "otlp/grpc": None, "beacon": "/weir-beacon.js", "operations": "/-/ready",
    "prometheus": "/metrics",
}  # fmt: skip


@pytest.fixture
def everywhere(start, authority, tmp_path):
    """A program all of whose listeners want certificates, and where they are."""
    certificate, key = authority.sign("server")
    tls = {"cert_file": str(certificate), "key_file": str(key), "client_ca_file": str(authority.file),
           "min_version": "1.3", "check_interval": "20ms"}  # fmt: skip
    listener = {"endpoint": "127.0.0.1:0", "tls": tls}
    text = configuration(http={"tls": tls}, grpc=listener, exporters={"debug": {}})
    text = text.replace("metrics: { endpoint: 127.0.0.1:0 }", f"metrics: {json.dumps(listener)}")
    page = json.dumps({**listener, "allowed_origins": ["*"]})
    text = text.replace("receivers:\n", f"receivers:\n  beacon: {page}\n", 1).replace("[otlp]", "[otlp, beacon]")
    weir = start(ready=False, text=text + f"  operations: {json.dumps(listener)}\n")
    eventually(lambda: any(line.get("message") == "ready" for line in weir.records()), weir.log)
    return weir


def test_every_listener_has_the_same_tls(everywhere, authority, tmp_path):
    weir, mine = everywhere, authority.sign("client")
    stranger = Authority(tmp_path / "stranger").sign("client")
    places = {name: weir._listening(name).rsplit(":", 1) for name in LISTENERS}

    def connected(name, certificate=mine, protocol=None, **versions):
        context = client(authority, certificate, **versions)
        if protocol:
            context.set_alpn_protocols([protocol])
        plain = socket.create_connection(tuple(places[name]), timeout=10)
        return context.wrap_socket(plain, server_hostname="127.0.0.1")

    def ask(connection, path):
        body = a_body() if path == "/v1/traces" else b""
        asked = request(body, method="POST" if body else "GET", path=path)
        # Operations are asked under a name of this machine.
        connection.sendall(asked.replace(b"weir.test", b"localhost"))
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        answer.read()
        return answer.status

    def name_of(name):
        with connected(name) as connection:
            return dict(pair for (pair,) in connection.getpeercert()["subject"])["commonName"]

    kept = {}
    stack = contextlib.ExitStack()
    for name, path in LISTENERS.items():
        with connected(name, protocol="h2") as connection:
            assert (connection.version(), connection.selected_alpn_protocol()) == ("TLSv1.3", "h2")
            # The answer to a preface begins with SETTINGS.
            connection.sendall(PREFACE + frame(SETTINGS))
            assert connection.recv(9)[3] == SETTINGS, name
        if path:
            kept[name] = stack.enter_context(connected(name))
            assert ask(kept[name], path) == 200, name
        for how in [dict(certificate=None), dict(certificate=stranger), dict(maximum_version=ssl.TLSVersion.TLSv1_2)]:
            with pytest.raises(OSError):
                with connected(name, **how) as connection:
                    connection.sendall(request(method="GET", path="/"))
                    if not connection.recv(100):
                        raise ConnectionError
        with socket.create_connection(tuple(places[name]), timeout=10) as plain, contextlib.suppress(OSError):
            plain.sendall(request(method="GET", path=path or "/"))
            assert b"HTTP/1.1 200" not in plain.recv(100)
    cut = lambda: [line for line in weir.records() if line.get("message") == "a TLS connection failed"]
    eventually(lambda: len(cut()) >= 10 and {line["client"] for line in cut()} == {"127.0.0.1"}, weir.log)
    assert {name_of(name) for name in LISTENERS} == {"server"}
    authority.sign("renewed", authority.directory / "server.pem", authority.directory / "server.key")
    for name in LISTENERS:
        eventually(lambda name=name: name_of(name) == "renewed", f"the old certificate at {name}")
    for name, connection in kept.items():
        assert ask(connection, LISTENERS[name]) == 200, "a connection that was there goes on"
    stack.close()


def test_a_slow_handshake_is_cut(secure, authority):
    weir = secure(read_header_timeout="200ms", idle_timeout="200ms")
    host, port = weir.endpoint.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as silent:
        # The first bytes of a ClientHello, and then nothing.
        silent.sendall(bytes([22, 3, 1, 2, 0, 1]))
        assert silent.recv(100) == b""
    with socket.create_connection((host, int(port)), timeout=10) as drip:
        began = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - began < 10:
                drip.sendall(b"\x16")
                if drip.recv(100) == b"":
                    raise ConnectionError
    cut = [line["reason"] for line in weir.records() if line.get("message") == "cut a connection"]
    assert cut == ["its handshake was slower than read_header_timeout"] * 2
    with connect(weir, client(authority)) as connection:
        assert status_of(connection) == 200


def test_files_that_are_wrong_end_the_start(start, tmp_path, authority):
    certificate, _ = authority.sign("server")
    _, key = authority.sign("other")
    text = configuration(
        http={"tls": {"cert_file": str(certificate), "key_file": str(key)}},
        exporters={"archive": archive(tmp_path / "archive")},
    )
    weir = start(ready=False, text=text)
    assert weir.wait() == 1
    assert "wanted the key of the certificate in" in weir.log()


def a_certificate(path, days):
    """Files of a certificate that signs itself and is over after so many days, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server")])
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(end - datetime.timedelta(days=10)).not_valid_after(end)
    path.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    secret = path.with_suffix(".key")
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return str(path), str(secret), end


def test_the_check_looks_into_the_files(tmp_path, authority):
    server, key = map(str, authority.sign("server"))
    _, other = authority.sign("other")
    old, old_key, end = a_certificate(tmp_path / "old.pem", -1)
    early, early_key, later = a_certificate(tmp_path / "early.pem", 20)
    missing, text = str(tmp_path / "missing"), tmp_path / "text"
    text.write_text("nonsense")

    def check(http=None, exporter=None):
        file = tmp_path / "collector.yaml"
        exporter = {"endpoint": "https://example.com", **({"tls": exporter} if exporter else {})}
        lines = configuration(http={"tls": http} if http else {}, exporters={"otlp_http": exporter})
        file.write_text(lines)
        done = command("check", "--config", str(file))
        number = next((n for n, line in enumerate(lines.split("\n"), 1) if "tls" in line), 0)
        at = f"{file}:{number}: "
        return done.returncode, [line.removeprefix(at) for line in done.stderr.splitlines()]

    inside, to = "receivers.otlp.protocols.http.tls", "exporters.otlp_http.tls"
    unseen = "so nobody has looked whether it fits its certificate"
    expected = [
        (dict(cert_file=server, key_file=key, client_ca_file=str(authority.file)), 0, []),
        (dict(cert_file=missing, key_file=key), 1, [f"{inside}.cert_file: {missing} is not there"]),
        (dict(cert_file=str(text), key_file=key), 1, [f"{inside}.cert_file: cannot use {text}, wanted certificates in PEM"]),
        (
            dict(cert_file=server, key_file=str(text)), 1,
            [f"{inside}.key_file: cannot use {text}, wanted a key in PEM, without a password"],
        ),
        (
            dict(cert_file=server, key_file=str(other)), 1,
            [f"{inside}.key_file: cannot use {other}, wanted the key of the certificate in {server}"],
        ),
        (
            dict(cert_file=server, key_file=missing), 0,
            [f"warning: {inside}.key_file: {missing} is not there, {unseen}"],
        ),
        (
            dict(cert_file=old, key_file=old_key), 0,
            [f"warning: {inside}.cert_file: {old} holds a certificate that expired on {end:%Y-%m-%d}"],
        ),
        (
            dict(cert_file=early, key_file=early_key, client_ca_file=missing), 1,
            [
                f"warning: {inside}.cert_file: {early} holds a certificate that is not valid before "
                f"{later - datetime.timedelta(days=10):%Y-%m-%d}",
                f"{inside}.client_ca_file: {missing} is not there",
            ],
        ),
    ]  # fmt: skip
    for keys, code, said in expected:
        assert check(http=keys) == (code, said), keys
    assert check(exporter=dict(ca_file=str(authority.file), cert_file=server, key_file=key)) == (0, [])
    wrong = dict(ca_file=str(text), cert_file=server, key_file=str(other))
    assert check(exporter=wrong) == (
        1,
        [
            f"{to}.ca_file: cannot use {text}, wanted certificates in PEM",
            f"{to}.key_file: cannot use {other}, wanted the key of the certificate in {server}",
        ],
    )
