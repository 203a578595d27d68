"""docs/conformance.md is complete, and says nothing that is not tested."""

import ast
import re

from weir import ROOT

RULES = {f"H{n}" for n in range(1, 17)} | {f"D{n}" for n in range(1, 10)} | {f"M{n}" for n in range(1, 16)}
TESTS = ROOT / "Tests/SystemTests"


def rows():
    """The names of the tests of each rule."""
    text = (ROOT / "docs/conformance.md").read_text()
    found = re.findall(r"^\| ([HDM]\d+) \|.*\| ([^|]*) \|$", text, re.MULTILINE)
    assert len(found) == len(dict(found)), "a rule has two rows"
    return {rule: re.findall(r"`([^`]+)`", tests) for rule, tests in found}


def functions(path):
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


def test_every_rule_has_a_test():
    assert rows().keys() == RULES
    assert not [rule for rule, tests in rows().items() if not tests]


def test_every_test_that_is_named_exists():
    existing = {f"{path.name}::{name}" for path in TESTS.glob("test_*.py") for name in functions(path)}
    named = {test for tests in rows().values() for test in tests}
    assert not named - existing
    assert all(re.fullmatch(r"test_\w+\.py::test_\w+", test) for test in named)


def test_no_test_is_defined_twice():
    """The second would replace the first without a word."""
    for path in TESTS.glob("test_*.py"):
        names = [node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)]
        assert len(names) == len(set(names)), path


def test_no_test_sleeps():
    sleeps = re.compile(r"\btime\.sleep|\bEvent\(\)\.wait\(")
    assert not [path.name for path in TESTS.glob("*.py") if path.name != "test_conformance.py" and sleeps.search(path.read_text())]
