import Testing

@testable import Weir

@Suite struct ExplanationTests {
    private static let yaml = """
        receivers: { otlp: {} }
        processors:
          sampling:
            rules:
              - { name: staging, when: 'name == "x"', probability: 1 }
              - { name: ui, when: 'name == "y"', probability: 0.2, key: session.id }
              - { name: rest, probability: 0.5 }
          probabilistic_sampler: { sampling_percentage: 50 }
          probabilistic_sampler/none: {}
        exporters: { debug: {} }
        service:
          pipelines:
            traces: { receivers: [otlp], processors: [sampling, probabilistic_sampler], exporters: [debug] }
            traces/b: { receivers: [otlp], processors: [sampling, probabilistic_sampler/none], exporters: [debug] }
        """

    private func configuration() throws -> CollectorConfiguration {
        let checked = CheckedConfiguration(Self.yaml, file: "f", environment: [:], catalogue: Registry.catalogue)
        return try #require(checked.configuration, "\(checked.diagnostics.lines)")
    }

    @Test(arguments: HotDatabase.allCases)
    func saysWhatBecameOfATrace(database: HotDatabase) async throws {
        let sample = try QuerySample(database)
        var kept = SampledOutRecord.span(0xC0_0000_0000_0000)
        kept.traceState = "ot=th:8"
        kept.attributes = [NewPair(key: "weir.sampling.rule", value: .string("rest"))]
        var other = kept
        other.spanID = 7
        var call = SampledOutRecord.call(9)
        call.traceID = kept.traceID
        try await sample.add(SampledOutRecord.make([kept, other, call, SampledOutRecord.call(10)], out: [2, 3]))
        let id = try #require(TraceID("000000000000000100c0000000000000"))
        let calls = try await sample.reader.page(SampledOutCallsQuery(QuerySample.tenant, id: id)).rows
        #expect(calls.map(\.rule) == ["ui"] && calls.map(\.model) == ["m-1"] && calls.map(\.service) == ["shop"])
        let spans = try await sample.reader.page(TraceQuery(QuerySample.tenant, id: id)).rows
        let explanation = Explanation(of: id, spans, calls, [], try configuration())
        #expect(
            explanation.text == """
                trace 000000000000000100c0000000000000, randomness c0000000000000, the end of its id

                2 stored, kept by rule "rest", each for 2; the first starts 2026-02-03T04:00:00.000000000Z
                a call of "m-1" by "shop" at 2026-02-03T04:00:00.000000000Z: sampled out by rule "ui"; it counts

                by the configuration as it is now:
                SAMPLER                     RULE            PROBABILITY  THRESHOLD  THIS TRACE
                sampling                    staging                   1  0          kept, where the rule is for it
                sampling                    ui       0.1999969482421875  cccd       by session.id, else by the trace
                sampling                    rest                    0.5  8          kept, where the rule is for it
                probabilistic_sampler       -                       0.5  8          sampled out, where the rule is for it
                probabilistic_sampler/none  -                         0  -          sampled out, where the rule is for it

                """)
        let json = explanation.json
        #expect(
            json.hasPrefix(
                #"{"trace_id":"000000000000000100c0000000000000","randomness":"c0000000000000","explicit":false,"kept":[{"#
                    + #""rule":"rest","burst":null,"trace_state":"ot=th:8","adjusted_count":2.0,"spans":2,"#))
        #expect(json.contains(#""sampled_out_calls":[{"start_time":"2026-02-03T04:00:00.000000000Z","service":"shop""#))
        #expect(json.hasSuffix(#""probability":0.0,"threshold":"-","key":null,"outcome":"sampled_out"}]}"#))
    }

    @Test func aSenderCannotTellTheTerminalWhatToDo() async throws {
        let sample = try QuerySample(.sqlite)
        var span = SampledOutRecord.span(1)
        span.attributes = [NewPair(key: "weir.sampling.burst", value: .string("b\u{9B}2J\n\u{202E}"))]
        try await sample.add(SampledOutRecord.make([span], out: []))
        let id = try #require(TraceID("00000000000000010000000000000001"))
        let spans = try await sample.reader.page(TraceQuery(QuerySample.tenant, id: id)).rows
        let text = Explanation(of: id, spans, [], [], try configuration()).text
        #expect(text.contains(#", in the burst of "b\u{9b}2J \u{202e}""#), "\(text)")
    }

