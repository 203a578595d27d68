"""check, print-config and components, and the file that is shipped."""

import re

import pytest

from weir import ROOT, command

GOOD = """\
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:0
exporters:
  debug:
service:
  pipelines:
    traces:
      receivers: [otlp]
      exporters: [debug]
"""


@pytest.fixture
def check(tmp_path):
    """Checks a text as a configuration; returns the result of the command."""

    def run(text, name="check"):
        (tmp_path / "test.yaml").write_text(text)
        return command(name, "--config", "test.yaml", cwd=tmp_path)

    return run


def faults(result):
    """(line, rest) of everything that the command found in the file."""
    assert result.returncode == 1, result
    text = result.stdout + result.stderr
    return [(int(line), rest) for line, rest in re.findall(r"test\.yaml:(\d+):(.*)", text)]


def test_a_good_configuration_passes(check):
    result = check(GOOD)
    assert result.returncode == 0, result
    assert not re.search(r"test\.yaml:\d+", result.stdout + result.stderr)


def test_the_shipped_configuration_passes_without_a_word(check):
    result = command("check", "--config", "collector.yaml", cwd=ROOT)
    assert result.returncode == 0, result
    assert "warning" not in result.stdout + result.stderr


ERRORS = {
    "an unknown key": (GOOD.replace("endpoint: 127", "endpiont: 127"), 5, ["endpiont"]),
    "an unknown section": (GOOD + "recievers: {}\n", 13, ["recievers"]),
    "a key twice": (GOOD.replace("  debug:\n", "  debug:\n  debug:\n"), 8, ["debug"]),
    "a wrong type": (GOOD.replace("127.0.0.1:0", "[1]"), 5, ["endpoint"]),
    "an endpoint without a port": (GOOD.replace("127.0.0.1:0", "localhost"), 5, ["endpoint", "localhost"]),
    "a port out of range": (GOOD.replace("127.0.0.1:0", "127.0.0.1:65536"), 5, ["65536"]),
    "a size that is none": (
        GOOD.replace("127.0.0.1:0", "127.0.0.1:0\n        max_request_body_size: much"),
        6,
        ["max_request_body_size", "much"],
    ),
    "a size without a limit": (
        GOOD.replace("127.0.0.1:0", "127.0.0.1:0\n        max_request_body_size: 0"),
        6,
        ["max_request_body_size"],
    ),
    "a duration without a unit": (
        GOOD.replace("127.0.0.1:0", "127.0.0.1:0\n        read_timeout: 30"),
        6,
        ["read_timeout", "30"],
    ),
    "a word that is not in the list": (
        GOOD.replace("  debug:\n", "  debug:\n    verbosity: loud\n"),
        8,
        ["verbosity", "loud", "basic"],
    ),
    "an exporter that is not defined": (GOOD.replace("[debug]", "[archive]"), 12, ["archive"]),
    "a receiver that is not defined": (GOOD.replace("[otlp]", "[jaeger]"), 11, ["jaeger"]),
    "a component that does not exist": (GOOD.replace("  debug:\n", "  debug:\n  kafka: {}\n"), 8, ["kafka"]),
    "a pipeline of another signal": (GOOD.replace("    traces:", "    metrics:"), 10, ["metrics"]),
    "a pipeline without exporters": (GOOD.replace("[debug]", "[]"), 12, ["exporters"]),
    "a variable that is not set": (GOOD.replace("127.0.0.1:0", "${env:WEIR_NOT_SET}"), 5, ["WEIR_NOT_SET"]),
    "broken YAML": (GOOD.replace("[debug]", "[debug"), None, []),
}


@pytest.mark.parametrize("text, line, words", ERRORS.values(), ids=ERRORS.keys())
def test_an_error_is_found_with_its_line_and_what_is_wrong(check, text, line, words):
    found = faults(check(text))
    assert found
    if line is not None:
        said = " ".join(rest for number, rest in found if number == line)
        assert said, f"nothing about line {line}: {found}"
        for word in words:
            assert word in said


def test_an_empty_file_is_an_error(check):
    for text in ("", "# nothing\n", "[]\n", "text\n"):
        assert check(text).returncode == 1, text


def test_all_errors_are_reported_at_once(check):
    text = (
        GOOD.replace("127.0.0.1:0", "nowhere\n        max_connections: -1\n        unknown: 1")
        .replace("  debug:\n", "  debug: { verbosity: loud }\n")
        .replace("receivers: [otlp]", "receivers: [otlp, zipkin]")
    )
    lines = {line for line, _ in faults(check(text))}
    assert {5, 6, 7, 9, 13} <= lines


def test_run_refuses_what_check_refuses(check):
    assert 5 in [line for line, _ in faults(check(GOOD.replace("127.0.0.1:0", "nowhere"), name="run"))]


def test_what_no_pipeline_uses_is_a_warning(check):
    result = check(GOOD.replace("  debug:\n", "  debug:\n  debug/unused: {}\n"))
    assert result.returncode == 0
    assert re.search(r"test\.yaml:8:.*debug/unused", result.stdout + result.stderr)
    assert "warning" in result.stdout + result.stderr


def test_a_keystore_without_a_key_is_found_in_its_line(check):
    extensions = "extensions:\n  keystore: { key_encryption_keys: { env: NOBODY } }\n"
    result = check(extensions + GOOD + "  journal: { encryption: keystore }\n")
    assert "test.yaml:2: warning: extensions.keystore.key_encryption_keys: " in result.stdout + result.stderr


def test_batch_and_memory_limiter_are_taken_with_a_note(check):
    text = GOOD.replace(
        "exporters:\n", "processors:\n  batch: {}\n  memory_limiter: { limit_mib: 512 }\nexporters:\n", 1
    ).replace("receivers: [otlp]", "receivers: [otlp]\n      processors: [memory_limiter, batch]")
    result = check(text)
    assert result.returncode == 0, result
    for line, name in ((7, "batch"), (8, "memory_limiter")):
        assert re.search(rf"test\.yaml:{line}:.*{name}", result.stdout + result.stderr)


def test_print_config_fills_in_the_defaults_and_can_be_read_back(check):
    result = check(GOOD, name="print-config")
    assert result.returncode == 0
    for key in (
        "max_request_body_size: 64MiB",
        "max_connections: 4096",
        "read_timeout: 30s",
        "idle_timeout: (60s|1m)",
        "verbosity: basic",
    ):
        assert re.search(key, result.stdout), key
    again = check(result.stdout, name="print-config")
    assert again.returncode == 0 and again.stdout == result.stdout


def test_components_lists_every_component_with_its_keys():
    result = command("components")
    assert result.returncode == 0
    for word in (
        "otlp",
        "attributes",
        "resource",
        "filter",
        "batch",
        "memory_limiter",
        "debug",
        "archive",
        "max_request_body_size",
        "64MiB",
        "max_file_age",
        "1m",
        "verbosity",
    ):
        assert re.search(rf"\b{re.escape(word)}\b", result.stdout), word


def test_every_key_of_the_shipped_configuration_is_in_components():
    listed = command("components").stdout
    for component in ("protocols", "directory", "format", "compression", "max_file_age", "max_file_size", "verbosity"):
        assert component in listed


def test_a_file_that_is_not_there_is_said(tmp_path):
    result = command("check", "--config", "nowhere.yaml", cwd=tmp_path)
    assert result.returncode == 1 and "nowhere.yaml" in result.stdout + result.stderr
