import Testing

@testable import Weir

@Suite struct JSONPlaceTests {
    private func place(_ text: String) -> String {
        // What is asked for stands behind the mark.
        let parts = text.split(separator: "§", maxSplits: 1, omittingEmptySubsequences: false)
        let bytes = Array((parts[0] + parts[1]).utf8)
        return bytes.withUnsafeBytes { JSONPlace.path(of: parts[0].utf8.count, in: $0) }
    }

    @Test func saysWhichValueItIs() {
        #expect(
            place(#"{"resourceSpans":[{"scopeSpans":[{},{"spans":[{"name":"a","kind":§x}]}]}]}"#)
                == "resourceSpans[0].scopeSpans[1].spans[0].kind")
        #expect(place(#"{"a":{"b":[1,[2,§3]]},"c":1}"#) == "a.b[1][1]")
        #expect(place(#"{"a":{"b":[1]},"c":§1}"#) == "c")
        #expect(place(#"{"a":"{[,\"","b":§"#) == "b")
        #expect(place("§") == "" && place("[]§x") == "" && place("}}]§") == "")
    }

    @Test func aNameIsKnownOnceItIsRead() {
        #expect(place(#"{"spans":[{"start_time"§:1}]}"#) == "spans[0].start_time")
        #expect(place(#"{"spans":[{"start_t§ime":1}]}"#) == "spans[0].start_time")
        #expect(place(#"{"spans":[{"a":1,§"#) == "spans[0]")
    }

    @Test func namesThatAreNoneOfOTLPsAreNotRepeated() {
        #expect(place(#"{"bob@shop.io":§1}"#) == "…")
        #expect(place(#"{"\#(String(repeating: "a", count: 33))":§1}"#) == "…")
    }

    @Test func noDepthIsTooMuch() {
        let text = String(repeating: #"{"a":["#, count: 100_000)
        #expect(place(text + "§" + String(repeating: "]}", count: 100_000)).hasPrefix("a[0].a[0]"))
        #expect(place(text + String(repeating: "]}", count: 100_000 - 1) + ",§") == "a[1]")
    }

    @Test func theDecoderSaysIt() {
        var batch = Batch()
        let text = #"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a" "kind":1}]}]}]}"#
        let payload = Array(text.utf8).withUnsafeBytes { Payload.copying($0) }
        do throws(DecodeError) {
            try OTLPJSONDecoder().decode(payload, into: &batch)
            Issue.record("it was decoded")
        } catch {
            #expect("\(error)".contains("in resourceSpans[0].scopeSpans[0].spans[0].name"))
        }
    }
}
