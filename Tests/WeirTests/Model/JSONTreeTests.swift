import Testing

@testable import Weir

@Suite struct JSONTreeTests {
    private func rewritten(_ text: String, leavesMembers: Bool = false) -> String? {
        Array(text.utf8).withUnsafeBytes { bytes in
            (leavesMembers ? JSONTreeReader.container(bytes, leavesMembers: true) : JSONTreeReader.value(bytes)).map {
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

    @Test(arguments: [
        (
            #" { "a" : {"b": [1, {"c": "\n\u00e4"}, true, null, -2.5e3]} , "d": [] } "#,
            #"{"a":{"b": [1, {"c": "\n\u00e4"}, true, null, -2.5e3]},"d":[]}"#
        ),
        (#"{"a":{"b":1,"c":{"b":2}},"d":{"b": 3}}"#, #"{"a":{"b":1,"c":{"b":2}},"d":{"b": 3}}"#),
        (#"[{"a": 1}]"#, #"[{"a":1}]"#),
        // Not as it stands there.
        (#"{"a":[{"b": 1,"b":2}],"c":{"d": 3}}"#, #"{"a":[{"b":1}],"c":{"d":3}}"#),
        (#"{"a":{"b": 9223372036854775808}}"#, #"{"a":{"b":"9223372036854775808"}}"#),
        (#"{"a":[1e999, 1]}"#, #"{"a":["1e999",1]}"#),
        (#"{"a":["\ud83d", 1]}"#, "{\"a\":[\"\u{FFFD}\",1]}"), (#"{"a":["x\u0000", 1]}"#, #"{"a":["x\u0000",1]}"#),
        (#"{"a":{"b": 1,"\u0062":2}}"#, #"{"a":{"b":1}}"#), ("{\"a\":{\n\"b\": 1}}", #"{"a":{"b":1}}"#),
    ])
    func leavesWholeWhatItWouldWriteAsItStands(text: String, written: String) {
        #expect(rewritten(text, leavesMembers: true) == written)
    }

    @Test(arguments: [
        #"{"a":{"b":}}"#, #"{"a":[1,]}"#, #"{"a":[01]}"#, #"{"a":{"b" 1}}"#, #"{"a":["]}"#, #"{"a":[1}"#,
        #"{"a":[tru]}"#, #"{"a":{1:2}}"#, #"{"a":["\x"]}"#,
    ])
    func whatIsNotJSONIsNoneInMembersEither(text: String) {
        #expect(rewritten(text, leavesMembers: true) == nil && rewritten(text) == nil)
    }

    @Test func whatIsLeftWholeHasItsParts() {
        let text = #"{"a":{"b":[1,2,3]},"c":[[],{}]}"#
        Array(text.utf8).withUnsafeBytes { bytes in
            guard let tree = JSONTreeReader.container(bytes, leavesMembers: true), let object = tree["a"],
                case .whole = object, let array = tree["c"]
            else { return #expect(Bool(false), "it is not left whole") }
            #expect(object["b"]?.elements.count == 3 && object.isObject)
            #expect(array.elements.count == 2 && !array.isObject && array.members.isEmpty)
        }
    }

    @Test func anObjectOfManyNamesHasEachOnceWhollyOrNot() {
        let names = (0..<100).map { "\"name \($0 % 90)\":\($0)" }.joined(separator: ",")
        let own = (0..<90).map { "\"name \($0)\":\($0)" }.joined(separator: ",")
        #expect(rewritten("{\(names)}") == "{\(own)}")
        #expect(rewritten("{\"a\":{\(names)}}", leavesMembers: true) == "{\"a\":{\(own)}}")
    }

    @Test func nestsToTheSameLimitInMembers() {
        for depth in [JSONTreeReader.maxDepth, JSONTreeReader.maxDepth + 1, 100_000] {
            let nested = String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1)
            #expect((rewritten("{\"a\":\(nested)}", leavesMembers: true) == nil) == (depth > JSONTreeReader.maxDepth))
        }
    }
}
