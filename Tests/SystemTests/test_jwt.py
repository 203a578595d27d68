"""Clients with JSON Web Tokens and with certificates: whose spans they send."""

import base64
import contextlib
import hmac
import http.client
import json
import secrets
import signal
import socket
import ssl
import subprocess
import time

import grpc
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

import cut_server
from authority import Authority
from otlp import a_body
from test_grpc import export, refusal, secure_export
from waiting import eventually
from weir import archive, command, configuration
from wire import post


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """A service that signs tokens, with one RSA key and one of P-256."""

    def __init__(self, name):
        self.name = name
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.curve = ec.generate_private_key(ec.SECP256R1())
        self.secret = secrets.token_bytes(32)

    def keys(self, has_secret=False):
        modulus = self.rsa.public_key().public_numbers().n
        point = self.curve.public_key().public_numbers()
        return {
            "keys": [
                {"kty": "RSA", "kid": f"{self.name}-r", "e": "AQAB", "n": encoded(modulus.to_bytes(256, "big"))},
                {
                    "kty": "EC", "crv": "P-256", "kid": f"{self.name}-e",
                    "x": encoded(point.x.to_bytes(32, "big")), "y": encoded(point.y.to_bytes(32, "big")),
                },
            ]
            + [{"kty": "oct", "kid": f"{self.name}-h", "k": encoded(self.secret)}] * has_secret
        }  # fmt: skip

    def token(self, algorithm="ES256", **claims):
        head = {"alg": algorithm, "typ": "JWT", "kid": f"{self.name}-{algorithm[0].lower()}"}
        claims = {
            "iss": "https://login.test", "aud": "weir", "sub": "backend", "tenant": "shop", "scope": "ingest",
            "exp": time.time() + 300, **claims,
        }  # fmt: skip
        text = ".".join(encoded(json.dumps(part).encode()) for part in (head, claims))
        if algorithm == "RS256":
            signature = self.rsa.sign(text.encode(), PKCS1v15(), hashes.SHA256())
        elif algorithm == "HS256":
            signature = hmac.digest(self.secret, text.encode(), "sha256")
        else:
            pair = utils.decode_dss_signature(self.curve.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
            signature = b"".join(number.to_bytes(32, "big") for number in pair)
        return f"{text}.{encoded(signature)}"


@contextlib.contextmanager
def serving(answer):
    """The URL of a server of keys; `answer` gives the status and the keys."""

    class KeysHandler(cut_server.Handler):
        def do_GET(self):
            status, keys = answer()
            self.respond(status, {}, json.dumps({"keys": keys}).encode())

    owner = cut_server.Owner()
    owner.open(KeysHandler)
    try:
        yield f"{owner.url}/keys"
    finally:
        owner.close()


def text_with(source, **listener):
    """A configuration that asks for tokens over both protocols."""
    auth = {"auth": {"authenticator": "jwt"}, **listener}
    text = configuration(http=auth, grpc=auth, exporters={"archive": archive("archive")})
    return text + f"extensions:\n  jwt: {{ issuer: https://login.test, audience: weir, {source} }}\n"


def status(weir, token):
    return post(weir.endpoint, a_body(), headers=[("Authorization", f"Bearer {token}")]).status


def test_a_token_decides_whose_spans_these_are(start, tmp_path):
    issuer, stranger = Issuer("a"), Issuer("a")
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(issuer.keys(has_secret=True)))
    weir = start(text=text_with(f"jwks_file: {file}, check_interval: 20ms, algorithms: [RS256, ES256, HS256]"))
    for algorithm in ("RS256", "ES256", "HS256"):
        for _ in range(2):
            assert status(weir, issuer.token(algorithm)) == 200
    export(weir, metadata=[("authorization", f"Bearer {issuer.token(tenant='bank')}")])
    for token, wanted in [
        (stranger.token(), 401),
        (stranger.token("HS256"), 401),
        (issuer.token(exp=time.time() - 60), 401),
        (issuer.token(aud="other"), 401),
        (issuer.token(tenant="../shop"), 401),
        (issuer.token(scope="read"), 403),
    ]:
        assert status(weir, token) == wanted
    error = refusal(weir, metadata=[("authorization", f"Bearer {stranger.token()}")])
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED
    assert weir.metric("weir_jwt_refusals", reason="signature") == 3
    assert weir.metric("weir_jwt_refusals", reason="expired") == 1
    # Keys change without a restart, and what the old ones signed is good no longer.
    old, fresh = issuer.token(), Issuer("b")
    assert status(weir, old) == 200
    file.write_text(json.dumps(fresh.keys()))
    eventually(lambda: status(weir, fresh.token()) == 200, weir.log)
    assert status(weir, old) in (401, 429)
    file.write_text("{")
    eventually(lambda: weir.metric("weir_jwt_reload_failures") >= 1, weir.log)
    assert status(weir, fresh.token()) == 200
    weir.stop()
    assert sorted(path.name for path in weir.archive.glob("tenant=*")) == ["tenant=bank", "tenant=shop"]
    assert old not in weir.log()


