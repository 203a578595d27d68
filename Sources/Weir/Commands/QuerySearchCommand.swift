import ArgumentParser

/// `weir query search`
struct QuerySearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Lists spans, the newest first.",
        discussion: "All conditions have to hold. Where a page ends, the cursor for the next one is told.")

    @OptionGroup var options: QueryOptions
    @OptionGroup var window: WindowOptions
    @OptionGroup var reveal: RevealOptions

    @Option(help: ArgumentHelp("Of this service.", valueName: "service"))
    var service: String?

    @Option(help: ArgumentHelp("Of this name.", valueName: "name"))
    var name: String?

    @Option(help: ArgumentHelp("unset, ok or error.", valueName: "status"), transform: Self.status)
    var status: Int?

    @Option(help: ArgumentHelp("That took at least this long.", valueName: "duration"), transform: Self.nanoseconds)
    var minDuration: Int64?

    @Option(help: ArgumentHelp("That took at most this long.", valueName: "duration"), transform: Self.nanoseconds)
    var maxDuration: Int64?

    @Option(
        help: ArgumentHelp(
            "With this attribute: text, number, true or false. May be repeated.", valueName: "key=value"),
        transform: Self.attribute)
    var attribute: [SpanSearch.Attribute] = []

    @Option(help: ArgumentHelp("Of this session.", valueName: "id"))
    var session: String?

    @Option(help: ArgumentHelp("Of this conversation.", valueName: "id"))
    var conversation: String?

    @Option(help: ArgumentHelp("Of this user, as the attribute has it after redaction.", valueName: "id"))
    var user: String?

    @Option(help: ArgumentHelp("Of this call.", valueName: "id"))
    var call: String?

    @Flag(help: "Only spans without a parent: one for each trace.")
    var roots = false

    @Option(help: ArgumentHelp("What follows the page that ended with this.", valueName: "cursor"))
    var after: String?

    private static let columns: [TextTable.Column] = [
        .init(title: "START"), .init(title: "DURATION", isNumber: true), .init(title: "STATUS"),
        .init(title: "SERVICE", isFlexible: true), .init(title: "NAME", isFlexible: true), .init(title: "TRACE"),
    ]

    func run() async throws {
        let search = try search()
        let found = try await options.page(search)
        let rows = try await reveal.open(found.rows, of: "a search", options)
        let page = Page(rows, hasMore: found.hasMore)
        try options.show(page, search, Self.columns) { span in
            [
                ShortText.time(span.startTime), ShortText.duration(span.duration), span.statusName, span.service,
                span.name, span.traceID,
            ]
        }
    }

    func search(at now: Timestamp = .now()) throws -> SpanSearch {
        var search = SpanSearch(options.tenant, in: window.window(at: now))
        search.service = service
        search.name = name
        search.status = status
        search.minimumDuration = minDuration
        search.maximumDuration = maxDuration
        search.attributes = attribute
        search.sessionID = session
        search.conversationID = conversation
        search.userID = user
        search.callID = call
        search.onlyRoots = roots
        do {
            search.after = try after.map { text throws(QueryError) in try SpanCursor(text) }
        } catch {
            throw ValidationError("\(error)")
        }
        return search
    }

    private static func status(_ text: String) throws -> Int {
        guard let status = FoundSpan.statuses.firstIndex(of: text) else {
            throw ValidationError(
                "found \(text.quotedForMessage), wanted one of \(FoundSpan.statuses.joined(separator: ", "))")
        }
        return status
    }

    private static func nanoseconds(_ text: String) throws -> Int64 {
        try DurationOption.read(text).inSignedNanoseconds
    }

    /// The key ends with the first `=`.
    private static func attribute(_ text: String) throws -> SpanSearch.Attribute {
        guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
            throw ValidationError("found \(text.quotedForMessage), wanted key=value")
        }
        return SpanSearch.Attribute(key: String(text[..<sign]), value: String(text[text.index(after: sign)...]))
    }
}
