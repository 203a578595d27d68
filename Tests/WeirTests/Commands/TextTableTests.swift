import Testing

@testable import Weir

@Suite struct TextTableTests {
    private func table(_ rows: [String]..., flexible: Bool = false) -> String {
        var table = TextTable([
            .init(title: "NAME", isFlexible: flexible), .init(title: "COUNT", isNumber: true), .init(title: "END"),
        ])
        for row in rows { table.add(row) }
        return table.text
    }

    @Test func numbersStandToTheRight() {
        #expect(
            table(["a", "1", "x"], ["longer", "12345678", ""]) == """
                NAME       COUNT  END
                a              1  x
                longer  12345678

                """)
    }

    @Test func aSenderCannotTellTheTerminalWhatToDo() {
        let text = table(["\u{1B}]0;x\u{7}\r\n\u{9B}2J\u{202E}\u{2028}", "1", "é"])
        #expect(text.contains(#"\u{1b}]0;x\u{7}\u{d}\u{a}\u{9b}2J\u{202e}\u{2028}"#))
        #expect(text.contains("é") && text.split(separator: "\n").count == 2)
    }

    @Test func norInAMessage() {
        #expect("\u{9B}2J\u{202E}\u{2028}\u{7F}\n\"é".quotedForMessage == #""\u{9b}2J\u{202e}\u{2028}\u{7f} \"é""#)
    }

    @Test func whatIsTooWideIsCut() {
        let lines = table([String(repeating: "n", count: 500), "1", "end"], flexible: true).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= TextTable.width })
        #expect(lines[1].hasSuffix("n…      1  end"))
        // What must not be cut is as wide as it is.
        #expect(table([String(repeating: "n", count: 500), "1", "end"]).split(separator: "\n")[1].count == 512)
    }

    @Test(
        arguments: [
            (nil, "-"), (0, "0ns"), (999, "999ns"), (1_000, "1.00µs"), (12_345, "12.3µs"), (999_999, "999µs"),
            (1_234_567, "1.23ms"), (999_999_999, "999ms"), (59_999_999_999, "59.9s"), (60_000_000_000, "1m0s"),
            (3_725_000_000_000, "1h2m"), (-1_500_000, "-1.50ms"), (.min, "-2562047h47m"),
        ] as [(Int64?, String)])
    func durationsAreShort(nanoseconds: Int64?, text: String) {
        #expect(ShortText.duration(nanoseconds) == text)
    }

    @Test(arguments: [
        (0, "0 B"), (1_023, "1023 B"), (1_024, "1.00 KiB"), (1_500_000, "1.43 MiB"), (5 << 40, "5.00 TiB"),
    ])
    func sizesAreShort(bytes: Int, text: String) {
        #expect(ShortText.bytes(bytes) == text)
    }

    @Test func sharesAreShort() {
        #expect([0, 0.012_34, 1].map { ShortText.percent($0) } == ["0.00%", "1.23%", "100.00%"])
    }
}
