import Testing

@testable import Weir

/// Bytes that somebody changed: never a crash, and what is taken is what protobuf-c takes, but for the cases where Weir
/// is stricter, which ``WireFacts`` names.
struct MutationTests {
    private let maxDepth = 4

    @Test func takesExactlyTheSpansThatAreSound() throws {
        var taken = 0
        let rounds = 6_000
        for seed in 0..<UInt64(rounds) {
            var random = SplitMix64(seed: seed)
            var source = RandomTrace(seed: seed / 8)
            var writer = TraceWriter(seed % 2 == 0 ? .plain : .wild, seed: seed)
            let neighbour = writer.bytes(RandomTrace.plainSpan)
            let span = mutated(writer.bytes(source.span()), &random)
            let facts = WireFacts.span(span)
            if facts.isFairToProtobufC {
                try #require(OracleRequest.accepts(span: span) == !facts.isBroken, "seed \(seed): \(span)")
            }
            let batch = try Batch(
                decoding: Trace.request(spans: [neighbour, span, neighbour]), maxValueDepth: maxDepth)
            let isSound =
                !facts.isBroken && !facts.hasInvalidText && !facts.hasInvalidID && !facts.hasRepeatedMessage
                && facts.depth <= maxDepth
            let spans = Trace(batch).spans
            try #require(spans.count == (isSound ? 3 : 2), "seed \(seed): \(span)")
            try #require(spans.first == RandomTrace.plainSpan && spans.last == RandomTrace.plainSpan, "seed \(seed)")
            try #require(batch.rejected.count == (isSound ? 0 : 1), "seed \(seed)")
            if isSound { taken += 1 }
        }
        // Neither all nor none: the mutations try both outcomes.
        #expect(taken > rounds / 10 && taken < rounds * 9 / 10)
    }

    @Test func refusesExactlyTheRequestsWithABrokenFrame() throws {
        for seed in UInt64(0)..<1_500 {
            var random = SplitMix64(seed: seed)
            let (_, bytes) = OTLPEncoderTests.request(seed / 8)
            try expectSoundness(of: mutated(bytes, &random), seed)
        }
    }

    @Test func survivesEveryTruncation() throws {
        for seed in UInt64(0)..<3 {
            let (_, bytes) = OTLPEncoderTests.request(seed)
            for count in bytes.indices { try expectSoundness(of: Array(bytes[..<count]), seed) }
        }
    }

    private func expectSoundness(of bytes: [UInt8], _ seed: UInt64) throws {
        let facts = WireFacts.request(bytes)
        let oracle = OracleRequest(bytes)
        if facts.isFairToProtobufC { try #require((oracle == nil) == facts.isBroken, "seed \(seed): \(bytes)") }
        do {
            var batch = try Batch(decoding: bytes, maxValueDepth: 64)
            if !facts.isBroken && !facts.hasInvalidText && !facts.hasInvalidID && !facts.hasRepeatedMessage {
                try #require(batch.rejected.count == 0, "seed \(seed): \(bytes)")
            }
            // What is taken out of a broken request is sound again.
            batch.markAllDirty()
            let encoded = batch.encoded
            let again = try Batch(decoding: encoded)
            try #require(again.rejected.count == 0 && again.spanCount == batch.spanCount, "seed \(seed): \(bytes)")
            try requireSame(Trace(again).withoutEmptyGroups, Trace(batch).withoutEmptyGroups, seed: seed)
            if WireFacts.request(encoded).isFairToProtobufC { try #require(OracleRequest(encoded) != nil) }
        } catch is DecodeError {
            try #require(facts.isBroken, "seed \(seed): \(bytes)")
        }
    }

    private func mutated(_ original: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = original
        for _ in 0...random.below(3) where !bytes.isEmpty {
            let position = random.below(bytes.count)
            switch random.below(6) {
            case 0: bytes[position] ^= 1 << UInt8(random.below(8))
            case 1: bytes[position] = UInt8(random.below(256))
            case 2: bytes.remove(at: position)
            case 3: bytes.insert(random.pick([0, 1, 0x7F, 0x80, 0xFF, UInt8(random.below(256))]), at: position)
            case 4: bytes.removeLast(random.below(min(bytes.count, 8)))
            default:
                let other = random.below(bytes.count)
                bytes.insert(contentsOf: bytes[min(position, other)..<max(position, other)].prefix(40), at: position)
            }
        }
        return bytes
    }
}

extension Trace {
    /// The encoder leaves out what held only spans that were turned away.
    fileprivate var withoutEmptyGroups: Trace {
        var trace = self
        for group in trace.groups.indices { trace.groups[group].scopes.removeAll { $0.spans.isEmpty } }
        trace.groups.removeAll { $0.scopes.isEmpty }
        return trace
    }
}
