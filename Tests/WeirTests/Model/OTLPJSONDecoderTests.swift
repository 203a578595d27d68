import Testing

@testable import Weir

/// What the JSON decoder makes of JSON that means the same as a protobuf message.
struct OTLPJSONDecoderTests {
    @Test(arguments: [false, true])
    func readsWhatProtobufSays(inManySpellings isWild: Bool) throws {
        for seed in UInt64(0)..<(Torture.isOn ? 2_000 : 200) {
            var trace = RandomTrace.forJSON(seed: seed)
            trace.forgetPayloadsOfNaN()
            var writer = TraceJSONWriter(isWild: isWild, seed: seed)
            let text = writer.text(trace)
            let batch = try Batch(decodingJSON: text)
            try #require(batch.rejected == Rejections(), "seed \(seed)")
            try requireSame(Trace(batch), trace, seed: seed)
            let oracle = try #require(OracleRequest(batch.encoded), "seed \(seed)")
            try requireSame(oracle.trace, trace, seed: seed)
        }
    }

    @Test func refusesEveryTruncation() throws {
        for seed in UInt64(0)..<6 {
            var source = RandomTrace(seed: seed)
            source.hasUnknownFields = false
            source.maxSpans = 3
            var writer = TraceJSONWriter(isWild: seed % 2 == 1, seed: seed)
            let bytes = Array(writer.text(Trace(source.span())).utf8)
            let end = bytes.lastIndex(of: UInt8(ascii: "}")) ?? 0
            for count in 0..<end {
                #expect(throws: DecodeError.self, "seed \(seed), \(count) bytes") {
                    _ = try Batch(decodingJSON: Array(bytes[..<count]))
                }
            }
        }
    }

    @Test func survivesMutations() throws {
        for seed in UInt64(0)..<(Torture.isOn ? 2_000 : 200) {
            var random = SplitMix64(seed: seed)
            var writer = TraceJSONWriter(isWild: true, seed: seed)
            var bytes = Array(writer.text(RandomTrace.forJSON(seed: seed % 100)).utf8)
            for _ in 0...random.below(3) {
                let position = random.below(bytes.count)
                switch random.below(3) {
                case 0: bytes[position] = random.pick(Array("{}[],:\"\\u0\u{1}nt-.eE9 x".utf8) + [0x80, 0xC3, 0xFF, 0])
                case 1: bytes.remove(at: position)
                default: bytes.insert(contentsOf: bytes[position...].prefix(random.below(20)), at: position)
                }
            }
            guard let batch = try? Batch(decodingJSON: bytes) else { continue }
            // What was taken is sound protobuf.
            let again = try Batch(decoding: batch.encoded)
            try #require(again.rejected.count == 0 && again.spanCount == batch.spanCount, "seed \(seed)")
            try #require(OracleRequest(batch.encoded) != nil, "seed \(seed)")
        }
    }

    @Test(arguments: [
        "", " ", "null", "[]", "1", "\"a\"", "{", "{}x", "{}{}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",
        "{'a':1}", "{\"a\":01}",
        "{\"a\":+1}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":1e}", "{\"a\":-}", "{\"a\":tru}", "{\"a\":True}",
        "{\"a\":NaN}", "{\"a\":[1,]}",
        "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\n\"}", "{\"a\":1 \"b\":2}", "{\"resourceSpans\":[{}}",
        "\u{FEFF}{}", "{\"a\":/**/1}",
        "{\"resource_spans\":[]}", "{\"resourceSpans\":{}}", "{\"resourceSpans\":[[]]}",
        "{\"resourceSpans\":[{\"scope_spans\":[]}]}",
    ])
    func refusesWhatIsNotARequest(text: String) {
        #expect(throws: DecodeError.self) { _ = try Batch(decodingJSON: text) }
    }

    @Test func rejectsSpansWithWrongValues() throws {
        try expect(.snakeCase, "\"start_time_unix_nano\":\"1\"")
        try expect(.snakeCase, "\"status\":{\"trace_state\":1}")
        try expect(.snakeCase, "\"attributes\":[{\"key\":\"k\",\"value\":{\"string_value\":\"v\"}}]")
        try expect(.value, "\"kind\":\"SPAN_KIND_SERVER\"")
        try expect(.value, "\"kind\":\"2\"")
        try expect(.value, "\"kind\":256")
        try expect(.value, "\"kind\":-1")
        try expect(.value, "\"status\":{\"code\":\"STATUS_CODE_OK\"}")
        try expect(.value, "\"name\":5")
        try expect(.value, "\"startTimeUnixNano\":-1")
        try expect(.value, "\"startTimeUnixNano\":1.5")
        try expect(.value, "\"startTimeUnixNano\":18446744073709551616")
        try expect(.value, "\"flags\":4294967296")
        try expect(.value, value("{\"intValue\":\"9223372036854775808\"}"))
        try expect(.value, value("{\"intValue\":\"-9223372036854775809\"}"))
        try expect(.value, value("{\"intValue\":\" 1\"}"))
        try expect(.value, value("{\"intValue\":\"0x10\"}"))
        try expect(.value, value("{\"intValue\":true}"))
        try expect(.value, value("{\"intValue\":1e-9223372036854775808}"))
        try expect(.value, value("{\"intValue\":1e99999999999999999999}"))
        try expect(.value, value("{\"doubleValue\":1e999}"))
        try expect(.value, value("{\"doubleValue\":\"nan\"}"))
        try expect(.value, value("{\"doubleValue\":\"1x\"}"))
        try expect(.value, value("{\"boolValue\":\"true\"}"))
        try expect(.value, value("{\"bytesValue\":\"A\"}"))
        try expect(.value, value("{\"bytesValue\":\"AA=\"}"))
        try expect(.value, value("{\"bytesValue\":\"A*==\"}"))
        try expect(.value, value("{\"arrayValue\":[]}"))
        try expect(.value, "\"attributes\":{}")
        try expect(.repeatedField, value("{\"stringValue\":\"a\",\"intValue\":1}"))
        try expect(.repeatedField, "\"status\":{},\"status\":{}")
        try expect(.text, "\"name\":\"\\ud800\"")
        try expect(.text, "\"name\":\"\\udc00\"")
        try expect(.text, "\"name\":\"\\ud83d\\u0041\"")
        try expect(.text, "\"name\":\"\\ude00\\ud83d\"")
        try expect(.traceID, "\"traceId\":\"00000000000000000000000000000000\"")
        try expect(.traceID, "\"traceId\":\"0102\"")
        try expect(.identifierHex, "\"traceId\":\"0102030405060708090a0b0c0d0e0f1g\"")
        try expect(.spanID, "\"spanId\":\"0000000000000000\"")
        try expect(.spanID, "\"spanId\":\"01\"")
        try expect(.identifierHex, "\"spanId\":\"010203040506070_\"")
        try expect(.parentSpanID, "\"parentSpanId\":\"0102\"")
        try expect(.linkID, "\"links\":[{\"traceId\":\"0102\"}]")
        // Base64 of an id, which protobuf's own JSON would write, is no id.
        try expect(.traceID, "\"traceId\":\"AQIDBAUGBwgJCgsMDQ4PEA==\"")
    }

    @Test func readsNumbersInEverySpelling() throws {
        for (text, wanted) in [
            ("0", 0), ("-0", 0), ("\"7\"", 7), ("-1", -1), ("1e3", 1000), ("\"12.0\"", 12), ("1.5e1", 15),
            ("1000e-3", 1),
            ("9223372036854775807", .max), ("\"-9223372036854775808\"", .min), ("922337203685477580.7e1", .max),
        ] as [(String, Int64)] {
            let batch = try Batch(decodingJSON: request(value("{\"intValue\":\(text)}")))
            let member = Trace(batch).spans.first?.attributes.first?.value?.member
            #expect(member == .int(wanted), "\(text)")
        }
        for (text, wanted) in [
            ("0", 0), ("-0.0", -0.0), ("1", 1), ("\"1.5\"", 1.5), ("5e-324", .leastNonzeroMagnitude),
            ("\"-Infinity\"", -.infinity),
            ("1.7976931348623157e308", .greatestFiniteMagnitude),
        ] as [(String, Double)] {
            let batch = try Batch(decodingJSON: request(value("{\"doubleValue\":\(text)}")))
            let member = Trace(batch).spans.first?.attributes.first?.value?.member
            #expect(member == .double(wanted.bitPattern), "\(text)")
        }
    }

    @Test func takesTheLastOfKeysThatStandTwice() throws {
        let parent = "\"parentSpanId\":\"0102030405060708\""
        let members = "\(parent),\"parentSpanId\":\"\",\"kind\":3,\"kind\":0,\"name\":\"last\""
        let batch = try Batch(decodingJSON: request(members))
        let span = try #require(Trace(batch).spans.first)
        #expect(span.parentSpanID.isEmpty)
        #expect(span.kind == 0)
        #expect(span.name == Array("last".utf8))
    }

    @Test func limitsTheDepthOfValues() throws {
        for limit in [1, 3, 64] {
            let sound = try Batch(decodingJSON: request(value(nested(limit))), maxValueDepth: limit)
            #expect(sound.rejected == Rejections())
            // Too deep costs the span, and not the request.
            let deep = try Batch(decodingJSON: request(value(nested(limit + 1))), maxValueDepth: limit)
            #expect(deep.rejected == Rejections(.depth, spans: 1))
        }
        #expect(throws: DecodeError.self) {
            _ = try Batch(decodingJSON: "{\"x\":" + String(repeating: "[", count: 100_000))
        }
    }

    @Test func comparesKeysByWhatTheirEscapesStandFor() throws {
        let text = value(
            "{\"array\\u0056alue\":{\"\\u0076alues\":[{\"stringV\\u0061lue\":\"v\"},{\"b\\u006folValue\":true}]}}")
        let batch = try Batch(decodingJSON: request(text))
        let member = Trace(batch).spans.first?.attributes.first?.value?.member
        let values = [Trace.Value(member: .string([0x76])), Trace.Value(member: .bool(true))]
        #expect(member == .array(values, unknown: []))
    }

    /// Text with escapes is written into the side buffer without asking for room each time.
    @Test func keepsWithinTheRoomForUnescapedText() throws {
        let bytes = [UInt8](repeating: 0xFF, count: 300_000)
        let base64 = String(repeating: "\\/", count: 400_000)
        let texts = String(repeating: "\\n", count: 400_000)
        let text = value("{\"bytesValue\":\"\(base64)\"}") + ",\"name\":\"\(texts)\""
        let batch = try Batch(decodingJSON: request(text))
        let span = try #require(Trace(batch).spans.first)
        #expect(span.attributes.first?.value?.member == .bytes(bytes))
        #expect(span.name.count == 400_000)
    }

    @Test func refusesWhatDecodesToMoreThanTheLimit() throws {
        let attributes = [String](repeating: "{}", count: 2_000).joined(separator: ",")
        var batch = Batch(decodedLimit: 16_384)
        #expect(throws: DecodeError.tooLarge) {
            let text = Array(request("\"attributes\":[\(attributes)]").utf8)
            try OTLPJSONDecoder().decode(.copying(text), into: &batch)
        }
    }

    // MARK: Pieces of requests

    private let sound =
        "{\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"0102030405060708\",\"name\":\"sound\"}"

    private func span(_ members: String) -> String {
        String(sound.dropLast()) + ",\(members)}"
    }

    private func request(_ members: String) -> String {
        request(spans: span(members))
    }

    private func request(spans: String) -> String {
        "{\"resourceSpans\":[{\"resource\":{},\"scopeSpans\":[{\"scope\":{},\"spans\":[\(spans)]}]}]}"
    }

    private func value(_ value: String) -> String {
        "\"attributes\":[{\"key\":\"k\",\"value\":\(value)}]"
    }

    private func nested(_ depth: Int) -> String {
        String(repeating: "{\"arrayValue\":{\"values\":[", count: depth) + "{}" + String(repeating: "]}}", count: depth)
    }

    /// A span with these members is rejected for this reason, and its neighbours are untouched.
    private func expect(
        _ defect: SpanDefect, _ members: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let batch = try Batch(decodingJSON: request(spans: "\(sound),\(span(members)),\(sound)"))
        let wanted = Rejections(defect, spans: 1)
        #expect(batch.rejected == wanted, "\(members)", sourceLocation: sourceLocation)
        let names = Trace(batch).spans.map(\.name)
        #expect(names == [Array("sound".utf8), Array("sound".utf8)], "\(members)", sourceLocation: sourceLocation)
    }
}

extension Batch {
    init(decodingJSON text: String, maxValueDepth: Int = 64) throws(DecodeError) {
        try self.init(decodingJSON: Array(text.utf8), maxValueDepth: maxValueDepth)
    }

    init(decodingJSON bytes: [UInt8], maxValueDepth: Int = 64) throws(DecodeError) {
        self.init()
        try OTLPJSONDecoder(maxValueDepth: maxValueDepth).decode(.copying(bytes), into: &self)
    }
}

extension Trace {
    /// JSON has one NaN.
    mutating func forgetPayloadsOfNaN() {
        forEachAttribute { $0.value?.changeDoubles { $0.isNaN ? .nan : $0 } }
    }
}

extension Trace.Value {
    mutating func changeDoubles(_ change: (Double) -> Double) {
        switch member {
        case .double(let bits): member = .double(change(Double(bitPattern: bits)).bitPattern)
        case .array(var values, let others):
            values.changeEach { $0.changeDoubles(change) }
            member = .array(values, unknown: others)
        case .kvlist(var pairs, let others):
            pairs.changeEach { $0.value?.changeDoubles(change) }
            member = .kvlist(pairs, unknown: others)
        default: return
        }
    }
}
