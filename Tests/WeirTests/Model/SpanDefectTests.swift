import Testing

@testable import Weir

/// Each reason for turning a span away, alone, out of a request that is otherwise sound.
struct SpanDefectTests {
    private let traceID: [UInt8] = [0x0A, 16] + Array(1...16)
    private let spanID: [UInt8] = [0x12, 8] + Array(1...8)

    @Test func rejectsTraceIDs() throws {
        try expect(.traceID, [0x0A, 15] + Array(1...15) + spanID)
        try expect(.traceID, [0x0A, 17] + Array(1...17) + spanID)
        try expect(.traceID, [0x0A, 0] + spanID)
        try expect(.traceID, [0x0A, 16] + [UInt8](repeating: 0, count: 16) + spanID)
        try expect(.traceID, spanID)
        try expect(.traceID, [])
    }

    @Test func rejectsSpanIDs() throws {
        try expect(.spanID, traceID + [0x12, 7] + Array(1...7))
        try expect(.spanID, traceID + [0x12, 9] + Array(1...9))
        try expect(.spanID, traceID + [0x12, 8] + [UInt8](repeating: 0, count: 8))
        try expect(.spanID, traceID)
    }

    @Test func rejectsParentSpanIDs() throws {
        try expect(.parentSpanID, sound([0x22, 7] + Array(1...7)))
        try expect(.parentSpanID, sound([0x22, 16] + Array(1...16)))
        try expectSound(sound([0x22, 0]))
        try expectSound(sound([0x22, 8] + Array(1...8)))
    }

    @Test func rejectsIDsOfLinks() throws {
        try expect(.linkID, sound([0x6A, 6, 0x0A, 4, 1, 2, 3, 4]))
        try expect(.linkID, sound([0x6A, 6, 0x12, 4, 1, 2, 3, 4]))
        try expectSound(sound([0x6A, 0]))
        try expectSound(sound([0x6A, 4, 0x0A, 0, 0x12, 0]))
    }

    @Test func rejectsTextThatIsNotUTF8() throws {
        let text: [UInt8] = [2, 0xC3, 0x28]
        try expect(.text, sound([0x2A] + text))  // name
        try expect(.text, sound([0x1A] + text))  // trace_state
        try expect(.text, sound([0x7A, 4, 0x12] + text))  // status.message
        try expect(.text, sound([0x5A, 4, 0x12] + text))  // event.name
        try expect(.text, sound([0x6A, 4, 0x1A] + text))  // link.trace_state
        for owner: [UInt8] in [[], [0x5A, 11, 0x1A], [0x6A, 11, 0x22]] {
            let tag: [UInt8] = owner.isEmpty ? [0x4A] : owner
            try expect(.text, sound(tag + [9, 0x0A, 2, 0xC3, 0x28, 0x12, 3, 0x0A, 1, 0x61]))  // key
            try expect(.text, sound(tag + [9, 0x0A, 1, 0x6B, 0x12, 4, 0x0A] + text))  // value
        }
        try expect(.text, sound(attribute(list(5, value([0x0A] + text)))))
        try expect(.text, sound(attribute(list(6, [0x0A] + text))))
        // Bytes are not text.
        try expectSound(sound(attribute([0x3A] + text)))
    }

