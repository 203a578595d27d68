import NIOHTTP1
import Synchronization

/// What `weir query` asks, asked over HTTP: `GET /api/v1/query/search?service=shop&since=1h`. Whoever has a key reads
/// what belongs to its tenant, and nothing else.
extension OperationsRoute {
    /// Hot tables, by the exporter that writes them.
    typealias Tables = (exporter: String, reader: any StoreReader)

    static let queriesPath = "/api/v1/query/"
    /// Bytes of the rows of an answer.
    static let maximumAnswer = ByteCount.mebibytes(32)
    /// Questions that are worked on at a time; more are answered 503.
    static let maximumQuestions = 4

    /// The keys of a keystore, by its id.
    typealias Keys = (keystore: String, ring: Keyring)

    /// - Parameters:
    ///   - keyrings: what rows are decrypted with, for who may read them.
    ///   - erased: the keys that are not used for it, though they may be there again.
    ///   - clock: the time of day.
    static func queries(
        _ tables: [Tables], keyrings: [Keys], erased: @escaping @Sendable () -> ErasedKeys,
        clock: @escaping @Sendable () -> Timestamp
    ) -> [OperationsRoute] {
        let places = Places(maximumQuestions)
        /// - Parameter open: decrypts rows; nil where nothing in them is encrypted.
        func route<Query: StoreQuery>(
            _ word: String, _ open: (@Sendable (AuditedReveal, [Query.Row]) async throws -> [Query.Row])? = nil,
            _ read: @escaping @Sendable (inout URLQuery, Tenant, Timestamp) throws -> Query
        ) -> OperationsRoute where Query.Row: JSONRow {
            OperationsRoute(method: .GET, path: queriesPath + word, scope: .read, reveals: open != nil) { request in
                guard places.take() else {
                    return HTTPResponse(
                        .serviceUnavailable, error: "found \(maximumQuestions) questions at a time, wanted fewer"
                    ).retry(after: .seconds(1))
                }
                defer { places.give() }
                do {
                    var parameters = try URLQuery(of: request.head.uri)
                    let tenant = try parameters.tenant(of: request.identity)
                    let reader = try reader(of: tables, &parameters)
                    var query = try read(&parameters, Tenant(tenant), clock())
                    if let limit = try parameters.value("limit", wanted: "a number", { Int($0) }) {
                        query.limit = limit
                    }
                    let reveal = open == nil ? nil : try reveal(with: keyrings, erased(), &parameters, tenant, request)
                    try parameters.finish()
                    let page = try await reader.page(query, atMost: maximumAnswer)
                    guard let open, let reveal else { return answer(page) }
                    return answer(Page(try await open(reveal, page.rows), hasMore: page.hasMore))
                } catch {
                    return refusal(error)
                }
            }
        }
        return [
            route("trace", { try await $0.open($1, of: "a trace").rows }) { parameters, tenant, now in
                let wanted = "32 hexadecimal digits that are not all zeros"
                guard let id = try parameters.value("id", wanted: wanted, { TraceID($0) }) else {
                    throw URLQuery.Problem(message: "id: is missing, wanted \(wanted)")
                }
                return TraceQuery(tenant, id: id, in: try parameters.window(at: now) ?? .always)
            },
            route("search", { try await $0.open($1, of: "a search").rows }) { parameters, tenant, now in
                var search = SpanSearch(tenant, in: try parameters.window(at: now) ?? TimeWindow(before: now))
                try parameters.fill(&search)
                return search
            },
            route("services") { parameters, tenant, now in
                ServicesQuery(tenant, in: try parameters.window(at: now) ?? TimeWindow(before: now))
            },
            route("operations") { parameters, tenant, now in
                var query = OperationsQuery(tenant, in: try parameters.window(at: now) ?? TimeWindow(before: now))
                query.service = try parameters.text("service")
                return query
            },
            route("latency") { parameters, tenant, now in
                var query = LatencyQuery(tenant, in: try parameters.window(at: now) ?? TimeWindow(before: now))
                query.service = try parameters.text("service")
                query.name = try parameters.text("name")
                query.step = try parameters.duration("step")
                return query
            },
            route("cost") { parameters, tenant, now in
                let wanted = "one of \(CostQuery.Dimension.allCases.map(\.rawValue).joined(separator: ", "))"
                guard let dimension = try parameters.value("by", wanted: wanted, CostQuery.Dimension.init(rawValue:))
                else { throw URLQuery.Problem(message: "by: is missing, wanted \(wanted)") }
                let window = try parameters.window(at: now)
                var query = CostQuery(.one(tenant), by: dimension, in: window ?? TimeWindow(before: now))
                query.step = try parameters.duration("step")
                query.trace = try parameters.value("trace", wanted: "32 hexadecimal digits", { TraceID($0) })
                if query.trace != nil, window == nil { query.window = .always }
                return query
            },
            route("unpriced") { parameters, tenant, now in
                UnpricedQuery(.one(tenant), in: try parameters.window(at: now) ?? TimeWindow(before: now))
            },
        ]
    }

