import Testing

@testable import Weir

@Suite struct LangSmithPartsTests {
    @Test func aBucketNeverGivesMoreInAMinuteThanItsLimit() {
        let start = ContinuousClock.now
        var bucket = TokenBucket(perMinute: 60, at: start)
        var sent: [Duration] = []
        var now = Duration.zero
        while now < .seconds(300) {
            now += bucket.take(at: start + now)
            sent.append(now)
        }
        for (first, moment) in sent.enumerated() {
            #expect(sent[first...].count { $0 < moment + .seconds(60) } <= 61)
        }
        #expect(sent.count > 200)
    }

    @Test(arguments: [
        (#"{"version":"1"}"#, 100, 20 << 20, true, false),
        (
            """
            {"version":"1","batch_ingest_config":{"size_limit":7,"size_limit_bytes":1000000,
             "use_multipart_endpoint":false},"instance_flags":{"zstd_compression_enabled":true}}
            """, 7, 1_000_000, false, true
        ),
        (#"{"version":"1","batch_ingest_config":{"size_limit":0,"size_limit_bytes":1}}"#, 1, 64 << 10, true, false),
        (
            #"{"version":"1","batch_ingest_config":{"size_limit":1e9,"size_limit_bytes":999999999999}}"#, 100, 20 << 20,
            true, false
        ),
    ])
    func infoIsBelievedWithinReason(
        text: String, runs: Int, bytes: Int, takesMultipart: Bool, takesZstd: Bool
    ) throws {
        let info = try #require(LangSmithInfo(Array(text.utf8)))
        #expect(info.maxRuns == runs && info.maxBytes == bytes)
        #expect(info.takesMultipart == takesMultipart && info.takesZstd == takesZstd)
    }

    @Test(arguments: ["", "oops", "[]", "{}", #"{"version":"#])
    func whatIsNoInfoIsNone(text: String) {
        #expect(LangSmithInfo(Array(text.utf8)) == nil)
    }

    @Test func heldBatchesAreReleasedWhenTheirTracesAreWhole() {
        var index = TraceIndex(TraceIndex.Limits(spans: 100, halfLife: .seconds(60)))
        var held = HeldBatches(grace: .nanoseconds(30), maxBytes: 10, maxBatches: 5)
        let key = TraceKey(tenant: "1", high: 1, low: 1)
        let other = TraceKey(tenant: "1", high: 1, low: 2)
        let links = [key, other].map { SpanLink(trace: $0, span: 2, parent: 1, start: 5) }
        for link in links { index.add(link) }
        held.add(1, links, links, bytes: 6, since: Timestamp(nanoseconds: 20))
        held.add(2, [links[1]], [links[1]], bytes: 6, since: Timestamp(nanoseconds: 30))
        #expect(held.isOverfull && held.oldest == 1 && held.spans == 3)
        index.add(SpanLink(trace: key, span: 1, parent: 0, start: 1))
        #expect(held.released(by: [key], index) == [])
        index.add(SpanLink(trace: other, span: 1, parent: 0, start: 1))
        #expect(held.released(by: [other], index) == [1, 2])
        #expect(held.expired(at: Timestamp(nanoseconds: 50)) == [1])
        #expect(held.remove(1)?.count == 2)
        #expect(!held.isOverfull && held.spans == 1)
        #expect(held.remove(2)?.count == 1 && held.remove(2) == nil)
        #expect(held.oldest == nil && held.spans == 0)
    }

    @Test func aBatchThatComesCostsOneLookForEachThatWaits() {
        var index = TraceIndex(TraceIndex.Limits(spans: 100_000, halfLife: .seconds(60)))
        var held = HeldBatches(grace: .seconds(10), maxBytes: 1_000, maxBatches: 100)
        let key = TraceKey(tenant: "1", high: 1, low: 1)
        for id in 1...50 {
            let spans = (0..<100).map { UInt64(id * 1_000 + $0) }
            let links = spans.map { SpanLink(trace: key, span: $0, parent: 1, start: 5) }
            for link in links { index.add(link) }
            held.add(id, links, links, bytes: 1, since: Timestamp(nanoseconds: 0))
        }
        let before = StepCounter.steps
        for _ in 0..<10 {
            let none = held.released(by: [key], index)
            #expect(none.isEmpty)
        }
        #expect(StepCounter.steps - before == 10 * 50)
        index.add(SpanLink(trace: key, span: 1, parent: 0, start: 1))
        let all = held.released(by: [key], index)
        #expect(all == Array(1...50))
        #expect(StepCounter.steps - before == 10 * 50 + 50 * 100, "each once")
    }

    @Test func aBatchIsSentAfterThoseThatHoldItsParents() {
        var index = TraceIndex(TraceIndex.Limits(spans: 100, halfLife: .seconds(60)))
        let key = TraceKey(tenant: "1", high: 1, low: 1)
        let links = (1...4).map { SpanLink(trace: key, span: $0, parent: $0 - 1, start: 1) }
        for link in links { index.add(link, batch: Int(link.span)) }
        var order = SendingOrder()
        for link in links.reversed() { order.begin(Int(link.span), after: [link], index) }
        #expect(links.map { order.predecessors(of: Int($0.span)) } == [[], [], [], []], "never a circle")
        order.begin(4, after: [links[3]], index)
        #expect(order.predecessors(of: 4) == [3])
        order.end(3)
        #expect(!order.isActive(3))
    }

    @Test func aRootIsSentAfterItsStandInAndARetryKeepsItsPlace() {
        var index = TraceIndex(TraceIndex.Limits(spans: 100, halfLife: .seconds(60)))
        let key = TraceKey(tenant: "1", high: 1, low: 1)
        let child = SpanLink(trace: key, span: 2, parent: 1, start: 1)
        let root = SpanLink(trace: key, span: 1, parent: 0, start: 1)
        index.add(child, batch: 7)
        #expect(index.place(child).bringsRoot)
        index.add(root, batch: 8)
        #expect(index.batchAbove(root) == 7 && index.batchAbove(child) == 8)
        index.add(child, batch: 9)
        #expect(index.batchAbove(root) == 9, "what is sent again")
        var order = SendingOrder()
        order.begin(9, after: [child], index)
        order.begin(10, after: [root], index)
        #expect(order.predecessors(of: 9).isEmpty && order.predecessors(of: 10) == [9])
    }

    @Test func severalDestinationsAreReadAsLangSmithsClientsDo() throws {
        let list = try LangSmithTarget.list(
            """
            [{"api_url":"http://a/","api_key":"k1","project_name":"x"},
             {"api_url":"http://b","api_key":"k2","primary":true}]
            """, project: "shop")
        #expect(list.map(\.key) == ["k1", "k2"] && list.map(\.project) == ["x", "shop"])
        #expect(list.map(\.isReplica) == [true, false] && list[1].salt == 0 && list[0].salt != 0)
        #expect(try LangSmithTarget.list(#"{"http://a":"k1"}"#, project: "p").map(\.isReplica) == [false])
        #expect(try LangSmithTarget.list(" ", project: "p").isEmpty)
        for wrong in ["x", "[]", "{}", #"[{"api_url":"http://a"}]"#, #"{"ftp://a":"k"}"#] {
            #expect(throws: ConfigError.self) { try LangSmithTarget.list(wrong, project: "p") }
        }
    }

    @Test func emptyKeysAreLeftOutAsLangSmithsClientsHaveThem() throws {
        func target(_ text: String) -> LangSmithTarget? { read(LangSmithConfiguration.self, text)?.target }
        let usual = try #require(target("api_key: k"))
        let empty = try #require(target("{ api_key: k, endpoint: \"\", project: \"\", runs_endpoints: \"\" }"))
        #expect("\(empty.url)" == "\(usual.url)" && empty.project == "default")
        let quoted = try #require(target(#"{ api_key: k, endpoint: " 'https://host/api/' " }"#))
        #expect("\(quoted.url)".hasPrefix("https://host:443/api"))
        let several = try #require(target(#"{ api_key: "", runs_endpoints: '{"https://host":"k1"}' }"#))
        #expect(several.key == "k1")
    }

    @Test func eachOfSeveralDestinationsHasAnExporterOfItsOwn() throws {
        let endpoints =
            #"[{"api_url":"http://b","api_key":"k2"},{"api_url":"http://a","api_key":"k1","primary":true},"#
            + #"{"api_url":"http://b","api_key":"k3"}]"#
        let yaml = """
            receivers: { otlp: { protocols: { http: } } }
            exporters:
              debug:
              langsmith/main: { runs_endpoints: '\(endpoints)', tenants: { acme: { api_key: k4 } } }
            service: { pipelines: { traces: { receivers: [otlp], exporters: [langsmith/main, debug] } } }
            """
        let checked = CheckedConfiguration(yaml, file: "f", environment: [:], catalogue: Registry.catalogue)
        let configuration = try #require(checked.configuration)
        let ids = configuration.service.pipelines[0].exporters
        let made = try ids.dropLast().map { id in
            let definition = try #require(configuration.exporters.first { $0.id == id })
            return try #require(definition.configuration as? ExporterConfiguration<LangSmithExporter>).own
        }
        #expect(made.map(\.target.key) == ["k1", "k2", "k3"] && made.map(\.target.isReplica) == [false, true, true])
        #expect(made.map { $0.target(of: "acme")?.key } == ["k4", nil, nil])
        #expect(made.map { $0.target(of: "others")?.key } == ["k1", "k2", "k3"])
        #expect(ids[0].description == "langsmith/main" && ids[2].description == "\(ids[1])-2" && ids.count == 4)
        #expect(configuration.exporters.count == 4)
    }

    @Test(arguments: [
        (200, "", LangSmithAnswer.taken), (202, "{}", .taken), (409, "", .known), (413, "<html>", .tooLarge),
        (404, "", .missing), (415, "", .unread),
        (
            402, "pay",
            .failed(.retryable("the destination answered 402: pay; spans wait until it takes them", after: nil))
        ),
        (400, #"{"error":"Bad request: x"}"#, .failed(.rejected("the destination answered 400: Bad request: x"))),
        (422, #"{"detail":"y"}"#, .failed(.rejected("the destination answered 422: y"))),
        (
            401, #"{"detail":"Invalid token lsv2_secret_key"}"#,
            .failed(
                .tenantBlocked(
                    "acme", "the destination answered 401: Invalid token [hidden]; spans wait until it takes the key"))
        ),
        (429, "slow", .failed(.retryable("the destination answered 429: slow", after: .seconds(7)))),
        (
            405, "",
            .failed(
                .retryable(
                    "the destination answered 405; spans wait until endpoint is the URL of LangSmith's API", after: nil)
            )
        ),
    ])
    func everyAnswerHasOneOutcome(status: Int, body: String, outcome: LangSmithAnswer) throws {
        let target = LangSmithTarget(
            url: try HTTPURL(parsing: "http://127.0.0.1:1"), key: "lsv2_secret_key", workspace: "", project: "p")
        let request = RunRequest(
            target: target, tenant: "acme", path: "/runs/multipart", headers: [], compression: .gzip, body: [],
            operations: [])
        let answer = HTTPAnswer(status: status, contentType: "", retryAfter: "7", body: Array(body.utf8))
        #expect(LangSmithAnswer(answer, to: request, at: Timestamp(nanoseconds: 0)) == outcome)
    }

    @Test func whatAServerSaysCanBeLeftOut() throws {
        let target = LangSmithTarget(
            url: try HTTPURL(parsing: "http://127.0.0.1:1"), key: "lsv2_secret_key", workspace: "", project: "p")
        let answer = HTTPAnswer(
            status: 422, contentType: "", retryAfter: nil, body: Array(#"{"detail":"the plan"}"#.utf8))
        let outcome = LangSmithAnswer(
            answer, to: Self.request(target, 1), hidesText: true, at: Timestamp(nanoseconds: 0))
        #expect(outcome == .failed(.rejected("the destination answered 422: 21 bytes")))
    }

    @Test func aLoginPageIsNoSuccess() throws {
        let target = LangSmithTarget(
            url: try HTTPURL(parsing: "http://127.0.0.1:1"), key: "lsv2_secret_key", workspace: "", project: "p")
        let answer = HTTPAnswer(
            status: 200, contentType: "text/html", retryAfter: nil, body: Array("<html>log in</html>".utf8))
        let outcome = LangSmithAnswer(answer, to: Self.request(target, 1), at: Timestamp(nanoseconds: 0))
        guard case .failed(.retryable) = outcome else {
            Issue.record("found \(outcome)")
            return
        }
    }

    private static func request(_ target: LangSmithTarget, _ runs: UInt64...) -> RunRequest {
        RunRequest(
            target: target, tenant: "acme", path: "/runs/multipart", headers: [], compression: .none, body: [],
            operations: runs.map {
                RunOperation(
                    target: target.id, trace: RunID(high: 1, low: 1), run: RunID(high: 1, low: $0), isPatch: false)
            })
    }

    @Test func aServerHasWhatWasSentBeforeOnlyWhereNothingOfItWasSentOtherwise() throws {
        let target = LangSmithTarget(
            url: try HTTPURL(parsing: "http://127.0.0.1:1"), key: "k", workspace: "", project: "p")
        let (one, both) = (Self.request(target, 1), Self.request(target, 1, 2))
        var unsure = UnsureOperations()
        let answers = [both, both, one, both].map { unsure.send($0, through: 1) }
        #expect(answers == [false, true, false, false])
        unsure.decide(both, isThere: false)
        let afterRefusal = unsure.send(both, through: 1)
        #expect(!afterRefusal, "one of them was sent alone, and may be there")
        unsure.decide(both, isThere: true)
        let afterSuccess = [both, both].map { unsure.send($0, through: 1) }
        #expect(afterSuccess == [false, true])
        #expect(unsure.forgottenThrough == 0)
    }

    @Test func whatWasForgottenIsNotBelievedAndWhatCameLaterIs() throws {
        let target = LangSmithTarget(
            url: try HTTPURL(parsing: "http://127.0.0.1:1"), key: "k", workspace: "", project: "p")
        var unsure = UnsureOperations(limit: 2)
        _ = unsure.send(Self.request(target, 1, 2), through: 7)
        #expect(unsure.forgottenThrough == 0)
        // One more than there is room for, of a record that is older.
        _ = unsure.send(Self.request(target, 3), through: 5)
        #expect(unsure.forgottenThrough == 7)
        unsure.decide(Self.request(target, 3), isThere: true)
        let later = (1...2).map { _ in unsure.send(Self.request(target, 4), through: 8) }
        #expect(later == [false, true] && unsure.forgottenThrough == 7)
    }

    @Test func aDestinationIsAwayAfterAWhileAndIsAskedAgain() {
        let start = ContinuousClock.now
        var server = LangSmithServer(gate: RequestGate(limit: 1))
        server.fail(since: start, at: start, pause: nil, "503")
        #expect(server.rest(at: start) == nil && !server.isAway(at: start + .seconds(9)))
        server.fail(since: start + .seconds(10), at: start + .seconds(10), pause: nil, "503")
        #expect(server.isAway(at: start + .seconds(10)))
        #expect(server.rest(at: start + .milliseconds(10_500)) == "503")
        #expect(server.rest(at: start + .seconds(11)) == nil, "it is asked again")
        server.work()
        #expect(!server.isAway(at: start + .seconds(12)))
        server.fail(since: start, at: start, pause: .seconds(60), "429")
        #expect(server.isAway(at: start) && server.rest(at: start + .seconds(59)) == "429")
    }

    @Test func theRequestsOfAKeyAreCountedTogether() {
        let now = ContinuousClock.now
        let buckets = RequestBuckets()
        let waits = (0..<14).map { _ in buckets.take(7, perMinute: 60, at: now) }
        #expect(waits.count { $0 == .zero } == 6, "whoever asks")
        #expect(buckets.take(8, perMinute: 60, at: now) == .zero)
    }

    @Test func theSmallestNumberThatIsSaidOfAKeyHolds() {
        let start = ContinuousClock.now
        let buckets = RequestBuckets()
        // Two exporters, each of which sends as soon as it may.
        var free = [60: start, 600: start]
        var sent: [ContinuousClock.Instant] = []
        for step in 0..<12_000 {
            let now = start + .milliseconds(step * 10)
            for perMinute in [60, 600] where free[perMinute, default: start] <= now {
                let time = now + buckets.take(7, perMinute: perMinute, at: now)
                sent.append(time)
                free[perMinute] = time
            }
        }
        for second in 0..<60 {
            let minute = start + .seconds(second)..<start + .seconds(second + 60)
            #expect(sent.count { minute.contains($0) } <= 61)
        }
        #expect(sent.count > 100)
        // Where nobody says it any more, as after a reload, the other holds.
        let later = start + .seconds(300)
        let waits = (0..<70).map { _ in buckets.take(7, perMinute: 600, at: later) }
        #expect(waits.count { $0 == .zero } >= 6 && waits[69] < .seconds(10), "\(waits[69])")
    }

    @Test func aClockThatIsSetBackHasNobodyWaitForLonger() {
        func second(_ number: UInt64) -> Timestamp { Timestamp(nanoseconds: number * 1_000_000_000) }
        var held = HeldBatches(grace: .seconds(10), maxBytes: 1_000, maxBatches: 2)
        held.add(1, [], [], bytes: 1, since: second(5_000))
        #expect(held.expired(at: second(5_009)) == [])
        #expect(held.expired(at: second(1_000)) == [])
        #expect(held.expired(at: second(1_009)) == [])
        #expect(held.expired(at: second(1_010)) == [1])
    }

    @Test func noMoreBatchesWaitThanLeaveRoomForOthers() {
        var held = HeldBatches(grace: .seconds(1), maxBytes: 1_000, maxBatches: 2)
        for id in 1...2 { held.add(id, [], [], bytes: 1, since: Timestamp(nanoseconds: 0)) }
        #expect(!held.isOverfull)
        held.add(3, [], [], bytes: 1, since: Timestamp(nanoseconds: 0))
        #expect(held.isOverfull && held.oldest == 1)
    }
}
