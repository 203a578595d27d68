import Testing

@testable import Weir

/// What a search finds, in either database.
@Suite struct SearchContractTests {
    private typealias Sample = QuerySample

    @Test(arguments: HotDatabase.allCases)
    func spansComeNewestFirst(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([Sample.span(1, start: -3 * Sample.day), Sample.span(2), Sample.span(3, start: 5_000)])
        try await sample.add([Sample.span(4, start: -1_000), Sample.span(5, start: -2 * Sample.day)])
        #expect(try await sample.ids() == [3, 2, 4, 5, 1])
    }

    @Test(arguments: HotDatabase.allCases)
    func everyColumnIsRead(database: HotDatabase) async throws {
        let sample = try Sample(database)
        var span = Sample.span(
            0xFEDC_BA98_7654_3210, lasts: 1_234_567, name: "GET /ü\u{1B}", service: "shop",
            [
                ("session.id", .string("s")), ("gen_ai.conversation.id", .string("c")), ("user.id", .string("u")),
                ("call.id", .string("k")), ("gen_ai.operation.name", .string("execute_tool")),
            ])
        span.traceID = (0xFFFF_0000_0000_0001, 2)
        span.parentSpanID = 0x8000_0000_0000_0001
        span.startTime += 789
        span.endTime += 789
        span.status = 2
        span.statusMessage = "out of \"stock\""
        span.kind = 3
        try await sample.add([span])
        let page = try await sample.reader.page(SpanSearch(Sample.tenant, in: Sample.window))
        #expect(page.next == nil)
        let found = try #require(page.rows.first)
        #expect(
            found.json == #"{"trace_id":"ffff0000000000010000000000000002","span_id":"fedcba9876543210","#
                + #""parent_span_id":"8000000000000001","start_time":"2026-02-03T04:00:00.000000789Z","#
                + #""duration_ns":1234567,"service":"shop","name":"GET /ü\u001b","kind":"client","status":"error","#
                + #""status_message":"out of \"stock\"","operation":"tool","clock_suspect":false,"session_id":"s","#
                + #""conversation_id":"c","user_id":"u","call_id":"k","cursor":"\#(found.cursor.text)"}"#)
    }

    @Test(arguments: HotDatabase.allCases)
    func tenantsNeverSeeEachOther(database: HotDatabase) async throws {
        let sample = try Sample(database)
        for (tenant, id) in [("default", UInt64(1)), ("other", 2), ("default", 3)] {
            var span = Sample.call(id, model: "m", user: "u", tokens: 1)
            span.traceID = (1, 1)
            try await sample.add([span], tenant: tenant)
        }
        let id = try #require(TraceID("\(UInt64(1).digits(16))\(UInt64(1).digits(16))"))
        func counts(of name: String) async throws -> [Int64] {
            let (tenant, window, reader) = (Tenant(name), Sample.window, sample.reader)
            return [
                Int64(try await reader.page(SpanSearch(tenant, in: window)).rows.count),
                Int64(try await reader.page(TraceQuery(tenant, id: id)).rows.count),
                try await reader.page(ServicesQuery(tenant, in: window)).rows.reduce(0) { $0 + $1.spans },
                try await reader.page(OperationsQuery(tenant, in: window)).rows.reduce(0) { $0 + $1.spans },
                try await reader.page(LatencyQuery(tenant, in: window)).rows.reduce(0) { $0 + $1.spans },
                try await reader.page(CostQuery(.one(tenant), by: .user, in: window)).rows.reduce(0) { $0 + $1.calls },
                try await reader.page(UnpricedQuery(.one(tenant), in: window)).rows.reduce(0) { $0 + $1.calls },
            ]
        }
        #expect(try await counts(of: "default") == [2, 2, 2, 2, 2, 2, 2])
        #expect(try await counts(of: "other") == [1, 1, 1, 1, 1, 1, 1])
        #expect(try await counts(of: "nobody") == [0, 0, 0, 0, 0, 0, 0])
        #expect(try await counts(of: "default' OR 'a' = 'a") == [0, 0, 0, 0, 0, 0, 0])
    }