    private static func reader(
        of tables: [Tables], _ parameters: inout URLQuery
    ) throws(URLQuery.Problem) -> any StoreReader {
        let known = tables.map(\.exporter)
        let wanted = known.isEmpty ? "an exporter postgres or sqlite first" : "one of \(known.joined(separator: ", "))"
        if let exporter = try parameters.text("exporter") {
            guard let found = tables.first(where: { $0.exporter == exporter }) else {
                throw URLQuery.Problem(message: "exporter: found \(exporter.quotedForMessage), wanted \(wanted)")
            }
            return found.reader
        }
        guard tables.count == 1, let only = tables.first else {
            throw URLQuery.Problem(message: "exporter: is missing, wanted \(wanted)")
        }
        return only.reader
    }

    /// Nil where the client asks for nothing that is encrypted.
    private static func reveal(
        with keyrings: [Keys], _ erased: ErasedKeys, _ parameters: inout URLQuery, _ tenant: String,
        _ request: HTTPRequest
    ) throws(URLQuery.Problem) -> AuditedReveal? {
        let fields = parameters.all(URLQuery.reveal)
        let keystore = try parameters.text("keystore")
        let reason = try parameters.text("reason")
        guard !fields.isEmpty else {
            guard reason == nil, keystore == nil else {
                throw URLQuery.Problem(message: "found reason or keystore, wanted reveal with them")
            }
            return nil
        }
        guard let identity = request.identity, identity.scopes.contains(.reveal) else {
            throw URLQuery.Problem(
                message: "found reveal, wanted a client whose key has the scope reveal", isForbidden: true)
        }
        guard let reason else { throw URLQuery.Problem(message: "reason: is missing, wanted why, for the audit") }
        let known = keyrings.map(\.keystore)
        let wanted = known.isEmpty ? "an extension keystore first" : "one of \(known.joined(separator: ", "))"
        let found = keystore == nil && keyrings.count == 1 ? keyrings.first : keyrings.first { $0.keystore == keystore }
        guard let found else {
            let given = keystore.map { "found \($0.quotedForMessage)" } ?? "is missing"
            throw URLQuery.Problem(message: "keystore: \(given), wanted \(wanted)")
        }
        return AuditedReveal(
            ring: found.ring, fields: fields.map { KeyPattern($0) }, tenant: tenant,
            actor: "key \(identity.name) from \(request.address)", reason: reason, erased: erased)
    }

