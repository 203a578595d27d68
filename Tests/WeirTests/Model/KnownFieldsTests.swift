import Testing

@testable import Weir

@Suite struct KnownFieldsTests {
    /// A request of one span with these bytes.
    private func batch(span: [UInt8]) throws -> Batch {
        let scope = [0x12, UInt8(span.count)] + span
        return try Batch(decoding: [0x0A, UInt8(scope.count + 2), 0x12, UInt8(scope.count)] + scope)
    }

    private func exported(_ batch: borrowing Batch) -> String { String(decoding: batch.encoded, as: UTF8.self) }

    private static let ids =
        [0x0A, 16] + [UInt8](repeating: 1, count: 16) + [0x12, 8] + [UInt8](repeating: 2, count: 8)

    private func field(_ tag: UInt8, _ text: String) -> [UInt8] { [tag, UInt8(text.utf8.count)] + text.utf8 }

    @Test func unknownFieldsGoAndAreCounted() throws {
        var batch = try batch(span: Self.ids + field(0x2A, "name") + [0xFA, 0x06, 3] + Array("bob".utf8))
        #expect(exported(batch).contains("bob"))
        #expect(batch.keepKnownFields() == 1)
        #expect(!exported(batch).contains("bob") && exported(batch).contains("name"))
    }

    @Test func theEarlierOfTwoNamesGoes() throws {
        var batch = try batch(span: Self.ids + field(0x2A, "bob") + field(0x2A, "name"))
        #expect(batch.keepKnownFields() == 0)
        #expect(!exported(batch).contains("bob") && exported(batch).contains("name"))
    }

    @Test func theEarlierOfTwoValuesGoes() throws {
        // KeyValue { key: "k", value: { string: "bob", string: "x" } }
        let value = field(0x0A, "bob") + field(0x0A, "x")
        let pair = field(0x0A, "k") + [0x12, UInt8(value.count)] + value
        var batch = try batch(span: Self.ids + [0x4A, UInt8(pair.count)] + pair)
        _ = batch.keepKnownFields()
        #expect(!exported(batch).contains("bob"))
    }

    @Test func whatIsKnownStaysInAllRandomRequests() throws {
        for seed in UInt64(0)..<300 {
            let trace = RandomTrace.forJSON(seed: seed)
            var writer = TraceWriter(seed % 2 == 0 ? .plain : .wild, seed: seed)
            var batch = try Batch(decoding: writer.bytes(trace))
            #expect(batch.keepKnownFields() == 0, "seed \(seed)")
            try requireSame(Trace(try Batch(decoding: batch.encoded)), trace, seed: seed)
        }
    }
}
