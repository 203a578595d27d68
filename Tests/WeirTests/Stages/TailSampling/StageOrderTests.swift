import Testing

@testable import Weir

/// What `weir check` says of a stage's place.
@Suite struct StageOrderTests {
    private func problems(
        _ processors: String, _ severity: Diagnostic.Severity = .error, policy: String = "type: always_sample"
    ) -> [String] {
        let policies = "policies: [ { name: all, \(policy) } ]"
        let yaml = """
            receivers: { otlp: { protocols: { http: {} } } }
            processors: { redaction: {}, cost: {}, probabilistic_sampler: {}, tail_sampling: { \(policies) }, tail_sampling/b: { \(policies) } }
            exporters: { debug: {} }
            service: { pipelines: { traces: { receivers: [otlp], processors: [\(processors)], exporters: [debug] } } }
            """
        let checked = CheckedConfiguration(yaml, file: "f", environment: [:], catalogue: Registry.catalogue)
        return checked.diagnostics.entries.filter { $0.severity == severity && $0.path.contains("pipelines") }.map(
            \.description)
    }

    @Test func redactionStandsInFront() {
        #expect(problems("redaction, tail_sampling") == [])
        #expect(
            problems("tail_sampling, redaction") == [
                "f:4: service.pipelines.traces.processors: "
                    + "tail_sampling stores spans in front of redaction, wanted it behind"
            ])
    }

    @Test func whatIsReadOfASpanIsReadBeforeItIsLeftOut() {
        let path = "f:4: service.pipelines.traces.processors: "
        #expect(problems("redaction, cost, probabilistic_sampler, tail_sampling") == [])
        #expect(
            problems("probabilistic_sampler, redaction") == [
                path + "probabilistic_sampler keeps ids of what it leaves out in front of redaction, wanted it behind"
            ])
        for sampler in ["probabilistic_sampler", "tail_sampling"] {
            #expect(
                problems("\(sampler), cost") == [
                    path + "\(sampler) leaves calls out in front of cost, which then have no price, wanted it behind"
                ])
        }
    }

    @Test func whoGoesByCostsIsToldWhereNobodyFindsThemOut() {
        let cost = "type: and, and: { and_sub_policy: [ { name: c, type: cost } ] }"
        #expect(problems("cost, tail_sampling", .note, policy: cost) == [])
        #expect(problems("tail_sampling", .note) == [])
        #expect(
            problems("tail_sampling", .note, policy: cost) == [
                "f:4: note: service.pipelines.traces.processors: "
                    + "tail_sampling asks what traces cost, and no cost processor stands in front of it"
            ])
    }

    /// What a call is below is found by way of the spans that are stored.
    @Test func whoLeavesOutWhatIsBetweenAnAgentAndItsCallsIsTold() {
        func notes(_ rules: String, exporter: String = "sqlite") -> [String] {
            let yaml = """
                receivers: { otlp: }
                processors:
                  cost: { prices: "\(PriceVectorTests.file)" }
                  sampling: { rules: [ \(rules) ] }
                exporters: { sqlite: { directory: hot }, archive: { directory: files } }
                service:
                  pipelines:
                    traces: { receivers: [otlp], processors: [cost, sampling], exporters: [\(exporter)] }
                """
            return CheckedConfiguration(yaml, file: "f", environment: [:], catalogue: Registry.catalogue).diagnostics
                .lines.filter { $0.contains("note: ") }
        }
        let calls = #"{ name: llm, when: 'attributes["gen_ai.request.model"] != nil', probability: 1 }"#
        #expect(
            notes(calls + ", { name: rest, probability: 0.05 }") == [
                "f:8: note: service.pipelines.traces.processors: sampling may leave out what stands between an agent "
                    + "and its calls, which are both paid for then, wanted rules that keep it, or tail_sampling"
            ])
        // It keeps whole traces, or nobody adds up what they cost.
        #expect(notes("{ name: rest, probability: 0.05 }") == [])
        #expect(notes(calls, exporter: "archive") == [])
    }

    @Test func whoAsksWhatIsEncryptedInFrontOfItIsTold() {
        func warnings(_ processors: String) -> [String] {
            let yaml = """
                receivers: { otlp: { protocols: { http: {} } } }
                extensions: { keystore: { path: k.db, key_encryption_keys: { file: kek } } }
                processors:
                  encryption: { keystore: keystore, fields: [app.*] }
                  filter: { traces: { span: [ 'attributes["app.b"] == "x" or attributes["app.c"] == nil' ] } }
                  sampling: { rules: [ { name: a, when: 'resource["app.d"] == "x"', probability: 1, key: app.e } ] }
                  redaction: { key_file: r, keys: [ { key: user.id, action: encrypt } ] }
                  cost: { budgets: [ { scope: user, soft: 1 }, { scope: tenant, soft: 1 }, { scope: agent, soft: 1 } ] }
                  encryption/genai: { keystore: keystore, fields: [gen_ai.*] }
                  tail_sampling:
                    policies: [ { name: a, type: string_attribute, string_attribute: { key: app.a, values: [x] } } ]
                exporters: { sqlite: { directory: d } }
                service:
                  pipelines: { traces: { receivers: [otlp], processors: [\(processors)], exporters: [sqlite] } }
                """
            let checked = CheckedConfiguration(yaml, file: "f", environment: [:], catalogue: Registry.catalogue)
            return checked.diagnostics.entries.filter { $0.severity == .warning && $0.path.hasSuffix("processors") }
                .map(\.message)
        }
        #expect(warnings("filter, sampling, encryption") == [])
        #expect(
            warnings("encryption, filter, sampling") == [
                "filter asks what \"app.b\" is, and finds what encryption in front of it has encrypted, "
                    + "wanted filter in front",
                "sampling asks what \"app.d\", \"app.e\" are, and finds what encryption in front of it has encrypted, "
                    + "wanted sampling in front",
            ])
        #expect(
            warnings("encryption, tail_sampling") == [
                "tail_sampling asks what \"app.a\" is, and finds what encryption in front of it has encrypted, "
                    + "wanted tail_sampling in front"
            ])
        // What is added up in tables is so from what comes out at the end.
        let end = "encrypts: each value would count as another one, wanted it in clear, or a token of redaction"
        #expect(
            warnings("redaction, cost, encryption") == [
                "cost has the budget \"user-day\" by \"user.id\", which redaction \(end)"
            ])
        #expect(
            warnings("cost, encryption/genai") == [
                "cost has the budget \"agent-day\" by \"gen_ai.agent.id\", \"gen_ai.agent.name\", "
                    + "which encryption/genai \(end)"
            ])
        #expect(
            warnings("encryption/genai, cost").first
                == "cost asks what \"gen_ai.aggregated_usage.input_tokens\", "
                + "\"gen_ai.aggregated_usage.output_tokens\", \"gen_ai.provider.name\" and 8 more are, and finds what "
                + "encryption/genai in front of it has encrypted, wanted cost in front")
    }

    @Test(arguments: ["", ", recall: { directory: r }"])
    func journalAndRingMayBeSealedInstead(recall: String) {
        func problems(_ journal: String) -> [String] {
            let yaml = """
                receivers: { otlp: { protocols: { http: {} } } }
                extensions: { keystore: { path: k.db, key_encryption_keys: { file: kek } } }
                processors:
                  encryption: { keystore: keystore, fields: [app.*] }
                  tail_sampling: { policies: [ { name: a, type: always_sample } ]\(recall) }
                exporters: { debug: {} }
                service:
                  journal: { \(journal) }
                  pipelines:
                    traces: { receivers: [otlp], processors: [tail_sampling, encryption], exporters: [debug] }
                """
            let checked = CheckedConfiguration(yaml, file: "f", environment: [:], catalogue: Registry.catalogue)
            return checked.diagnostics.entries.filter { $0.path.hasSuffix("processors") }.map(\.message)
        }
        #expect(problems("encryption: keystore") == [])
        #expect(
            problems("") == [
                "tail_sampling stores spans in front of encryption, wanted it behind, or service.journal.encryption"
            ])
    }

    @Test func aPipelineHasOneStage() {
        #expect(
            problems("tail_sampling, tail_sampling/b") == [
                "f:4: service.pipelines.traces.processors: "
                    + "found \"tail_sampling/b\" as a second tail_sampling, wanted one at most"
            ])
    }

    @Test func whatWasCalledBackIsNotCountedASecondTime() throws {
        var span = SpanFixture(("gen_ai.request.model", .string("m")), ("gen_ai.operation.name", .string("chat")))
        span.name = "chat"
        for isPromoted in [false, true] {
            var batch = try SpanFixture.batch([span])
            batch.isPromoted = isPromoted
            var rows = HotRows()
            rows.add(batch, sequence: 1, tenantID: 1)
            #expect(rows.spans.count == 1)
            #expect(rows.usage.count == (isPromoted ? 0 : 1))
            #expect(rows.rollups(of: [0]).count == (isPromoted ? 0 : 1))
        }
    }
}
