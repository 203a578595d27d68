"""Configurations of the OpenTelemetry Collector become Weir's, and what does not map is said."""

import pathlib
import re

import pytest

from weir import command

DATA = pathlib.Path(__file__).parent / "data"

TYPICAL = """\
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:4317", transport: tcp }
      http: { endpoint: "${env:HOST:-127.0.0.1}:4318" }
  prometheus: { config: {} }
processors:
  batch: { timeout: 1s }
  memory_limiter: { check_interval: 1s, limit_mib: 512 }
  transform: { trace_statements: [] }
  resource: { attributes: [ { key: team, value: shop, action: upsert } ] }
exporters:
  otlp: { endpoint: "backend:4317" }
  otlphttp: { endpoint: "https://backend:4318", sending_queue: { storage: file_storage, num_consumers: 3 } }
  debug: {}
extensions:
  health_check: {}
  basicauth/in: { htpasswd: { inline: "user:a-secret" } }
connectors:
  spanmetrics: {}
service:
  extensions: [health_check, basicauth/in]
  pipelines:
    traces: { receivers: [otlp], processors: [memory_limiter, transform, resource, batch], exporters: [otlphttp, otlp] }
    metrics: { receivers: [otlp, prometheus], exporters: [debug] }
    traces/only: { receivers: [otlp], exporters: [otlp] }
"""


@pytest.fixture
def bring(tmp_path):
    """Imports a text; returns exit code, what was printed, and what was said by line and path."""

    def run(text, *words):
        file = tmp_path / "otelcol.yaml"
        file.write_text(text)
        done = command(*(words or ["import-config"]), str(file), cwd=tmp_path)
        said = {}
        for line in done.stderr.splitlines():
            found = re.fullmatch(r".*otelcol\.yaml:(\d+): (?:(note|warning): )?([\w./\[\]]+): (.*)", line)
            if found:
                said.setdefault((int(found[1]), found[3]), found[4])
        return done.returncode, done.stdout, said

    return run


def test_what_maps_is_kept_and_the_rest_is_said(bring, tmp_path):
    code, text, said = bring(TYPICAL)
    assert code == 0
    for kept in ("otlphttp:", "https://backend:4318", "key: team", "${env:HOST:-127.0.0.1}:4318", "grpc:", "batch:"):
        assert kept in text
    gone = ("prometheus", "transform", "health_check", "basicauth", "spanmetrics", "metrics:", "only", "debug", "tcp")
    assert [word for word in gone if word in text] == []
    for place, reason in {
        (4, "receivers.otlp.protocols.grpc.transport"): "",
        (6, "receivers.prometheus"): "Weir takes traces",
        (10, "processors.transform"): "the nearest are attributes",
        (13, "exporters.otlp"): "otlp_http",
        (15, "exporters.debug"): "no pipeline of traces",
        (17, "extensions.health_check"): "/healthz",
        (18, "extensions.basicauth/in"): "api_keys",
        (19, "connectors"): "no connectors",
        (25, "service.pipelines.metrics"): "Weir takes traces",
        (26, "service.pipelines.traces/only"): "none of its exporters",
    }.items():
        assert said[place].startswith("is left out: ") and reason in said[place]
    assert "journal" in said[14, "exporters.otlphttp.sending_queue.storage"]
    # What it prints is a configuration.
    file = tmp_path / "weir.yaml"
    file.write_text(text)
    done = command("check", "--config", str(file), cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_whole_of_what_it_prints_and_says(tmp_path):
    """The golden files are what a person has looked at; see the data directory."""
    (tmp_path / "otelcol.yaml").write_text(TYPICAL)
    done = command("import-config", "otelcol.yaml", cwd=tmp_path)
    assert done.stdout == (DATA / "import-typical.yaml").read_text(), done.stdout
    assert done.stderr == (DATA / "import-typical.txt").read_text(), done.stderr


def test_keys_of_weir_stay(bring):
    text = TYPICAL.replace("service:\n", "service:\n  shutdown_timeout: 20s\n  journal: { directory: there }\n")
    _, kept, said = bring(text)
    assert "shutdown_timeout: 20s" in kept and "directory: there" in kept
    assert not [path for _, path in said if path.startswith(("service.journal", "service.shutdown"))]


def test_the_check_only_says_it(bring):
    code, text, said = bring(TYPICAL, "check", "--otelcol")
    assert code == 1 and text.strip().endswith("notes") and "receivers:" not in text
    assert (13, "exporters.otlp") in said


def test_no_door_is_opened(bring):
    text = TYPICAL.replace("127.0.0.1:4317", "0.0.0.0:4317").replace(
        "transport: tcp", "auth: { authenticator: basicauth/in }"
    )
    code, text, said = bring(text)
    assert code == 1, "something is left to do"
    assert "0.0.0.0:4317" in text and "insecure" not in text
    assert "see api_keys and jwt" in said[4, "receivers.otlp.protocols.grpc.auth.authenticator"]
    code, _, said = bring(TYPICAL.replace("127.0.0.1:4317", "0.0.0.0:4317"))
    assert code == 1 and "without authentication" in said[4, "receivers.otlp.protocols.grpc.endpoint"]


def test_no_secret_is_said(bring, tmp_path):
    file = tmp_path / "otelcol.yaml"
    file.write_text(TYPICAL)
    done = command("import-config", str(file), cwd=tmp_path)
    assert "a-secret" not in done.stderr + done.stdout


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "receivers: { otlp: {} }", "a: 1\na: 2", "service: 3", "\x00"])
def test_what_is_no_configuration_says_so(bring, text):
    code, _, _ = bring(text)
    assert code != 0


