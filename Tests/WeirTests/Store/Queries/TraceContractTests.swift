import Foundation
import Testing

@testable import Weir

/// What is found of a trace, in either database.
@Suite struct TraceContractTests {
    private typealias Sample = QuerySample
    private let id = TraceID("0af7651916cd43dd8448eb211c80319c")

    private func span(_ id: UInt64, below parent: UInt64 = 0, start: Int64) -> SpanFixture {
        var span = Sample.span(id, start: start, name: "span \(id)")
        span.traceID = SpanFixture().traceID
        span.parentSpanID = parent
        return span
    }

    private func spans(of sample: Sample) async throws -> [TraceSpan] {
        try await sample.reader.page(TraceQuery(Sample.tenant, id: try #require(id))).rows
    }

    @Test(arguments: HotDatabase.allCases)
    func aTraceIsFoundOverMidnight(database: HotDatabase) async throws {
        let sample = try Sample(database)
        let midnight = -Int64(4 * SampleBatch.hour)
        try await sample.add([span(2, below: 1, start: midnight + 5), span(3, below: 2, start: midnight + 5_000)])
        try await sample.add([span(1, start: midnight - 5_000), Sample.span(9, start: midnight)])
        var query = TraceQuery(Sample.tenant, id: try #require(id))
        let page = try await sample.reader.page(query)
        #expect(page.rows.map(\.span.spanID) == [1, 2, 3] && !page.hasMore)
        #expect(TraceTree(page.rows).nodes.map(\.depth) == [0, 1, 2])
        // The earliest, also where they are of another day.
        query.limit = 2
        let first = try await sample.reader.page(query)
        #expect(first.rows.map(\.span.spanID) == [1, 2] && first.hasMore)
        query.limit = 10
        query.window = TimeWindow(from: Timestamp(nanoseconds: UInt64(Int64(Sample.start) + midnight)))
        #expect(try await sample.reader.page(query).rows.map(\.span.spanID) == [2, 3])
        let other = TraceQuery(Sample.tenant, id: try #require(TraceID(String(repeating: "f", count: 32))))
        #expect(try await sample.reader.page(other).rows.isEmpty)
    }

    @Test(arguments: HotDatabase.allCases)
    func noMoreIsReadThanAnAnswerMayHave(database: HotDatabase) async throws {
        let sample = try Sample(database)
        let spans = (1...40 as ClosedRange<UInt64>).map { id in
            var span = span(id, start: Int64(id))
            span.attributes = [NewPair(key: "long", value: .string(String(repeating: "x", count: 1_000)))]
            return span
        }
        try await sample.add(spans)
        var query = TraceQuery(Sample.tenant, id: try #require(id))
        await #expect(throws: QueryError.tooLarge(.kibibytes(16))) {
            try await sample.reader.page(query, atMost: .kibibytes(16))
        }
        // Nor more than the rows of all parts.
        try await sample.add([self.span(41, start: -Int64(4 * SampleBatch.hour) - 5)])
        query.limit = 10
        let page = try await sample.reader.page(query, atMost: .kibibytes(32))
        #expect(page.rows.map(\.span.spanID) == [41] + Array(1...9) && page.hasMore)
        query.limit = 1
        await #expect(throws: QueryError.tooLarge(ByteCount(900))) {
            try await sample.reader.page(query, atMost: ByteCount(900))
        }
    }

    @Test(arguments: HotDatabase.allCases)
    func everythingOfASpanIsRead(database: HotDatabase) async throws {
        let sample = try Sample(database)
        var span = span(1, start: 0)
        span.attributes = [
            NewPair(key: "a\"b", value: .string("x\u{1B}\"")), NewPair(key: "n", value: .int(.max)),
            NewPair(key: "l", value: .array([.bool(true), .double(0.5)])),
        ]
        span.scopeName = "io.shop"
        span.scopeVersion = "2"
        try await sample.add([span])
        let found = try #require(try await spans(of: sample).first)
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(found.json.utf8)) as? [String: Any])
        #expect(json["trace_id"] as? String == "0af7651916cd43dd8448eb211c80319c")
        #expect(json["cursor"] == nil)
        #expect(json["flags"] as? Int == 0)
        #expect(json["events"] is NSNull && json["links"] is NSNull)
        let attributes = try #require(json["attributes"] as? [String: Any])
        #expect(attributes["a\"b"] as? String == "x\u{1B}\"")
        #expect(attributes["n"] as? Int64 == .max)
        #expect((attributes["l"] as? [Any])?.count == 2)
        let resource = try #require(json["resource"] as? [String: Any])
        #expect((resource["attributes"] as? [String: Any])?["service.name"] as? String == "shop")
        let scope = try #require(json["scope"] as? [String: Any])
        #expect(scope["name"] as? String == "io.shop" && scope["version"] as? String == "2")
    }

    @Test(arguments: HotDatabase.allCases)
    func eventsAndLinksAreRead(database: HotDatabase) async throws {
        let sample = try Sample(database)
        let record = try SampleBatch.record(
            json: """
                {"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c",
                "spanId":"0000000000000001","name":"n","startTimeUnixNano":"START","endTimeUnixNano":"START",
                "traceState":"a=b","droppedEventsCount":3,
                "events":[{"name":"e","timeUnixNano":"START"}],
                "links":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"0000000000000002"}]}]}]}]}
                """)
        try await sample.add(record)
        let found = try #require(try await spans(of: sample).first)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(found.json.utf8)) as? [String: Any])
        #expect((json["events"] as? [[String: Any]])?.first?["name"] as? String == "e")
        #expect((json["links"] as? [Any])?.count == 1)
        #expect(json["trace_state"] as? String == "a=b" && json["dropped_events"] as? Int == 3)
    }
}