    @Test func saysWhatWouldBecomeOfATraceThatIsNotThere() throws {
        let id = try #require(TraceID("00000000000000010000000000000001"))
        let text = Explanation(of: id, [], [], [], try configuration()).text
        #expect(text.contains("no span is stored, and no call of a model is known: it was never sent, or left out."))
        #expect(text.contains("rest                    0.5  8          sampled out, where the rule is for it"))
    }

    @Test func withoutHotTablesItSaysWhatIsKnownAllTheSame() throws {
        let id = try #require(TraceID("00000000000000010000000000000001"))
        let decision = RecordOrigin.Decision(trace: id, threshold: .always, isKept: true, rule: "errors")
        let place = (pipeline: ComponentID(type: "traces"), processor: ComponentID(type: "tail_sampling"))
        let explanation = Explanation(
            of: id, nil, nil,
            [
                StageDecision(
                    pipeline: place.pipeline, processor: place.processor,
                    made: (decision, Timestamp(nanoseconds: 0)))
            ], try configuration())
        #expect(explanation.text.contains("kept by policy \"errors\", threshold 0\n"))
        #expect(explanation.text.contains("no exporter has hot tables, as postgres and sqlite have: which spans are"))
        #expect(!explanation.text.contains("no span is stored"))
        #expect(explanation.json.contains(#""kept":null,"sampled_out_calls":null,"decisions":[{"#))
    }

    @Test func theDecisionIsThatAboutTheTenantsOwnTrace() throws {
        let directory = try TemporaryDirectory()
        let yaml = """
            receivers: { otlp: {} }
            processors:
              tail_sampling: { policies: [ { name: a, type: always_sample } ] }
            exporters: { debug: {} }
            service:
              journal: { directory: "\(directory.path)" }
              pipelines:
                traces: { receivers: [otlp], processors: [tail_sampling], exporters: [debug] }
            """
        let checked = CheckedConfiguration(yaml, file: "f", environment: [:], catalogue: Registry.catalogue)
        let configuration = try #require(checked.configuration, "\(checked.diagnostics.lines)")
        let trace = TraceID(high: 1, low: 2)
        let journal = configuration.service.journal.directory(of: ComponentID(type: "traces"))
        let lines = try RecentLines(
            TailSamplingFiles.name, in: TailSamplingFiles.directory(below: journal), maxBytes: 8_192)
        for (tenant, isKept) in [("shop", false), ("bank", true), ("banker", false)] {
            let decision = RecordOrigin.Decision(trace: trace, threshold: .always, isKept: isKept, rule: "a")
            try lines.append(TailSamplingFiles.line(of: decision, tenant: tenant, at: Timestamp(nanoseconds: 0)))
        }
        for (tenant, isKept) in [("shop", false), ("bank", true), ("ban", nil)] as [(String, Bool?)] {
            let found = try StageDecision.all(about: trace, of: tenant, in: configuration)
            #expect(found.count == 1 && found.first?.made?.decision.isKept == isKept, "\(tenant)")
        }
    }

    @Test func filesThatAreOlderThanSamplingHaveNothingOfIt() async throws {
        let sample = try SQLiteSample()
        try await sample.export(SampledOutRecord.make([SampledOutRecord.call(1)], out: [0]))
        await sample.exporter.finish()
        let id = try #require(TraceID("00000000000000010000000000000001"))
        let reader = SQLiteReader(SQLiteDirectory(sample.path), .patient)
        #expect(try await reader.page(SampledOutCallsQuery(QuerySample.tenant, id: id)).rows.count == 1)
        try sample.change(
            "DELETE FROM schema_migrations WHERE version > 1; ALTER TABLE llm_usage DROP COLUMN sampled_out_by")
        #expect(try await reader.page(SampledOutCallsQuery(QuerySample.tenant, id: id)).rows == [])
    }

    @Test func theCommandLineIsRead() throws {
        let command = try #require(
            try WeirCommand.parseAsRoot(["burst", "--for", "10m", "--rule", "a", "--rule", "b"]) as? BurstCommand)
        #expect(command.rules == ["a", "b"] && command.duration == "10m")
        for wrong in [["--for", "2d"], ["--max-bytes", "0"], ["--stop", "--status"]] {
            let error = #expect(throws: (any Error).self) { try WeirCommand.parseAsRoot(["burst"] + wrong) }
            #expect(WeirCommand.exitCode(for: try #require(error)).rawValue == 64)
        }
        #expect(try WeirCommand.parseAsRoot(["explain", "00000000000000010000000000000001"]) is ExplainCommand)
        #expect(throws: (any Error).self) { try WeirCommand.parseAsRoot(["explain", "1"]) }
    }
}