    private static func answer<Row: JSONRow>(_ page: Page<Row>) -> HTTPResponse {
        var text = #"{"rows":["#
        for (index, row) in page.rows.enumerated() {
            if index > 0 { text += "," }
            text += row.json
            guard text.utf8.count <= maximumAnswer.bytes else {
                return refusal(QueryError.tooLarge(maximumAnswer))
            }
        }
        let next = (page as? Page<FoundSpan>)?.next?.text.quotedAsJSON ?? "null"
        return HTTPResponse(.ok, json: text + #"],"has_more":\#(page.hasMore),"next":\#(next)}"#)
    }

    private static func refusal(_ error: any Error) -> HTTPResponse {
        switch error {
        case let problem as URLQuery.Problem:
            problem.response
        case let error as KeyError:
            HTTPResponse(.serviceUnavailable, error: "nothing is shown that the audit cannot have: \(error.summary)")
                .retry(after: .seconds(1))
        case let error as QueryError:
            switch error {
            case .invalid, .tooMuch: HTTPResponse(.badRequest, error: "\(error)")
            case .tooLarge: HTTPResponse(.payloadTooLarge, error: "\(error)")
            case .timedOut: HTTPResponse(.gatewayTimeout, error: "\(error)")
            case .unavailable: HTTPResponse(.serviceUnavailable, error: "\(error)").retry(after: .seconds(1))
            case .unreadable: HTTPResponse(.internalServerError, error: "\(error)")
            }
        default: HTTPResponse(.internalServerError, error: "the question cannot be answered")
        }
    }
}

/// So many at a time.
private final class Places: Sendable {
    private let free: Mutex<Int>

    init(_ count: Int) {
        free = Mutex(count)
    }

    func take() -> Bool {
        free.withLock { free in
            guard free > 0 else { return false }
            free -= 1
            return true
        }
    }

    func give() {
        free.withLock { $0 += 1 }
    }
}

extension TimeWindow {
    /// What is meant when nothing is said.
    fileprivate init(before now: Timestamp) {
        self.init(last: Self.defaultLength, before: now)
    }
}

extension URLQuery {
    fileprivate mutating func duration(_ name: String) throws(Problem) -> Duration? {
        try value(name, wanted: "a duration such as 15m or 1h30m") { text in
            Duration(parsing: text).flatMap { $0 > .zero ? $0 : nil }
        }
    }

    /// `since`, or `from`, and `to`; nil where nothing is said.
    fileprivate mutating func window(at now: Timestamp) throws(Problem) -> TimeWindow? {
        let wanted = "a time such as 2026-02-03T04:05:06Z or 2026-02-03"
        let since = try duration("since")
        let from = try value("from", wanted: wanted) { Timestamp(parsing: $0) }
        let to = try value("to", wanted: wanted) { Timestamp(parsing: $0) }
        guard since == nil || from == nil else { throw Problem(message: "found since and from, wanted one of them") }
        if let from { return TimeWindow(from: from, to: to) }
        guard since != nil || to != nil else { return nil }
        var window = TimeWindow(last: since ?? TimeWindow.defaultLength, before: to ?? now)
        window.to = to
        return window
    }

    fileprivate mutating func fill(_ search: inout SpanSearch) throws {
        search.service = try text("service")
        search.name = try text("name")
        search.status = try value("status", wanted: "one of \(FoundSpan.statuses.joined(separator: ", "))") {
            FoundSpan.statuses.firstIndex(of: $0)
        }
        search.minimumDuration = try duration("min_duration")?.inSignedNanoseconds
        search.maximumDuration = try duration("max_duration")?.inSignedNanoseconds
        search.attributes = try all("attribute").map { text in
            // The key ends with the first `=`.
            guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
                throw Problem(message: "attribute: found \(text.quotedForMessage), wanted key=value")
            }
            return SpanSearch.Attribute(key: String(text[..<sign]), value: String(text[text.index(after: sign)...]))
        }
        search.sessionID = try text("session")
        search.conversationID = try text("conversation")
        search.userID = try text("user")
        search.callID = try text("call")
        search.onlyRoots = try value("roots", wanted: "true or false") { Bool($0) } ?? false
        search.after = try text("after").map { try SpanCursor($0) }
    }
}