    @Test func rejectsBrokenEncoding() throws {
        try expect(.encoding, sound([0x2A, 5, 0x61]))  // a length beyond the end
        try expect(.encoding, sound([0x2A]))  // a tag alone
        try expect(.encoding, sound([0x2A, 0x80]))  // a length that does not end
        try expect(.encoding, sound([0x39, 1, 2, 3]))  // half a time
        try expect(.encoding, sound([0x85, 0x01, 1, 2]))  // half the flags
        try expect(.encoding, sound([0x30] + [UInt8](repeating: 0x80, count: 10) + [0]))  // eleven bytes of number
        try expect(.encoding, sound([0x00, 0]))  // field 0
        try expect(.encoding, sound([0x9B, 0x01, 0x9C, 0x01]))  // a group
        try expect(.encoding, sound([0x9E, 0x01, 0]))  // wire type 6
        try expect(.encoding, sound([0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0]))  // a field number of 36 bits
        try expect(.encoding, sound([0x7A, 2, 0x12, 9]))
        try expect(.encoding, sound([0x5A, 2, 0x12, 9]))
        try expect(.encoding, sound([0x6A, 2, 0x1A, 9]))
        try expect(.encoding, sound([0x4A, 2, 0x0A, 9]))
        try expect(.encoding, sound(attribute([0x0A, 9])))
        try expect(.encoding, sound(attribute([0x21, 1])))
        try expect(.encoding, sound(attribute([0x18, 0x80])))
        try expect(.encoding, sound(attribute([0x2A, 2, 0x0A, 9])))
        try expect(.encoding, sound(attribute(list(6, [0x0A, 9]))))
    }

    @Test func rejectsValuesThatAreNestedTooDeep() throws {
        for limit in [1, 2, 3, 17, 64] {
            for kind in [5, 6] as [UInt8] {
                try expectSound(sound(attribute(nested(limit, kind))), maxValueDepth: limit)
                try expect(.depth, sound(attribute(nested(limit + 1, kind))), maxValueDepth: limit)
            }
        }
        // The deepest nesting that fits into a body, at the default limit, is no deeper for the decoder.
        try expect(.depth, sound(attribute(nested(5_000, 5))))
    }

    @Test func rejectsWhatMayStandOnceAndStandsTwice() throws {
        try expect(.repeatedField, sound([0x7A, 0, 0x7A, 0]))  // status
        try expect(.repeatedField, sound([0x4A, 4, 0x12, 0, 0x12, 0]))  // value of an attribute
        try expect(.repeatedField, sound(attribute([0x2A, 0, 0x2A, 0])))
        try expect(.repeatedField, sound(attribute([0x32, 0, 0x32, 0])))
        try expect(.repeatedField, sound(attribute(list(5, value([0x2A, 0, 0x2A, 0])))))
        try expect(.repeatedField, sound(attribute(list(6, [0x12, 0, 0x12, 0]))))
        // Another member of the oneof takes the place of a list.
        for list in [5, 6] as [UInt8] {
            let tag = list << 3 | 2
            for other: [UInt8] in [[0x0A, 0], [0x10, 1], [0x18, 1], [0x21, 1, 2, 3, 4, 5, 6, 7, 8], [0x3A, 0]] {
                let twice = [tag, 0] + other + [tag, 0]
                try expectSound(sound(attribute(twice)))
                try expectSound(sound(attribute([0x2A] + Trace.delimited([0x0A] + Trace.delimited(twice)))))
            }
        }
    }

    @Test func rejectsTheSpansOfAResourceOrScopeThatIsNotText() throws {
        let text: [UInt8] = [2, 0xC3, 0x28]
        let span = [0x12] + Trace.delimited(sound([]))
        let other = Trace.request(spans: [sound([])])
        let scopes = [0x12] + Trace.delimited(span + span)
        for broken: [UInt8] in [
            [0x0A] + Trace.delimited([0x0A, 4, 0x0A] + text) + scopes,  // key of an attribute
            [0x0A] + Trace.delimited([0x1A, 4, 0x12] + text) + scopes,  // type of an entity
            [0x1A] + text + scopes,  // schema_url
            scopes + [0x0A] + Trace.delimited([0x0A, 4, 0x0A] + text),  // the resource behind its spans
            [0x12] + Trace.delimited(span + [0x0A, 4, 0x0A] + text + span),  // scope.name
            [0x12] + Trace.delimited(span + [0x0A, 4, 0x12] + text + span),  // scope.version
            [0x12] + Trace.delimited(span + [0x0A, 6, 0x1A, 4, 0x0A] + text + span),  // attribute of the scope
            [0x12] + Trace.delimited(span + [0x1A] + text + span),  // schema_url of the scope
        ] {
            let batch = try Batch(decoding: [0x0A] + Trace.delimited(broken) + other)
            #expect(batch.rejected == Rejections(.text, spans: 2), "\(broken)")
            #expect(batch.spanCount == 1, "\(broken)")
            let oracle = try #require(OracleRequest(batch.encoded))
            #expect(oracle.trace.spans.count == 1, "\(broken)")
        }
    }

