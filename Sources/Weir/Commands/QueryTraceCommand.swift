import ArgumentParser

/// `weir query trace`
struct QueryTraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace", abstract: "Prints the spans of a trace as a tree; exits 1 if there are none.",
        discussion: "As JSON, with everything that is stored of them. A time saves looking into every day.")

    @OptionGroup var options: QueryOptions
    @OptionGroup var window: WindowOptions

    @Argument(help: ArgumentHelp("32 hexadecimal digits.", valueName: "id"), transform: Self.id)
    var id: TraceID

    @OptionGroup var reveal: RevealOptions

    func run() async throws {
        let query = TraceQuery(options.tenant, id: id, in: window.given(at: .now()) ?? .always)
        let found = try await options.page(query)
        let rows = try await reveal.open(found.rows, of: "trace \(id.text)", options)
        let page = Page(rows, limit: rows.count)
        guard !page.rows.isEmpty else {
            options.noteNothing("found no span of trace \(id.text)")
            throw ExitCode.failure
        }
        let tree = TraceTree(page.rows)
        switch options.store.format {
        case .json: try StandardOutput.write(tree.nodes.map { page.rows[$0.span].json + "\n" }.joined())
        case .table: try StandardOutput.write(Self.table(page.rows, tree))
        }
        if found.hasMore {
            StandardError.note("these are the earliest; --limit gives up to \(TraceQuery.limits.maximum)")
        }
    }

    /// - Parameter spans: by start, at least one.
    static func table(_ spans: [TraceSpan], _ tree: TraceTree) -> String {
        let start = spans.map(\.span.startTime.nanoseconds).min() ?? 0
        let calls = calls(of: spans)
        var table = TextTable(
            [
                .init(title: "START", isNumber: true), .init(title: "DURATION", isNumber: true), .init(title: "STATUS"),
                .init(title: "SERVICE", isFlexible: true), .init(title: "NAME", isFlexible: true),
            ]
                + (calls.isEmpty
                    ? []
                    : [
                        .init(title: "MODEL", isFlexible: true), .init(title: "INPUT", isNumber: true),
                        .init(title: "OUTPUT", isNumber: true), .init(title: "USD", isNumber: true),
                    ]))
        for node in tree.nodes {
            let span = spans[node.span].span
            // Deeper ones stand below each other: what tells them apart would not be seen any more.
            let indent = String(repeating: "  ", count: min(node.depth, 20))
            let message = span.statusMessage.map { ": \($0)" } ?? ""
            let call = spans[node.span].call
            let used = [
                call.map { $0.model ?? "-" }, call.map { $0.inputTokens.map { "\($0)" } ?? "-" },
                call.map { $0.outputTokens.map { "\($0)" } ?? "-" },
                call.map { $0.cost.map(Cost.text) ?? "-" },
            ].map { $0 ?? "" }
            table.add(
                [
                    "+" + ShortText.duration(Int64(clamping: span.startTime.nanoseconds - start)),
                    ShortText.duration(span.duration), span.statusName, span.service, indent + span.name + message,
                ] + (calls.isEmpty ? [] : used))
        }
        let errors = spans.count { $0.span.status == 2 }
        let end = spans.map { Int64(clamping: $0.span.startTime.nanoseconds - start) &+ ($0.span.duration ?? 0) }.max()
        return """
            trace \(spans[0].span.traceID): \(spans.count.of("span")), \(errors.of("error")), \
            \(ShortText.duration(end)) from \(Timestamp(nanoseconds: start).text)\(spent(on: calls))
            \(table.text)
            """
    }

    /// A span stands as often as it came, and its call was made once.
    private static func calls(of spans: [TraceSpan]) -> [TraceSpan.Call] {
        var seen: Set<[UInt64]> = []
        return spans.compactMap { found in
            let isFirst = seen.insert([found.span.spanID, found.span.startTime.nanoseconds]).inserted
            return isFirst ? found.call : nil
        }
    }

    /// Not the word of the ledger, which has taken back what was counted twice.
    private static func spent(on calls: [TraceSpan.Call]) -> String {
        guard !calls.isEmpty else { return "" }
        let known = calls.compactMap(\.cost)
        // A hundred thousand calls of a million dollars each have room in 64 bits no more.
        let sum = Int64(clamping: known.reduce(Int128(0)) { $0 + Int128($1) })
        let unknown = calls.count - known.count
        return ", \(calls.count.of("call")): \(known.isEmpty ? "-" : Cost.text(sum)) USD"
            + (unknown > 0 && !known.isEmpty ? " without \(unknown) that have no price" : "")
    }

    static func id(_ text: String) throws -> TraceID {
        guard let id = TraceID(text) else {
            throw ValidationError("found \(text.quotedForMessage), wanted 32 hexadecimal digits that are not all zeros")
        }
        return id
    }
}
