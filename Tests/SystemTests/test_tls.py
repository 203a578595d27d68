"""TLS on the listeners: who is believed, what is spoken, and that certificates change without a restart."""

import socket
import ssl
import time

import pytest

from authority import Authority
from otlp import a_body
from waiting import eventually
from weir import archive, configuration
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
