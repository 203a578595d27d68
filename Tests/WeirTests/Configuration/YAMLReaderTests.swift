import Testing

@testable import Weir

@Suite struct YAMLReaderTests {
    private let a = { (fields: inout Fields) in fields.string("a", default: "none", "") }

    @Test func saysWhereTheSyntaxBreaks() {
        check("a: 1\nb: [", a, fails: "3: while parsing a flow node, did not find expected node content")
        check("a: 1\n\tb: 2\n", a, fails: "2: found a tab, wanted spaces")
        check("a:\n\tb: 2\n", a, fails: "2: found a tab, wanted spaces")
        check("a: 1\n---\na: 2\n", a, fails: "2: expected a single document in the stream, but found another document")
        check("a: 1\r\nb:\r\n\tc: 2\r\n", a, fails: "3: found a tab, wanted spaces")
        check(
            "x: 1\na: \"b\nc: 1\n# the end\n", a,
            fails: "2: while scanning a quoted scalar, found unexpected end of stream")
        check("x: é\r\na: b\u{1}\n", a, fails: "2: control characters are not allowed")
        check(
            "a: { b: ${env:X} }", a,
            fails: "1: while parsing a flow mapping, did not find expected ',' or '}': "
                + "between { } or [ ], ${env:NAME} has to stand in quotes")
        check("a: *nobody", a, fails: "1: found undefined alias")
    }

    @Test func aByteOrderMarkSaysNothing() {
        check("\u{FEFF}a: x\n", a, gives: "x")
    }

    @Test func takesAnEmptyFileForAnEmptyMapping() {
        check("", a, gives: "none")
        check("# nothing\n", a, gives: "none")
    }

    @Test func reportsEveryKeyGivenTwice() {
        check(
            "a: 1\nb: {c: 1, d: 2, c: 3}\n'a': 2\na: 3\ne: 4\n",
            { fields in
                _ = fields.string("a", "")
                fields.section("b", "") { fields in
                    _ = fields.string("c", "")
                    _ = fields.string("d", "")
                }
            },
            fails: "2: b.c: is given twice, first on line 2", "3: a: is given twice, first on line 1",
            "4: a: is given twice, first on line 1", "5: e: is not a known key, wanted one of a, b")
    }

    @Test func reportsKeysGivenTwiceAfterCarriageReturns() {
        check(
            "x: é\r\na: 1\r\n\"a\": 2\r\n",
            { fields in
                _ = fields.string("x", ""); return fields.string("a", "")
            },
            fails: "3: a: is given twice, first on line 2")
    }

    @Test func reportsTheFirstOfVeryManyKeysGivenTwice() {
        let yaml = (0..<100).map { "k\($0): 1\nk\($0): 2\n" }.joined()
        var reader = YAMLReader(file: "f", environment: [:])
        #expect(reader.read(yaml) == nil)
        #expect(reader.diagnostics.lines.count == 1)
    }

    @Test func unfoldsAnchors() {
        check(
            "b: &x hello\na: *x\n",
            { fields in
                _ = fields.string("b", ""); return fields.string("a", "")
            }, gives: "hello")
    }

    @Test func refusesAliasesThatUnfoldIntoMore() {
        var yaml = "a0: &a0 [x]\n"
        for level in 1...12 { yaml += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1), *a\(level - 1)]\n" }
        check(yaml, { _ in }, fails: "f: found more than 32 aliases, wanted fewer".replacing("f: ", with: " "))
    }

    @Test func takesStarsThatAreNoAliases() {
        let stars = (0..<40).map { "  - '*.example\($0).com'\n" }.joined()
        check("a:\n" + stars, { $0.strings("a", default: [], count: 0...50, "").count }, gives: 40)
    }

    @Test func refusesMergeKeysAndOddKeys() {
        check(
            "b: &x {c: d}\na: {<<: *x}\n",
            { fields in
                fields.section("b", "") { _ = $0.string("c", "") }
                fields.section("a", "") { _ in }
            }, fails: "2: a.<<: found a merge key, wanted the keys written out")
        check("[x]: 1", { _ in }, fails: "1: found a key that is no text, wanted a name")
    }

    @Test func limitsDepthSizeAndNumberOfValues() {
        let deep = String(repeating: "[", count: 70) + String(repeating: "]", count: 70)
        let place = String(repeating: "[0]", count: 64)
        check(
            "a: \(deep)", { $0.scalar("a", "") }, fails: "1: a\(place): found more than 64 levels",
            "1: a[0]: found a list, wanted a string")
        let endless = String(repeating: "[", count: 200_000)
        #expect(problems(endless).count == 1)
        #expect(
            problems("a: [" + String(repeating: "1,", count: 100_001) + "]").first?.contains("more than 100000 values")
                == true)
        #expect(
            problems(String(repeating: "#", count: (1 << 20) + 1)) == ["f: found 1048577 bytes, wanted at most 1MiB"])
    }

    @Test func namesTheUnsetVariableAndReportsItOnce() {
        check(
            "\na: ${env:NOBODY}\n", a,
            fails:
                "2: a: environment variable NOBODY is not set, wanted a value for it or a default: ${env:NOBODY:-default}"
        )
    }

    @Test func neverTakesStructureFromAVariable() {
        check("a: ${env:X}", a, gives: "1\nb: 2 # [", environment: ["X": "1\nb: 2 # ["])
        check(
            "a: [\"${env:X}\"]", { $0.strings("a", default: [], count: 0...9, "") }, gives: ["1, 2"],
            environment: ["X": "1, 2"])
    }

    @Test func limitsWhatVariablesAddUpTo() {
        let yaml = "a: [" + (0..<40).map { _ in "\"${env:X}\"" }.joined(separator: ",") + "]"
        let environment = ["X": String(repeating: "x", count: 100_000)]
        var reader = YAMLReader(file: "f", environment: environment)
        _ = reader.read(yaml)
        #expect(reader.diagnostics.entries.first?.message.contains("is too long after substitution") == true)
    }

    private func problems(_ yaml: String) -> [String] {
        var reader = YAMLReader(file: "f", environment: [:])
        _ = reader.read(yaml)
        return reader.diagnostics.lines
    }
}