def test_keys_come_from_a_url(start):
    issuer = Issuer("a")
    answers = {"status": 503, "more": []}

    with serving(lambda: (answers["status"], answers["more"] + issuer.keys()["keys"])) as url:
        weir = start(text=text_with(f'jwks_url: "{url}", check_interval: 100ms'))
        for _ in range(30):
            answer = post(weir.endpoint, a_body(), headers=[("Authorization", f"Bearer {issuer.token()}")])
            assert answer.status == 503 and answer.retry_after(), "nobody is believed without keys, or sent away for good"
        assert post(weir.endpoint, a_body()).status == 401, "who shows nothing is known to nobody, whatever the keys"
        assert refusal(weir, metadata=[("authorization", f"Bearer {issuer.token()}")]).code() == grpc.StatusCode.UNAVAILABLE
        assert weir.metric("weir_authentication_requests", component="otlp", outcome="not_ready") == 31
        answers["status"] = 200
        eventually(lambda: status(weir, issuer.token()) == 200, weir.log)
        answers["status"] = 500
        assert status(weir, issuer.token()) == 200, "the keys stay as they were"
        other = Issuer("b").token()
        assert status(weir, other) == 503, "the keys may have changed just now"
        eventually(lambda: status(weir, other) == 401, "there are keys, and this is none of them")
        # A key that nobody can use locks nobody out.
        weak = {"kty": "RSA", "kid": "weak", "e": "AQAB", "n": encoded(b"\xff" * 64)}
        answers.update(status=200, more=[weak])
        eventually(lambda: "weak" in weir.log(), weir.log)
        assert status(weir, issuer.token()) == 200
        eventually(lambda: weir.log().count("keys of tokens read") >= 4, weir.log)
        assert weir.log().count("a key of tokens is left out") == 1, "the same is not said again and again"


def test_a_key_that_is_new_sends_nobody_away(start):
    old, fresh = Issuer("a"), Issuer("b")
    keys = {"now": old.keys()["keys"]}

    with serving(lambda: (200, keys["now"])) as url:
        weir = start(text=text_with(f'jwks_url: "{url}", check_interval: 2s'))
        assert status(weir, old.token()) == 200
        keys["now"] = old.keys()["keys"] + fresh.keys()["keys"]
        answers = []
        eventually(lambda: answers.append(status(weir, fresh.token())) or answers[-1] == 200, lambda: str(answers))
        assert set(answers) <= {200, 503}
        # Whoever makes keys up is told to come again of some, and only until the URL has been asked.
        made_up = [status(weir, Issuer(f"c{n}").token()) for n in range(3)]
        assert made_up == [503] * 3
        stranger = Issuer("d").token()
        eventually(lambda: status(weir, stranger) == 401, weir.log)
        assert status(weir, stranger) == 401 and status(weir, old.token()) == 200