    @Test(arguments: HotDatabase.allCases)
    func pagesHaveNoGapsAndNoRepeats(database: HotDatabase) async throws {
        let sample = try Sample(database)
        // Many of the same start, on three days, stored in several transactions.
        for part in 0..<5 {
            try await sample.add(
                (0..<40).map { index in
                    let number = UInt64(part * 40 + index)
                    return Sample.span(number + 1, start: -Int64(number % 3) * Sample.day + Int64(number % 4) * 1_000)
                })
        }
        var search = SpanSearch(Sample.tenant, in: Sample.window)
        search.limit = 7
        var found: [FoundSpan] = []
        repeat {
            let page = try await sample.reader.page(search)
            #expect(page.rows.count == 7 || !page.hasMore)
            found += page.rows
            search.after = page.next
            // What comes in at the top is not seen by those who have begun.
            if found.count == 14 { try await sample.add([Sample.span(1_000, start: 60_000)]) }
        } while search.after != nil
        #expect(Set(found.map(\.spanID)) == Set(1...200))
        #expect(found.count == 200)
        #expect(found.map(\.startTime) == found.map(\.startTime).sorted(by: >))
    }

    @Test(arguments: HotDatabase.allCases)
    func aPageThatIsJustFullIsTheLast(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([Sample.span(1), Sample.span(2, start: -Sample.day)])
        var search = SpanSearch(Sample.tenant, in: Sample.window)
        search.limit = 2
        #expect(try await sample.reader.page(search).next == nil)
        search.limit = 1
        search.after = try await sample.reader.page(search).next
        let last = try await sample.reader.page(search)
        #expect(last.rows.map(\.spanID) == [2] && last.next == nil)
    }

    @Test(arguments: HotDatabase.allCases)
    func conditionsAllHaveToHold(database: HotDatabase) async throws {
        let sample = try Sample(database)
        var failed = Sample.span(2, lasts: 2_000, name: "b", [("session.id", .string("s")), ("user.id", .string("u"))])
        failed.status = 2
        failed.parentSpanID = 1
        var endless = Sample.span(3, name: "a", service: "bank", [("gen_ai.conversation.id", .string("c"))])
        endless.endTime = 0
        let other = Sample.span(4, start: -Sample.day, lasts: 3_000, name: "a", [("call.id", .string("k"))])
        try await sample.add([Sample.span(1, name: "a"), failed, endless, other])

        func ids(_ change: (inout SpanSearch) -> Void) async throws -> Set<UInt64> { Set(try await sample.ids(change)) }
        #expect(try await ids { $0.service = "shop" } == [1, 2, 4])
        #expect(try await ids { $0.name = "a" } == [1, 3, 4])
        #expect(try await ids { ($0.service, $0.name) = ("shop", "a") } == [1, 4])
        #expect(try await ids { $0.status = 2 } == [2])
        #expect(try await ids { $0.status = 0 } == [1, 3, 4])
        #expect(try await ids { $0.minimumDuration = 2_000 } == [2, 4])
        #expect(try await ids { $0.maximumDuration = 2_000 } == [1, 2])
        #expect(try await ids { ($0.minimumDuration, $0.maximumDuration) = (1_001, 2_999) } == [2])
        #expect(try await ids { $0.sessionID = "s" } == [2])
        #expect(try await ids { $0.conversationID = "c" } == [3])
        #expect(try await ids { $0.userID = "u" } == [2])
        #expect(try await ids { $0.callID = "k" } == [4])
        #expect(try await ids { $0.onlyRoots = true } == [1, 3, 4])
        #expect(try await ids { ($0.onlyRoots, $0.status, $0.name) = (true, 0, "a") } == [1, 3, 4])
        #expect(try await ids { ($0.userID, $0.name) = ("u", "a") } == [])
        #expect(try await ids { $0.service = "no such" } == [])
    }

