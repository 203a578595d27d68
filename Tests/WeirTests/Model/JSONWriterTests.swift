import Testing

@testable import Weir

@Suite struct JSONWriterTests {
    /// Controls, what is escaped, and what stands beside either of them.
    private static let special: [UInt8] =
        Array(0x00...0x23) + [0x5B, 0x5C, 0x5D, 0x7E, 0x7F, 0x80, 0xA2, 0xC3, 0xDC, 0xFF]

    /// A byte after the other.
    private static func escaped(_ text: [UInt8], replacesNUL: Bool) -> [UInt8] {
        var json = Array("\"".utf8)
        for byte in text {
            switch byte {
            case 0 where replacesNUL: json += "\u{FFFD}".utf8
            case UInt8(ascii: "\""): json += #"\""#.utf8
            case UInt8(ascii: "\\"): json += #"\\"#.utf8
            case UInt8(ascii: "\n"): json += #"\n"#.utf8
            case UInt8(ascii: "\r"): json += #"\r"#.utf8
            case UInt8(ascii: "\t"): json += #"\t"#.utf8
            case 0..<0x20: json += #"\u00\#(UInt64(byte).digits(2, radix: 16))"#.utf8
            default: json.append(byte)
            }
        }
        return json + "\"".utf8
    }

    /// The first text that is written otherwise than it should be.
    private static func wrong(_ texts: some Sequence<[UInt8]>, replacesNUL: Bool = false) -> [UInt8]? {
        // It grows as it goes.
        var writer = JSONWriter(capacity: 0, replacesNUL: replacesNUL)
        for text in texts {
            let start = writer.count
            text.withUnsafeBytes { writer.string($0) }
            let written = Array(writer.written[start...])
            if escaped(text, replacesNUL: replacesNUL) != written { return text }
            if writer.count > 100_000 { writer.reset() }
        }
        return nil
    }

    @Test(arguments: [UInt8(ascii: "a"), 0x21, 0xC3]) func oneByteAnywhereInATextOfAnyLength(around: UInt8) {
        for length in 1...80 {
            let texts = (0..<length).lazy.flatMap { place in
                Self.special.lazy.map { byte in
                    var text = [UInt8](repeating: around, count: length)
                    text[place] = byte
                    return text
                }
            }
            #expect(Self.wrong(texts) == nil)
        }
        #expect(Self.wrong((0...80).map { [UInt8](repeating: around, count: $0) }) == nil)
    }

    @Test func manyBytesThatAreEscaped() {
        var random = SplitMix64(seed: 7)
        let texts = (0..<5_000).map { _ in
            let among = random.below(2) == 0 ? Self.special : Array(0...0xFF)
            return (0..<random.below(81)).map { _ in random.pick(among) }
        }
        #expect(Self.wrong(texts) == nil)
        #expect(Self.wrong(texts, replacesNUL: true) == nil)
    }

    @Test func aTextEndsWhereTheNextBegins() {
        var writer = JSONWriter(capacity: 0)
        for length in 0...80 {
            [UInt8](repeating: UInt8(ascii: "x"), count: length).withUnsafeBytes { writer.string($0) }
            writer.byte(UInt8(ascii: ","))
        }
        let texts = (0...80).map { "\"" + String(repeating: "x", count: $0) + "\"," }.joined()
        #expect(String(decoding: writer.written, as: UTF8.self) == texts)
    }
}
