"""Prints how much of labelled texts `weir redact` finds, by type and by action, and what it finds beside.

Usage: redaction_quality.py WEIR LABELLED.json [TRACE.jsonl], also compressed with gzip. LABELLED is a list of {full_text, spans:
[{entity_type, start_position, end_position}]} (presidio-research; offsets in characters), TRACE has {text, spans: [[start, end, type]]} a
line (offsets in bytes). A label counts as found when 80 % of it are covered; one that holds more than the secret, when the secret is. An
action has worked where the labelled text is not in what comes out. Where presidio-analyzer is installed, its pattern recognisers stand
beside it.
"""
import collections
import gzip
import json
import pathlib
import subprocess
import sys
import tempfile

TYPES = {"CREDIT_CARD": "CREDIT_CARD", "EMAIL_ADDRESS": "EMAIL", "IBAN_CODE": "IBAN", "IP_ADDRESS": "IP_ADDRESS", "PHONE_NUMBER": "PHONE", "US_SSN": "US_SSN"}

# What becomes of what is found, where it is a text and no attribute.
ACTIONS = ["mask", "partial", "hash", "drop_value"]

# Labels that hold a name or a whole URL beside the secret; Weir takes the secret alone.
VALUE_ONLY = {"PASSWORD_KV", "URL_CRED"}

CONFIGURATION = """
receivers: {{ otlp: {{ protocols: {{ http: {{}} }} }} }}
processors: {{ redaction: {{ detectors: {{ {detectors} }} }} }}
exporters: {{ debug: {{}} }}
service: {{ pipelines: {{ traces: {{ receivers: [otlp], processors: [redaction], exporters: [debug] }} }} }}
"""


def weir(program, texts):
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    output = subprocess.run([program, "redact", "--findings"], input=lines, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def presidio(texts):
    """The pattern recognisers for the six types, without a model; nil where it is not installed."""
    try:
        from presidio_analyzer import predefined_recognizers as known
    except ImportError:
        return None
    import tldextract

    # It would ask the network for the list of domains; the one that it brings will do.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    recognisers = [
        known.CreditCardRecognizer(), known.EmailRecognizer(), known.IbanRecognizer(), known.IpRecognizer(), known.PhoneRecognizer(),
        known.UsSsnRecognizer(),
    ]
    found = []
    for text in texts:
        bytes_to = [0]
        for character in text:
            bytes_to.append(bytes_to[-1] + len(character.encode()))
        results = [result for one in recognisers for result in one.analyze(text, one.supported_entities, None) or []]
        found.append([[bytes_to[r.start], bytes_to[r.end], TYPES.get(r.entity_type, r.entity_type)] for r in results])
    return found


def overlap(first, second):
    return max(0, min(first[1], second[1]) - max(first[0], second[0]))


def report(name, labels, findings, size, wanted):
    total, found, right, made = (collections.Counter() for _ in range(4))
    for known, seen in zip(labels, findings):
        for label in known:
            if label[2] in wanted:
                total[label[2]] += 1
                wanted_share = 0.01 if label[2] in VALUE_ONLY else 0.8
                found[label[2]] += sum(overlap(label, one) for one in seen) >= wanted_share * (label[1] - label[0])
        for one in seen:
            if one[2] in wanted.values():
                made[one[2]] += 1
                right[one[2]] += any(overlap(label, one) for label in known if label[2] in wanted)
    spurious = sum(not any(overlap(label, one) for label in known) for known, seen in zip(labels, findings) for one in seen)
    print(f"\n{name}: {size / 1000:.0f} KB, recall {sum(found.values()) / max(1, sum(total.values())):.3f}, "
          f"precision {sum(right.values()) / max(1, sum(made.values())):.3f}, {spurious / size * 1e5:.2f} findings on no label per 100 KB")
    for kind in sorted(total):
        print(f"  {kind:16} recall {found[kind] / total[kind]:.3f} of {total[kind]:4}", end="")
        made_here = made[wanted[kind]]
        print(f"   precision {right[wanted[kind]] / made_here:.3f} of {made_here}" if made_here else "")


def actions(program, rows):
    """How much of the labelled text is gone from what comes out, for each action that the detectors can take."""
    texts = [" ".join(row["full_text"].splitlines()) for row in rows]
    print("\nweir, labelled texts that no output holds, by action")
    print(f"  {'':16}" + "".join(f"{action:>11}" for action in ACTIONS))
    gone, total = collections.Counter(), collections.Counter()
    for action in ACTIONS:
        with tempfile.TemporaryDirectory() as folder:
            config = pathlib.Path(folder) / "collector.yaml"
            detectors = ", ".join(f"{name.lower()}: {action}" for name in sorted(set(TYPES.values())))
            config.write_text(CONFIGURATION.format(detectors=detectors))
            output = subprocess.run([program, "redact", "--config", config], input="\n".join(texts) + "\n",
                                    capture_output=True, text=True, check=True, cwd=folder).stdout.removesuffix("\n").split("\n")
        assert len(output) == len(texts), f"{len(output)} lines of {len(texts)}"
        for row, line in zip(rows, output):
            for label in row["spans"]:
                if label["entity_type"] in TYPES:
                    value = " ".join(row["full_text"][label["start_position"]:label["end_position"]].splitlines())
                    total[label["entity_type"], action] += 1
                    gone[label["entity_type"], action] += value not in line
    for kind in sorted({kind for kind, _ in total}):
        print(f"  {kind:16}" + "".join(f"{gone[kind, action] / total[kind, action]:11.3f}" for action in ACTIONS))


def lines(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as file:
        return file.read().splitlines()


def main():
    program, labelled = sys.argv[1:3]
    rows = json.loads("\n".join(lines(labelled)))
    texts = [row["full_text"] for row in rows]
    labels = []
    for row in rows:
        place = lambda at: len(row["full_text"][:at].encode())
        labels.append([[place(s["start_position"]), place(s["end_position"]), s["entity_type"]] for s in row["spans"]])
    size = sum(len(text.encode()) for text in texts)
    report("weir", labels, weir(program, texts), size, TYPES)
    actions(program, rows)
    beside = presidio(texts)
    if beside is None:
        print("\npresidio-analyzer is not installed: nothing to stand beside it")
    else:
        report("presidio, pattern recognisers", labels, beside, size, TYPES)
    if len(sys.argv) > 3:
        rows = [json.loads(line) for line in lines(sys.argv[3])]
        labels = [row["spans"] for row in rows]
        size = sum(len(row["text"].encode()) for row in rows)
        kinds = {kind: kind for row in labels for _, _, kind in row}
        report("weir on trace text", labels, weir(program, [row["text"] for row in rows]), size, kinds)


main()