    @Test func leavesOutAResourceOrScopeThatIsNotTextEvenWithoutSpans() throws {
        let broken: [UInt8] = [0x0A, 4, 0x12, 2, 0xC3, 0x28]  // scope.name
        for bytes in [
            [0x0A] + Trace.delimited([0x1A, 2, 0xC3, 0x28]),  // schema_url
            [0x0A] + Trace.delimited([0x0A] + Trace.delimited([0x0A, 4, 0x0A, 2, 0xC3, 0x28])),
            [0x0A] + Trace.delimited([0x12] + Trace.delimited(broken)),
        ] {
            let batch = try Batch(decoding: bytes)
            var encoder = OTLPEncoder()
            let encoded = encoder.encode(batch)
            #expect(encoded?.count == 0, "\(bytes)")
        }
    }

    @Test func saysWhatWasRejected() throws {
        let bytes = Trace.request(spans: [sound([]), spanID, spanID, sound([0x2A, 1, 0xFF])])
        let batch = try Batch(decoding: bytes)
        #expect(
            batch.rejected.message
                == "2 spans: trace_id is not 16 bytes, or all zero; 1 span: a string is not UTF-8")
        #expect(batch.rejected.byDefect.map(\.defect) == [.traceID, .text])
        #expect(batch.rejected.byDefect.map(\.count) == [2, 1])
    }

    // MARK: Pieces of messages

    /// A sound span with these fields behind its ids.
    private func sound(_ fields: [UInt8]) -> [UInt8] {
        traceID + spanID + fields
    }

    private func attribute(_ value: [UInt8]) -> [UInt8] {
        [0x4A] + Trace.delimited([0x0A, 1, 0x6B, 0x12] + Trace.delimited(value))
    }

    private func value(_ member: [UInt8]) -> [UInt8] {
        member
    }

    /// An array (5) or kvlist (6) with one element.
    private func list(_ kind: UInt8, _ element: [UInt8]) -> [UInt8] {
        [kind << 3 | 2] + Trace.delimited([0x0A] + Trace.delimited(element))
    }

    private func nested(_ depth: Int, _ kind: UInt8) -> [UInt8] {
        var member: [UInt8] = [0x10, 1]
        for _ in 0..<depth {
            member = list(kind, kind == 5 ? member : [0x12] + Trace.delimited(member))
        }
        return member
    }

    /// The span is rejected for this reason, and its neighbours are untouched.
    private func expect(
        _ defect: SpanDefect, _ span: [UInt8], maxValueDepth: Int = 64,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let neighbour = sound([0x2A, 1, 0x61])
        let bytes = Trace.request(spans: [neighbour, span, neighbour])
        let batch = try Batch(decoding: bytes, maxValueDepth: maxValueDepth)
        let wanted = Rejections(defect, spans: 1)
        #expect(batch.rejected == wanted, sourceLocation: sourceLocation)
        let rest = Trace(batch)
        let untouched = try Trace(Batch(decoding: Trace.request(spans: [neighbour, neighbour])))
        #expect(rest == untouched, sourceLocation: sourceLocation)
        #expect(batch.encoded == Trace.request(spans: [neighbour, neighbour]), sourceLocation: sourceLocation)
    }

    private func expectSound(
        _ span: [UInt8], maxValueDepth: Int = 64, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let batch = try Batch(decoding: Trace.request(spans: [span]), maxValueDepth: maxValueDepth)
        #expect(batch.rejected == Rejections(), sourceLocation: sourceLocation)
        #expect(batch.spanCount == 1, sourceLocation: sourceLocation)
    }
}

extension Rejections {
    init(_ defect: SpanDefect, spans: Int) {
        self.init()
        add(defect, spans: spans)
    }
}
