import Testing

@testable import Weir

/// Edits of a batch, compared with the same edits of plain values.
struct BatchEditingTests {
    @Test func encodesWhatWasEdited() throws {
        for seed in UInt64(0)..<400 {
            var (trace, bytes) = OTLPEncoderTests.request(seed)
            var batch = try Batch(decoding: bytes)
            var random = SplitMix64(seed: seed)
            for _ in 0..<1 + random.below(6) { edit(&batch, &trace, &random) }
            trace.removeGroupsWithoutSpans(thatHadSome: batch)
            let oracle = try #require(OracleRequest(batch.encoded), "seed \(seed)")
            try requireSame(oracle.trace, trace, seed: seed)
        }
    }

    @Test func whatIsOnlyAddedStandsBehindTheBytesThatCame() throws {
        var span = SpanFixture()
        span.attributes = [NewPair(key: "a", value: .int(1))]
        span.events = [(name: "e", attributes: [NewPair(key: "b", value: .int(2))])]
        var batch = try SpanFixture.batch([span])
        let wire = Array(batch.bytes(batch.spans[0].wire))
        batch.set(AttributeKey("new"), to: batch.store(.bool(true)), of: .span(0))
        batch.set(.traceState(0), to: batch.intern("ot=th:8"))
        batch.set(.traceState(0), to: batch.intern("ot=th:c"))
        let encoded = try Batch(decoding: batch.encoded)
        #expect(Array(encoded.bytes(encoded.spans[0].wire)).starts(with: wire))
        #expect(encoded.text(encoded.spans[0].traceState) == "ot=th:c")
        #expect(encoded.spans[0].attributes.count == 2 && encoded.spans[0].events.count == 1)
        // And is written anew with the rest once that is changed.
        batch.set(AttributeKey("a"), to: batch.store(.int(3)), of: .span(0))
        let changed = try Batch(decoding: batch.encoded)
        #expect(!Array(changed.bytes(changed.spans[0].wire)).starts(with: wire))
        #expect(changed.text(changed.spans[0].traceState) == "ot=th:c")
        #expect(changed.spans[0].attributes.count == 2)
    }

    @Test func aTraceStateThatCameIsReplaced() throws {
        var span = SpanFixture()
        span.traceState = "a=1"
        for state in ["b=2", ""] {
            var batch = try SpanFixture.batch([span])
            batch.set(.traceState(0), to: batch.intern(state))
            let encoded = try Batch(decoding: batch.encoded)
            #expect(encoded.text(encoded.spans[0].traceState) == state)
        }
    }

    /// Dropped spans stay in the records; plain values mark them by an empty id until the end.
    private func edit(_ batch: inout Batch, _ trace: inout Trace, _ random: inout SplitMix64) {
        let owners = owners(batch)
        guard !owners.isEmpty else { return }
        let (owner, path) = random.pick(owners)
        let present = batch.attributes(of: owner).indices.map { batch.text(batch.attributes[$0].key) }
        let key = random.pick(present + ["http.method", "", "größe"])
        let (new, plain) = value(&random)
        let choice = random.below(8)
        switch (choice, owner) {
        case (0, .span(let index)):
            batch.drop(span: index)
            trace[path].traceID = []
        case (1, .span(let index)):
            batch.setName(ofSpan: index, to: batch.intern(key))
            trace[path].name = Array(key.utf8)
        case (2, .span(let index)):
            batch.setStatus(ofSpan: index, code: 2, message: batch.intern("why"))
            trace[path].status = Trace.Status(message: Array("why".utf8), code: 2)
        case (5, .span(let index)):
            let state = random.pick(["", "a=1", "ot=th:0"])
            batch.set(.traceState(index), to: batch.intern(state))
            trace[path].traceState = Array(state.utf8)
        case (3...4, _):
            batch.remove(AttributeKey(key), of: owner)
            trace.change(owner, path, batch) { $0.removeAll { $0.key == Array(key.utf8) } }
        default:
            batch.set(AttributeKey(key), to: batch.store(new), of: owner)
            let attribute = Trace.Attribute(key: Array(key.utf8), value: Trace.Value(member: plain))
            trace.change(owner, path, batch) { $0.set(attribute) }
        }
    }

