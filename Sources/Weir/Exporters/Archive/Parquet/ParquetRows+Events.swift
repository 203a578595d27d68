extension ParquetRows {
    /// A span that a web page has sent as an event.
    struct Event {
        /// Which of the rows it is.
        let span: Int
        let version: Int64
        /// The page's origin.
        let source: [UInt8]?
    }

    /// The columns of `telemetry_events`, in the order in which they are written: those of the hot tables' view.
    static let eventColumns = [
        ParquetColumn(name: "event_time", kind: .timestamp),
        ParquetColumn(name: "start_unix_nano", kind: .int64),
        ParquetColumn(name: "event_id", kind: .text),
        ParquetColumn(name: "name", kind: .text, repeats: true),
        ParquetColumn(name: "schema_version", kind: .int64),
        ParquetColumn(name: "sample_rate", kind: .decimal(scale: 12), isOptional: true),
        ParquetColumn(name: "trace_id", kind: .text, repeats: true, isLookedFor: true),
        ParquetColumn(name: "session_id", kind: .text, isOptional: true, repeats: true, isLookedFor: true),
        ParquetColumn(name: "source", kind: .text, isOptional: true, repeats: true),
        ParquetColumn(name: "payload", kind: .text, repeats: true, hasBounds: false),
        ParquetColumn(name: "seq", kind: .int64),
        ParquetColumn(name: "place", kind: .int32),
    ]

    /// Of the receiver's spans.
    private static let scope = Array("weir.beacon".utf8)
    private static let version = AttributeKey("weir.event.version")
    private static let source = AttributeKey("browser.origin")

    static func isOfEvents(_ scope: ScopeRecord, _ batch: borrowing Batch) -> Bool {
        batch.bytes(scope.name).elementsEqual(Self.scope)
    }

    /// - Parameter row: that the span has.
    static func event(_ span: SpanRecord, row: Int, _ batch: borrowing Batch) -> Event {
        var (version, source): (Int64, [UInt8]?) = (1, nil)
        if case .int(let number)? = batch.value(of: Self.version, in: span.attributes), number >= 0 { version = number }
        if case .string(let text)? = batch.value(of: Self.source, in: span.attributes) { source = Array(text) }
        return Event(span: row, version: version, source: source)
    }

    /// Adds what web pages have sent among the rows; there is at least one.
    func addEvents(to writer: inout ParquetWriter) {
        let (events, spans) = (events, rows.spans)
        let sources = events.flatMap { $0.source ?? [] }
        var ends: [Int] = []
        for event in events { ends.append((ends.last ?? 0) + (event.source?.count ?? 0)) }
        writer.begin(rows: events.count)
        writer.numbers { spans[events[$0].span].clampedStart }
        writer.numbers { Int64(bitPattern: spans[events[$0].span].startTime) }
        writer.spanIDs { spans[events[$0].span].spanID }
        writer.texts { rows.bytes(spans[events[$0].span].name) }
        writer.numbers { events[$0].version }
        writer.numbers { Self.rate(spans[events[$0].span].adjustedCount) }
        writer.traceIDs { spans[events[$0].span].trace }
        writer.texts { rows.bytes(spans[events[$0].span].sessionID) }
        sources.withUnsafeBytes { bytes in
            writer.texts { row in
                events[row].source.map { UnsafeRawBufferPointer(rebasing: bytes[ends[row] - $0.count..<ends[row]]) }
            }
        }
        writer.texts { rows.bytes(spans[events[$0].span].attributes) }
        writer.numbers { Int64(bitPattern: spans[events[$0].span].sequence) }
        writer.numbers { Int64(spans[events[$0].span].place) }
        writer.end()
    }

    /// The share that was kept, in 10⁻¹²; nil for what was called back.
    private static func rate(_ adjustedCount: Double?) -> Int64? {
        let count = adjustedCount ?? 1
        return count >= 1 ? Int64((1e12 / count).rounded()) : nil
    }
}
