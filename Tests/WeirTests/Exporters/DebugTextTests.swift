import Testing

@testable import Weir

@Suite struct DebugTextTests {
    @Test func escapesWhatWouldNotBeSeenAsItIs() {
        check("plain ä 漢 😀", #""plain ä 漢 😀""#)
        check(#"say "\""#, #""say \"\\\"""#)
        check("a\r\n\tb", #""a\r\n\tb""#)
        check("\u{0}\u{1b}[31m\u{7f}\u{9b}", #""\u{0}\u{1b}[31m\u{7f}\u{9b}""#)
        check("\u{2028}\u{2029}\u{202e}\u{200b}\u{feff}", #""\u{2028}\u{2029}\u{202e}\u{200b}\u{feff}""#)
    }

    @Test func cutsBetweenCharacters() {
        check("123456789012345678901234", #""123456789012345678901234""#)
        check("1234567890123456789012345", #""123456789012345678901234"…(1 bytes more)"#)
        check("12345678901234567890123ä", #""12345678901234567890123"…(2 bytes more)"#)
    }

    @Test func quotesKeysThatAreNotPlain() {
        var text = DebugText(limits)
        for key in ["http.route", "", "a b", "a=b", "x\n"] {
            Array(key.utf8).withUnsafeBytes { text.appendKey($0) }
            text.append(" ")
        }
        #expect(String(decoding: text.bytes, as: UTF8.self) == #"http.route "" "a b" "a=b" "x\n" "#)
    }

    @Test func boundsWhatManyEmptyElementsTake() {
        let list = Message { list in
            for _ in 0..<1_000_000 { list.data(Tag.arrayValues, []) }
        }
        var text = DebugText(limits)
        list.bytes.withUnsafeBytes { text.appendValue(.array(ArrayValue($0))) }
        #expect(text.bytes.count < 300)
    }

    private let limits = DebugText.Limits(valueLength: 24, items: 10)

    private func check(_ value: String, _ shown: String, at location: SourceLocation = #_sourceLocation) {
        var text = DebugText(limits)
        Array(value.utf8).withUnsafeBytes { text.appendQuoted($0) }
        #expect(String(decoding: text.bytes, as: UTF8.self) == shown, sourceLocation: location)
    }
}
