import Testing

@testable import Weir

@Suite struct SubjectMatcherTests {
    @Test func findsASubjectOnSpansEventsAndResources() throws {
        var traces: Set<TraceID> = []
        #expect(try erase(ErasureSample.matcher(), &traces) == ErasureSample.left)
        #expect(traces == ErasureSample.traces)
    }

    @Test func leavesTracesAloneOfWhichNoSubjectHasASpan() throws {
        var traces: Set<TraceID> = []
        #expect(try erase(ErasureSample.matcher("user.id", ["nobody"]), &traces) == [1, 2, 3, 4, 5, 6, 7])
        #expect(traces == [])
    }

    @Test func takesWhatNamesNobodyOfATraceThatIsKnown() throws {
        var group = ErasureSample.group("user.id", ["nobody"])
        group.traces = [try #require(TraceID(String(repeating: "b", count: 32)))]
        var traces: Set<TraceID> = []
        #expect(try erase(SubjectMatcher(group), &traces) == [1, 2, 3, 5, 6, 7])
    }

    @Test func findsSubjectsByAnyAttribute() throws {
        var traces: Set<TraceID> = []
        // Spans 1 and 2 are of trace a, as is span 3.
        #expect(try erase(ErasureSample.matcher("n", ["1"]), &traces) == [2, 3, 4, 5, 6, 7])
    }

    @Test func comparesNumbersAsText() throws {
        let record = try SampleBatch.record(
            json: #"""
                {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c",
                "spanId":"000000000000000a","name":"x","attributes":[
                {"key":"user.id","value":{"intValue":"42"}}]}]}]}]}
                """#)
        var filter = RecordErasure()
        var traces: Set<TraceID> = []
        #expect(try filter.erase(record, ErasureSample.matcher("user.id", ["42"]), &traces)?.spanCount == 0)
        #expect(try filter.erase(record, ErasureSample.matcher("user.id", ["4"]), &traces) == nil)
    }

    @Test func findsASubjectWhoseNameBeginsLikeCiphertext() throws {
        let name = "weir1.x"
        let matcher = ErasureSample.matcher("user.id", [name])
        let record = try ErasureSample.record(1, resource: "", [ErasureSample.span(1, trace: "a", user: name)])
        var filter = RecordErasure()
        var traces: Set<TraceID> = []
        #expect(try filter.erase(record, matcher, &traces)?.spanCount == 0)
        let text = #"{"user.id":"\#(name)"}"#
        #expect(Array(text.utf8).withUnsafeBytes { matcher.verdict(onJSON: $0) } == .subject)
    }

    @Test func takesAUserNeverForASession() {
        let session = SubjectFamily(of: "session.id")
        let user = SubjectFamily(of: "user.id")
        #expect(user.column == "user_id" && user == SubjectFamily(of: "enduser.id"))
        #expect(session.column == "session_id")
        let digests = [(user, "a"), (session, "a"), (user, "b")].map { family, tenant in
            SubjectHash(key: ErasureSample.key, tenant: tenant, family).digest(of: Array("x".utf8))
        }
        #expect(Set(digests).count == 3)
    }

    @Test func aLongNameIsComparedAndNotRemembered() {
        let names = [256, 257].map { String(repeating: "m", count: $0) }
        let matcher = ErasureSample.matcher("user.id", names)
        for name in names { #expect(matcher.names(name) && matcher.names(name) && !matcher.names(name + "x")) }
        var known = matcher.known
        let found = names.map { known.find(Array($0.utf8)) }
        #expect(found == [true, nil])
    }

    /// Whoever nests a value deep must not keep an erasure from the span.
    @Test func findsASubjectBesideAValueOfAnyDepthThatAReceiverTakes() {
        let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        let text = #"[{"name":"event","attributes":{"deep":\#(deep),"user.id":"42"}}]"#
        let matcher = ErasureSample.matcher("user.id", ["42"])
        #expect(Array(text.utf8).withUnsafeBytes { matcher.verdict(onJSON: $0) } != .nobody)
    }

    @Test(arguments: ["user.id", "customer-number", "a/b:c_d"]) func takesNamesOfAttributes(name: String) {
        #expect(SubjectFamily.isName(name))
    }

    @Test(arguments: ["", "a'b", "a b", "a\"", String(repeating: "a", count: 257)])
    func takesNoNamesThatMeanSomethingInSQL(name: String) {
        #expect(!SubjectFamily.isName(name))
    }

    @Test(arguments: [
        (#"{"user.id":"maria-4711"}"#, SubjectMatcher.Verdict.subject), (#"{"user.id":"bob"}"#, .somebodyElse),
        (#"{"user.id":"weir1.5wEB\#(String(repeating: "A", count: 64))"}"#, .nobody),
        (#"{"user.id":"weir1.xyz"}"#, .somebodyElse), (#"{"user.id":""}"#, .nobody),
        (#"{"other":"maria-4711"}"#, .nobody),
        (#"{"enduser.id":"bob","user.id":"maria-4711"}"#, .subject),
        (#"[{"name":"e","attributes":{"user.id":"maria-4711"}}]"#, .subject), (#"{"user.id":{"#, .nobody),
    ])
    func readsJSON(text: String, verdict: SubjectMatcher.Verdict) {
        let found = Array(text.utf8).withUnsafeBytes { ErasureSample.matcher().verdict(onJSON: $0) }
        #expect(found == verdict)
    }

    /// - Returns: the ids of the spans that are left.
    private func erase(_ matcher: SubjectMatcher, _ traces: inout Set<TraceID>) throws -> [UInt64] {
        var left: [UInt64] = []
        var filter = RecordErasure()
        var batch = Batch()
        for record in try ErasureSample.records() {
            let kept = try filter.erase(record, matcher, &traces) ?? record
            try OTLPDecoder().decode(kept.payload, into: &batch)
            left += batch.spans.map(\.spanID)
            #expect(batch.spanCount == kept.spanCount)
        }
        return left.sorted()
    }
}
