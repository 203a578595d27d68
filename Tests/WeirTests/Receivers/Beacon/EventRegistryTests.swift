import Testing

@testable import Weir

@Suite struct EventRegistryTests {
    private static let yaml = """
        events:
          - name: panel.view
            owner: graph
            version: 3
            payload:
              app.id: { required: true, max_length: 4 }
              severity: { values: [low, high] }
              size: { type: integer }
              ratio: { type: number }
              open: { type: boolean }
          - { name: rare, owner: graph, sampling: 0.25 }
        """

    private func translate(
        _ outcome: String, _ events: String, session: String = "s"
    ) throws -> (spans: [BeaconSample.Span], tally: BeaconTally, isNamed: Bool) {
        let sample = try BeaconSample("on_violation: \(outcome)", registry: Self.yaml)
        return try sample.translate(
            #"{"session":"\#(session)","events":[{"name":"panel.view","attributes":{"app.id":"ok"}},\#(events)]}"#,
            origin: "")
    }

    private func event(_ members: String) -> String { #"{"name":"panel.view","attributes":{\#(members)}}"# }

    @Test(arguments: ["reject", "strip", "mark"])
    func whatIsAsTheRegistryHasItIsTaken(outcome: String) throws {
        let sound = event(#""app.id":"n-17","severity":"low","size":-3,"ratio":1,"open":false"#)
        let (spans, tally, _) = try translate(outcome, sound)
        #expect(tally == BeaconTally(taken: 2))
        #expect(
            spans.last?.attributes == [
                "app.id": "\"n-17\"", "severity": "\"low\"", "size": "-3", "ratio": "1", "open": "false",
                "session.id": "\"s\"", "weir.event.version": "3",
            ])
    }

    @Test(arguments: [
        (#""app.id":"n-178""#, "wrong value of app.id", false), (#""app.id":7"#, "wrong value of app.id", false),
        (#""app.id":"a","severity":"odd""#, "wrong value of severity", true),
        (#""app.id":"a","size":1.5"#, "wrong value of size", true),
        (#""app.id":"a","ratio":"1""#, "wrong value of ratio", true),
        (#""app.id":"a","open":0"#, "wrong value of open", true),
        (#""app.id":"a","host.name":"h""#, "unknown attribute host.name", true),
        (#""size":1"#, "missing app.id", false),
    ])
    func whatIsNotIsRefusedStrippedOrMarked(members: String, violation: String, isMended: Bool) throws {
        let rejected = try translate("reject", event(members))
        #expect(rejected.spans.count == 1 && rejected.tally.refused == [.violation: 1])

        let stripped = try translate("strip", event(members))
        #expect(stripped.spans.count == (isMended ? 2 : 1))
        #expect(stripped.spans.allSatisfy { $0.attributes["weir.event.violation"] == nil })
        #expect(stripped.tally.refused == (isMended ? [:] : [.violation: 1]))
        #expect(!isMended || stripped.tally.strippedAttributes == 1)

        let marked = try translate("mark", event(members))
        #expect(marked.spans.last?.attributes["weir.event.violation"] == "\"\(violation)\"")
        #expect(marked.tally.marked == 1 && marked.tally.refused == [:])
        #expect(marked.spans.last?.attributes["host.name"] == nil, "no mode lets a page say what it may not")
    }

    @Test func anEventThatTheRegistryDoesNotHaveIsRefusedOrMarked() throws {
        for outcome in ["reject", "strip"] {
            #expect(try translate(outcome, #"{"name":"other"}"#).tally.refused == [.unknownEvent: 1])
        }
        let marked = try translate("mark", #"{"name":"other"}"#)
        #expect(marked.spans.last?.attributes["weir.event.violation"] == "\"unknown event\"")
    }

    @Test func aShareOfSessionsIsKeptWholeAndCountsForAll() throws {
        var kept = 0
        for number in 0..<400 {
            let (spans, tally, _) = try translate("reject", #"{"name":"rare"},{"name":"rare"}"#, session: "s\(number)")
            let rare = spans.filter { $0.name == "rare" }
            #expect(rare.isEmpty || rare.count == 2)
            #expect(rare.allSatisfy { $0.attributes["weir.sampling.adjusted_count"] == "4.0" })
            #expect(tally.refused == (rare.isEmpty ? [.sampledOut: 2] : [:]))
            kept += rare.isEmpty ? 0 : 1
        }
        // Six standard deviations around a hundred.
        #expect((48...152).contains(kept))
    }

    @Test func aFileSaysAllThatIsWrongWithIt() {
        check(
            """
            events:
              - { name: "a%b", owner: x }
              - { name: twice, owner: x, sampling: 2 }
              - { name: twice, owner: x, payload: { gen_ai.usage.input_tokens: {}, n: { type: integer, values: [a] } } }
              - { name: none, pay: {} }
            """, { EventRegistry(&$0).events.count },
            fails:
                "2: events[0].name: found \"a%b\", wanted 1...128 letters, digits, spaces, _, ., -, / and :",
            "3: events[1].sampling: found 2, wanted a number in 0.0...1.0",
            "4: events[2].payload.gen_ai.usage.input_tokens: is not a name that a page may send, wanted one of its own, "
                + "such as app.gen_ai.usage.input_tokens",
            "4: events[2].payload.n.values: found values beside type: integer, wanted none: they are for strings",
            "4: events[2].name: is there a second time, wanted each event once",
            "5: events[3].owner: is missing, wanted a string",
            "5: events[3].pay: is not a known key, wanted one of name, owner, description, version, sampling, payload")
    }
}
