import Testing

@testable import Weir

@Suite struct JSONTreeTests {
    private func rewritten(_ text: String) -> String? {
        Array(text.utf8).withUnsafeBytes { bytes in
            JSONTreeReader.value(bytes).map {
                var writer = JSONWriter(capacity: 64)
                writer.value($0)
                return String(decoding: writer.written, as: UTF8.self)
            }
        }
    }

    @Test(arguments: [
        (
            #" { "a" : [ 1 , -2.5e3 , true , false , null ] , "b\n" : {} } "#,
            #"{"a":[1,-2.5e3,true,false,null],"b\n":{}}"#
        ),
        (#""\u00e4\/ä""#, #""\u00e4\/ä""#), ("[]", "[]"), ("0", "0"),
        ("9223372036854775807", "9223372036854775807"), ("9223372036854775808", #""9223372036854775808""#),
        ("1e999", #""1e999""#), (#""\ud83d\ude00""#, #""\ud83d\ude00""#), (#""a\ud83db""#, "\"a\u{FFFD}b\""),
        (#""\ude00\t""#, "\"\u{FFFD}\\t\""), (#"{"a":1,"b":2,"\u0061":3}"#, #"{"a":1,"b":2}"#),
        (#""x\u0000""#, #""x\u0000""#),
    ])
    func readsJSONAndMendsWhatNotEveryReaderTakes(text: String, written: String) {
        #expect(rewritten(text) == written)
    }

    @Test(arguments: [
        "", " ", "{", "[1,]", "{\"a\"}", "{\"a\":1,}", "01", "1.", "-", "+1", "NaN", "tru", "\"", "\"\\x\"",
        "\"\\u12\"",
        "\"\n\"", "[1] 2", "{'a':1}", "{1:2}",
    ])
    func whatIsNotJSONIsNone(text: String) {
        #expect(rewritten(text) == nil)
    }

    @Test func nestsToALimit() {
        let depth = JSONTreeReader.maxDepth
        #expect(rewritten(String(repeating: "[", count: depth) + String(repeating: "]", count: depth)) != nil)
        #expect(rewritten(String(repeating: "[", count: depth + 1) + String(repeating: "]", count: depth + 1)) == nil)
        #expect(rewritten(String(repeating: "[", count: 100_000)) == nil)
    }
}
