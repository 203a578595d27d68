"""A strict reader of the Prometheus text format 0.0.4."""

import math
import re
from dataclasses import dataclass, field

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)')
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
TYPES = {"counter", "gauge", "histogram", "summary", "untyped"}


@dataclass
class Family:
    name: str
    type: str = ""
    help: str = ""
    samples: dict = field(default_factory=dict)  # (name, frozenset of label pairs) -> value


def parse(text):
    """The families of a scrape by name; fails on everything that the format does not allow."""
    assert text.endswith("\n"), "the last line has no end"
    families, current = {}, None
    for line in text.split("\n")[:-1]:
        if not line:
            continue
        if line.startswith("#"):
            current = _comment(line, families, current)
        else:
            _sample(line, current)
    for family in families.values():
        assert family.type, f"{family.name}: no TYPE"
        if family.type == "histogram":
            _check_histogram(family)
    return families


def _comment(line, families, current):
    match = re.fullmatch(rf"# (HELP|TYPE) ({NAME}) (.+)", line)
    assert match, f"not a comment of the format: {line!r}"
    keyword, name, value = match.groups()
    if current is None or current.name != name:
        assert name not in families, f"{name}: its lines are not together"
        current = families[name] = Family(name)
    assert not current.samples, f"{name}: {keyword} after samples"
    if keyword == "HELP":
        assert not current.help, f"{name}: HELP twice"
        current.help = value
    else:
        assert value in TYPES and not current.type, line
        current.type = value
    return current


def _sample(line, family):
    match = SAMPLE.fullmatch(line)
    assert match, f"not a sample: {line!r}"
    name, labels, value = match.groups()
    suffixes = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}
    assert family is not None and family.type, f"a sample without TYPE: {line!r}"
    assert name in {family.name + s for s in suffixes.get(family.type, ("",))}, f"{line!r} under {family.name}"
    key = (name, frozenset(_labels(labels or "", line)))
    assert key not in family.samples, f"twice: {line!r}"
    number = float(value)
    assert family.type != "counter" or (number >= 0 and math.isfinite(number)), line
    family.samples[key] = number


def _labels(text, line):
    pairs, at = [], 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match, f"labels: {line!r}"
        pairs.append((match[1], match[2].replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")))
        at = match.end()
    assert len({name for name, _ in pairs}) == len(pairs), f"a label twice: {line!r}"
    return pairs


def _check_histogram(family):
    series = {}
    for (name, labels), value in family.samples.items():
        rest = frozenset(pair for pair in labels if pair[0] != "le")
        part = series.setdefault(rest, {"buckets": []})
        if name.endswith("_bucket"):
            part["buckets"].append((float(dict(labels)["le"]), value))
        else:
            part[name.removeprefix(family.name)] = value
    for labels, part in series.items():
        bounds = [bound for bound, _ in part["buckets"]]
        counts = [count for _, count in part["buckets"]]
        assert bounds == sorted(bounds) and bounds[-1] == math.inf, f"{family.name}: bounds {bounds}"
        assert counts == sorted(counts), f"{family.name}: buckets are not cumulative"
        assert counts[-1] == part["_count"] and "_sum" in part, f"{family.name}{set(labels)}: {part}"


def value(families, name, **labels):
    """The sum of the samples of `name` that carry at least these labels; 0 if there is none."""
    wanted = set(labels.items())
    return sum(
        number
        for family in families.values()
        for (sample, pairs), number in family.samples.items()
        if sample == name and wanted <= pairs
    )