    private func value(_ random: inout SplitMix64) -> (NewValue, Trace.Member) {
        switch random.below(6) {
        case 0: return (.string("neu"), .string(Array("neu".utf8)))
        case 1: return (.int(-3), .int(-3))
        case 2: return (.bool(false), .bool(false))
        case 3: return (.double(0.5), .double(0.5.bitPattern))
        case 4: return (.bytes([0, 255]), .bytes([0, 255]))
        default:
            let pair = Trace.Attribute(key: Array("n".utf8), value: Trace.Value(member: .bool(true)))
            let list = Trace.Member.kvlist([pair], unknown: [])
            return (
                .array([.int(1), .kvlist([NewPair(key: "n", value: .bool(true))])]),
                .array([Trace.Value(member: .int(1)), Trace.Value(member: list)], unknown: [])
            )
        }
    }

    /// Every owner of attributes, with the place of its span, scope or resource in plain values.
    private func owners(_ batch: borrowing Batch) -> [(AttributeOwner, Trace.Path)] {
        var owners: [(AttributeOwner, Trace.Path)] = []
        for (group, resource) in batch.resources.enumerated() {
            owners.append((.resource(group), Trace.Path(group: group, scope: 0, span: 0)))
            for (scope, scopeIndex) in resource.scopes.enumerated() {
                owners.append((.scope(scopeIndex), Trace.Path(group: group, scope: scope, span: 0)))
                for (span, index) in batch.scopes[scopeIndex].spans.enumerated() {
                    let path = Trace.Path(group: group, scope: scope, span: span)
                    owners.append((.span(index), path))
                    owners += batch.spans[index].events.map { (.event($0, span: index), path) }
                    owners += batch.spans[index].links.map { (.link($0, span: index), path) }
                }
            }
        }
        return owners
    }
}

extension Trace {
    struct Path {
        let group: Int
        let scope: Int
        let span: Int
    }

    subscript(path: Path) -> Span {
        get { groups[path.group].scopes[path.scope].spans[path.span] }
        set { groups[path.group].scopes[path.scope].spans[path.span] = newValue }
    }

    /// Changes the attributes of the owner. One that has none and was not there comes into being when it gets some.
    mutating func change(
        _ owner: AttributeOwner, _ path: Path, _ batch: borrowing Batch, _ change: (inout [Attribute]) -> Void
    ) {
        switch owner {
        case .resource:
            var resource = groups[path.group].resource ?? Resource()
            change(&resource.attributes)
            if groups[path.group].resource != nil || !resource.attributes.isEmpty {
                groups[path.group].resource = resource
            }
        case .scope:
            var scope = groups[path.group].scopes[path.scope].scope ?? Scope()
            change(&scope.attributes)
            let isThere = groups[path.group].scopes[path.scope].scope != nil || !scope.attributes.isEmpty
            if isThere { groups[path.group].scopes[path.scope].scope = scope }
        case .span: change(&self[path].attributes)
        case .event(let index, let span):
            change(&self[path].events[index - Int(batch.spans[span].eventStart)].attributes)
        case .link(let index, let span):
            change(&self[path].links[index - Int(batch.spans[span].linkStart)].attributes)
        }
    }

    /// What the encoder leaves out: dropped spans, and the scopes and resources that held nothing else.
    mutating func removeGroupsWithoutSpans(thatHadSome batch: borrowing Batch) {
        for group in groups.indices {
            for scope in groups[group].scopes.indices {
                groups[group].scopes[scope].spans.removeAll { $0.traceID.isEmpty }
            }
        }
        for (group, resource) in batch.resources.enumerated().reversed() {
            for (scope, index) in resource.scopes.enumerated().reversed() {
                let record = batch.scopes[index]
                guard record.spanCount > 0, groups[group].scopes[scope].spans.isEmpty else { continue }
                groups[group].scopes.remove(at: scope)
            }
            if resource.scopeCount > 0, groups[group].scopes.isEmpty { groups.remove(at: group) }
        }
    }
}

extension [Trace.Attribute] {
    /// As ``Batch/set(_:to:of:)``: the first with the key gets the value, the others go.
    mutating func set(_ attribute: Trace.Attribute) {
        guard let first = firstIndex(where: { $0.key == attribute.key }) else { return append(attribute) }
        let rest = self[(first + 1)...].filter { $0.key != attribute.key }
        replaceSubrange(first..., with: [attribute] + rest)
    }
}