    @Test(arguments: HotDatabase.allCases)
    func attributesAreComparedAsText(database: HotDatabase) async throws {
        let sample = try Sample(database)
        let keys = ["http.route", "a\"b", "a\\b", "a'b", "$.a", "[0]", "日本 🎉", "a b", "%", "\u{1}"]
        try await sample.add(
            keys.enumerated().map { Sample.span(UInt64($0 + 1), [($1, .string("v'\"\\日"))]) }
                + [
                    Sample.span(100, [("text", .string("1")), ("http.route", .string("/"))]),
                    Sample.span(101, [("int", .int(-200)), ("yes", .bool(true)), ("half", .double(0.5))]),
                    Sample.span(
                        102, [("yes", .bool(false)), ("nested", .kvlist([NewPair(key: "a", value: .int(1))]))]),
                ])
        for (index, key) in keys.enumerated() {
            let found = try await sample.ids { $0.attributes = [.init(key: key, value: "v'\"\\日")] }
            #expect(found == [UInt64(index + 1)], "\(key)")
        }
        func ids(_ attributes: (String, String)...) async throws -> [UInt64] {
            try await sample.ids { $0.attributes = attributes.map { .init(key: $0, value: $1) } }
        }
        #expect(try await ids(("int", "-200")) == [101])
        #expect(try await ids(("yes", "true")) == [101])
        #expect(try await ids(("yes", "false")) == [102])
        #expect(try await ids(("yes", "1")) == [])
        #expect(try await ids(("half", "0.5")) == [101])
        #expect(try await ids(("text", "1"), ("http.route", "/")) == [100])
        #expect(try await ids(("text", "1"), ("http.route", "/no")) == [])
        #expect(try await ids(("nested.a", "1")) == [])
        #expect(try await ids(("nested", #"{"a": 1}"#)) == [])
        #expect(try await ids(("nested", #"{"a":1}"#)) == [])
        #expect(try await ids(("", "")) == [])
        #expect(try await ids(("x\") OR 1=1 --", "' OR 1=1 --")) == [])
    }

    @Test(arguments: HotDatabase.allCases)
    func aWindowBeginsAndEndsWhereItSays(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add([-1_000, 0, 1_000].enumerated().map { Sample.span(UInt64($0 + 1), start: $1) })
        // Of a clock that is ahead.
        try await sample.add([Sample.span(4, start: Sample.day)])
        let start = Timestamp(nanoseconds: Sample.start)
        let later = Timestamp(nanoseconds: Sample.start + 1_000)
        #expect(try await sample.ids { $0.window = TimeWindow(from: start, to: later) } == [2])
        #expect(try await sample.ids { $0.window = TimeWindow(from: start) } == [4, 3, 2])
        #expect(try await sample.ids { $0.window = TimeWindow(last: .microseconds(1), before: start) } == [4, 3, 2, 1])
        #expect(try await sample.ids { $0.window = .always } == [4, 3, 2, 1])
    }

    @Test(arguments: HotDatabase.allCases)
    func wrongQuestionsAreRefused(database: HotDatabase) async throws {
        let sample = try Sample(database)
        func refusal(_ change: (inout SpanSearch) -> Void) async -> String? {
            do {
                _ = try await sample.ids(change)
                return nil
            } catch {
                guard case QueryError.invalid(let reason) = error else { return "\(error)" }
                return "invalid: \(reason)"
            }
        }
        let start = Timestamp(nanoseconds: Sample.start)
        #expect(await refusal { $0.limit = 0 } == "invalid: found limit 0, wanted 1...1000")
        #expect(await refusal { $0.limit = 1_001 } == "invalid: found limit 1001, wanted 1...1000")
        #expect(
            await refusal { $0.window = TimeWindow(from: start, to: start) }
                == "invalid: found a window from \(start.text) to \(start.text), wanted one that ends after it begins")
        #expect(
            await refusal { $0.userID = "a\0b" } == "invalid: found U+0000 in \"a b\", wanted text without it")
        #expect(
            await refusal { $0.attributes = Array(repeating: .init(key: "a", value: ""), count: 17) }
                == "invalid: found 17 attributes, wanted at most 16")
        #expect(
            await refusal { ($0.minimumDuration, $0.maximumDuration) = (2, 1) }
                == "invalid: found durations from 2ns to 1ns, wanted the shorter one first")
        #expect(await refusal { $0 = SpanSearch(Tenant("\0"), in: Sample.window) } != nil)
    }

    @Test(arguments: HotDatabase.allCases)
    func manyMayAskAtOnce(database: HotDatabase) async throws {
        let sample = try Sample(database)
        try await sample.add((1...20).map { Sample.span($0) })
        let reader = sample.reader
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<16 {
                group.addTask { try await reader.page(SpanSearch(Sample.tenant, in: Sample.window)).rows.count }
            }
            for try await count in group { #expect(count == 20) }
        }
    }
}
