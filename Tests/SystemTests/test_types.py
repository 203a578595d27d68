"""`weir-beacon.d.ts` as the TypeScript compiler reads it: what is right compiles, what is wrong does not, and the script
is what the types say."""

import re
import subprocess

import pytest

from weir import ROOT

TYPES = ROOT / "browser/weir-beacon.d.ts"
SCRIPT = ROOT / "browser/weir-beacon.js"


@pytest.fixture
def compile(tmp_path):
    """Type-checks files, and returns what the compiler has to say, a line each."""

    def compile(strict=True, **files):
        (tmp_path / "weir-beacon.d.ts").write_text(TYPES.read_text())
        names = []
        for name, text in files.items():
            path = tmp_path / name.replace("_", ".")
            path.write_text(text)
            names.append(path.name)
        words = ["tsc", "--noEmit", "--lib", "dom,es2017", "--moduleResolution", "node"]
        words += ["--strict"] if strict else ["--allowJs", "--checkJs"]
        done = subprocess.run([*words, "weir-beacon.d.ts", *names], cwd=tmp_path, capture_output=True, text=True, timeout=120)
        said = done.stdout.splitlines()
        assert bool(said) == bool(done.returncode), done
        return said

    return compile


def test_a_page_that_does_it_right_compiles(compile):
    page = """
        import type { WeirBeacon, WeirBeaconAttributes, WeirBeaconOptions } from "./weir-beacon";
        const options: WeirBeaconOptions = {
          url: "https://beacon.example.com/v1/beacon/KEY", resource: { "service.name": "shop", build: 7, test: true },
          consent: false, sample: 0.2, plain: ["a"], propagate: ["https://api.example.com"], interval: 5000,
          maxQueue: 200, maxStored: 20,
        };
        const beacon: WeirBeacon = window.weirBeacon;
        beacon.start({ url: options.url });
        beacon.start(options);
        const attributes: WeirBeaconAttributes = { "app.node_id": "n-17", count: 3, open: true };
        beacon.event("panel.view");
        beacon.event("panel.view", attributes);
        beacon.mark("a");
        beacon.measure("a", attributes);
        beacon.consent(true);
        beacon.flush();
    """
    assert compile(page_ts=page) == []


def test_the_page_of_the_documentation_compiles(compile):
    text = re.search(r"<script>\n(.*?)</script>", (ROOT / "docs/beacon.md").read_text(), re.DOTALL)[1]
    around = 'import "./weir-beacon";\ndeclare const consentBanner: { onAnswer(then: (yes: boolean) => void): void };\n'
    assert "weirBeacon.start({" in text
    assert compile(page_ts=around + text) == []


WRONG = [
    "start({})",
    "start()",
    "start({ url: 3 })",
    'start({ url: "", resource: { a: [] } })',
    'start({ url: "", samples: 1 })',
    'start({ url: "", plain: "a" })',
    "event()",
    "event(1)",
    'event("a", { b: null })',
    'event("a", { b: {} })',
    "mark()",
    'measure("a", 3)',
    "consent()",
    'consent("yes")',
    "flush(1)",
    "close()",
]


def test_a_page_that_does_it_wrong_does_not(compile):
    said = compile(page_ts='import "./weir-beacon";\n' + "".join(f"window.weirBeacon.{call};\n" for call in WRONG))
    lines = {int(line) for line in re.findall(r"^page\.ts\((\d+),", "\n".join(said), re.MULTILINE)}
    assert sorted(lines) == list(range(2, len(WRONG) + 2)), said


def test_the_script_is_what_the_types_say(compile):
    source = SCRIPT.read_text()

    def complaints(text):
        return [line.strip() for line in compile(strict=False, beacon_js=text) if "WeirBeacon" in line]

    assert complaints(source) == []
    assert complaints(source.replace("    flush: flush\n", "    flushes: flush\n")), "the compiler does not look at the script"
    members = re.search(r"interface WeirBeacon \{(.*?)\n\}", TYPES.read_text(), re.DOTALL)[1]
    made = source[source.index("window.weirBeacon = {") :]
    assert re.findall(r"^  (\w+)\(", members, re.MULTILINE) == re.findall(r"^    (\w+): ", made, re.MULTILINE)
    # Each option is one that the script looks at.
    options = re.search(r"interface WeirBeaconOptions \{(.*?)\n\}", TYPES.read_text(), re.DOTALL)[1]
    named = set(re.findall(r"^  (\w+)\??:", options, re.MULTILINE))
    assert named == set(re.findall(r"options\.(\w+)", source))
