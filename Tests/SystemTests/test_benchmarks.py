"""The benchmarks compile parts of Weir by themselves, through links, and nothing else builds them: a file that a part has
come to need is noticed here."""

import json
import subprocess

import pytest

from weir import ROOT

BENCHMARKS = ROOT / "Benchmarks"
INCLUDES = [BENCHMARKS / "Sources" / name / "include" for name in ("CLibraries", "CEncryption", "CFuzzer", "COTLP")]
# Their headers are no part of the tests' packages.
WITHOUT_HEADERS = {"Redaction": ["Hyperscan.swift", "main.swift"]}


@pytest.fixture(scope="module")
def targets():
    """The files of each target, as its package has them."""
    told = subprocess.run(["swift", "package", "--ignore-lock", "--package-path", BENCHMARKS, "describe", "--type", "json"],
                          capture_output=True, text=True, timeout=300, check=True)
    return {target["name"]: [BENCHMARKS / target["path"] / source for source in target["sources"]
                             if source not in WITHOUT_HEADERS.get(target["name"], [])]
            for target in json.loads(told.stdout)["targets"]}


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """A folder with a map of the modules in C."""
    folder = tmp_path_factory.mktemp("modules")
    maps = [f'module {include.parent.name} {{ umbrella header "{header}" export * }}'
            for include in INCLUDES for header in include.glob(f"{include.parent.name}.h")]
    (folder / "module.modulemap").write_text("\n".join(maps))
    return folder


@pytest.mark.parametrize("name", ["Cost", "Encryption", "FuzzRedaction", "Parquet", "Redaction", "Sampling"])
def test_a_benchmark_has_all_that_it_needs(targets, modules, name):
    assert targets[name]
    paths = [option for include in INCLUDES for option in ("-Xcc", f"-I{include}")]
    command = ["swiftc", "-typecheck", "-wmo", "-swift-version", "6", "-module-name", name, "-I", modules, *paths]
    done = subprocess.run([*command, *targets[name]], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, [line for line in done.stderr.splitlines() if "error:" in line]