def test_an_item_that_lost_what_it_needs_goes_with_it(bring):
    items = "{ key: a, action: hash }, { key: b, value: 3, action: upsert }, { key: c, from_context: x, action: insert }"
    text = TYPICAL.replace("{ key: team, value: shop, action: upsert }", items)
    code, text, said = bring(text)
    assert code == 1, "what was to be hashed would be in clear"
    assert "key: b" in text and "key: a" not in text and "key: c" not in text
    assert (11, "processors.resource.attributes[0]") in said and (11, "processors.resource.attributes[2]") in said


def test_an_item_without_anything_it_needs_takes_no_other_with_it(bring):
    policies = (
        "{ name: errors, type: status_code, status_code: { status_codes: [ERROR] } }, { ottl_condition: {} }, "
        "{ name: slow, type: latency, latency: { threshold_ms: 500 } }, { name: rest, type: always_sample }"
    )
    text = TYPICAL.replace("transform: { trace_statements: [] }", f"tail_sampling: {{ policies: [ {policies} ] }}")
    code, text, said = bring(text.replace("transform", "tail_sampling"))
    assert code == 0 and all(f"name: {name}" in text for name in ("errors", "slow", "rest"))
    assert (10, "processors.tail_sampling.policies[1]") in said


def test_a_policy_that_lost_a_part_goes_as_a_whole(bring):
    other = "{ name: f, type: string_attribute, string_attribute: { key: k, values: [v] } }"
    lost = "{ name: x, type: ottl_condition, ottl_condition: { span: [ 'attributes[\"x\"] == 1' ] } }"
    policies = (
        f"{{ name: d, type: drop, drop: {{ drop_sub_policy: [ {lost}, {other} ] }} }}, "
        f"{{ name: a, type: and, and: {{ and_sub_policy: [ {other}, {lost} ] }} }}, "
        "{ name: slow, type: latency, latency: { threshold_ms: 5, unheard_of: 1 } }, "
        f"{{ name: n, type: not, not: {{ not_sub_policy: {lost} }} }}, "
        "{ name: errors, type: status_code, status_code: { status_codes: [ERROR] } }"
    )
    text = TYPICAL.replace("transform: { trace_statements: [] }", f"tail_sampling: {{ policies: [ {policies} ] }}")
    code, text, said = bring(text.replace("transform", "tail_sampling"))
    assert code == 0 and "name: errors" in text
    assert [name for name in "danfx" if f"name: {name}\n" in text] == [] and "slow" not in text
    for index in range(4):
        assert said[10, f"processors.tail_sampling.policies[{index}]"].startswith("is left out: its ")


@pytest.mark.parametrize(
    "key", ['blocked_values: [ "a(", "4[0-9]{12}" ]', "url_sanitizer: { enabled: true }", "db_sanitizer: { sql: { enabled: true } }"]
)
def test_what_does_not_mask_any_more_is_left_to_do(bring, key):
    text = TYPICAL.replace("transform: { trace_statements: [] }", f"redaction: {{ allow_all_keys: true, {key} }}")
    code, text, said = bring(text.replace("transform", "redaction"))
    assert code == 1 and "allow_all_keys: true" in text, "what was to be masked would be in clear"
    assert [path for _, path in said if path.startswith(f"processors.redaction.{key.split(':')[0]}")]


def test_references_get_their_scheme(bring):
    text = TYPICAL.replace("https://backend:4318", "https://${HOST}:4318/$${X}").replace(
        "sending_queue: {", "headers: { x-api-key: '${API_KEY}', y: '${env:Y:-z}' }, sending_queue: {"
    )
    _, text, _ = bring(text)
    for wanted in ("https://${env:HOST}:4318/$${X}", "${env:API_KEY}", "${env:Y:-z}"):
        assert wanted in text