def test_who_falls_silent_with_keys_stops_nothing(start):
    """A server of keys that sends its head and then nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/keys"
        weir = start(text=text_with(f'jwks_url: "{url}"'), ready=False)
        server.settimeout(30)
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"keys":[')
            eventually(lambda: "keys of tokens stay as they were" in weir.log(), weir.log, deadline=30)
            weir.started()


@pytest.mark.parametrize("name", ["CN=shop", "URI:spiffe://weir.test/shop"])
def test_a_certificate_decides_whose_spans_these_are(start, authority, tmp_path, name):
    server, key = authority.sign("server")
    file = tmp_path / "keys.yaml"
    file.write_text(
        f"keys:\n- {{ name: shop-backend, tenant: shop, scopes: [ingest], certificate: '{name}' }}\n"
        "- { name: auditor, tenant: auditor, scopes: [read], certificate: 'CN=auditor' }\n"
    )
    tls = {"cert_file": str(server), "key_file": str(key), "client_ca_file": str(authority.file)}
    keys = {"auth": {"authenticator": "api_keys"}, "tls": tls}
    text = configuration(http=keys, grpc=keys, exporters={"archive": archive("archive")})
    weir = start(text=text + f"extensions:\n  api_keys: {{ file: {file} }}\n")
    shop = authority.sign("shop", names="IP:127.0.0.1,URI:spiffe://weir.test/shop")
    secure_export(weir, authority, *shop)
    body = tmp_path / "body"

    def send(certificate, key, version, *further):
        body.write_bytes(a_body())
        done = subprocess.run(
            ["curl", "-sS", f"--http{version}", "--cacert", authority.file, "--cert", certificate, "--key", key,
             "-H", "Content-Type: application/x-protobuf", "--data-binary", f"@{body}", "-o", "/dev/null",
             "-w", "%{http_code}", *further, f"https://{weir.endpoint}/v1/traces"],
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        return int(done.stdout)

    for version in ("1.1", "2"):
        assert send(*shop, version) == 200
        assert send(*authority.sign("auditor"), version) == 403
        # One that the authority signed and nobody knows, and one whose name only looks like it.
        for other in ("stranger", "shop,O=x", "Shop"):
            assert send(*authority.sign(other.split(",")[0] + "2", subject=f"/CN={other}"), version) == 401
        assert send(*shop, version, "-H", "X-API-Key: wrong") == 401, "a key that came counts"
    with pytest.raises(grpc.RpcError) as caught:
        secure_export(weir, authority, *authority.sign("stranger"))
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
    # Another authority's certificate of the same name does not get that far.
    with pytest.raises(grpc.RpcError) as caught:
        secure_export(weir, authority, *Authority(tmp_path / "other").sign("shop"))
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    weir.stop()
    assert [path.name for path in weir.archive.glob("tenant=*")] == ["tenant=shop"]


def test_a_certificate_that_was_shown_before_its_name_counted_counts(start, authority, tmp_path):
    server, key = authority.sign("server")
    file = tmp_path / "keys.yaml"
    file.write_text("keys: [ { name: shop-backend, tenant: shop, scopes: [ingest], certificate: 'CN=shop' } ]\n")
    tls = {"cert_file": str(server), "key_file": str(key), "client_ca_file": str(authority.file)}

    def text(**keys):
        made = configuration(http={"tls": tls, **keys}, exporters={"archive": archive("archive")})
        return made + f"extensions:\n  api_keys: {{ file: {file} }}\n"

    weir = start(text=text())
    context = ssl.create_default_context(cafile=authority.file)
    context.load_cert_chain(*authority.sign("shop"))
    host, port = weir.endpoint.rsplit(":", 1)
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=20)

    def send():
        connection.request("POST", "/v1/traces", a_body(), {"Content-Type": "application/x-protobuf"})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    assert send() == 200
    weir.config.write_text(text(auth={"authenticator": "api_keys"}))
    weir.process.send_signal(signal.SIGHUP)
    eventually(lambda: weir.metric("weir_reloads", outcome="applied") == 1, weir.log)
    assert send() == 200, "the connection stayed"
    connection.close()
    weir.stop()
    assert sorted(path.name for path in weir.archive.glob("tenant=*")) == ["tenant=default", "tenant=shop"]


@pytest.mark.parametrize(
    "source, problem",
    [
        ("", "found no keys, wanted jwks_file or jwks_url"),
        ("jwks_file: none.json", "none.json cannot be opened"),
        ('jwks_url: "http://login.test/keys"', "wanted https"),
        ('jwks_url: "https://login.test/keys", algorithms: [HS256]', "a secret is not published"),
        ('jwks_url: "https://login.test/keys", algorithms: [none]', "wanted RS256, ES256 or HS256"),
        ('jwks_url: "https://login.test/keys", jwks_file: a', "wanted one of them"),
        ('jwks_url: "https://login.test/keys", leeway: 1h', "wanted a duration in 0s...5m"),
    ],
)
def test_the_check_says_what_is_wrong(tmp_path, source, problem):
    file = tmp_path / "collector.yaml"
    file.write_text(text_with(source))
    done = command("check", "--config", str(file), cwd=tmp_path)
    assert done.returncode == 1 and problem in done.stderr, done.stderr
