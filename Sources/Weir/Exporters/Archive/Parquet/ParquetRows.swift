/// Rows of the archive's Parquet files, of some records, before they become columns.
struct ParquetRows: ~Copyable {
    /// Rows and bytes of text after which a row group ends. What one batch adds may be more.
    static let maximumRows = 122_880
    static let maximumText = 64 << 20

    private static let statusKeys = [
        AttributeKey("http.response.status_code"), AttributeKey("http.status_code"),
    ]

    private(set) var rows = HotRows(cuts: false)
    /// For each span, what its server answered over HTTP.
    private(set) var httpStatuses: [Int64?] = []
    private(set) var events: [Event] = []

    /// Those that are in rollups already, since they were sampled out at first.
    private var promoted: [Range<Int>] = []

    var count: Int { rows.spans.count }
    /// Bytes of their texts.
    var textCount: Int { rows.textCount }

    /// Valid until the rows change.
    func text(from start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: rows.written[start...])
    }

    /// Adds what the spans add to their days, and with them those that sampling left out.
    func add(to rollups: inout DailyRollups) {
        let counted = (0..<count).filter { row in !promoted.contains { $0.contains(row) } }
        var added = Rollups()
        swap(&added.known, &rollups.known)
        rows.add(counted, to: &added, per: DailyRollups.minutes)
        swap(&added.known, &rollups.known)
        for (key, row) in added.owned { rollups.add(row, key) }
        for (key, row) in rows.rollups(sampledOutOf: { _ in true }) { rollups.add(row, key) }
    }

    mutating func reset() {
        rows.reset()
        httpStatuses.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
        promoted = []
    }

    /// - Parameters:
    ///   - leftOut: rollups of spans that sampling left out of the record.
    ///   - isPromoted: whether the spans were sampled out at first.
    mutating func add(
        _ batch: borrowing Batch, sequence: UInt64, leftOut: [UInt8] = [], isPromoted: Bool = false
    ) throws {
        let first = count
        rows.add(batch, sequence: sequence, tenantID: 0)
        if isPromoted { promoted.append(first..<count) }
        if !leftOut.isEmpty {
            let window = ClockWindow(receivedAt: batch.receivedAt)
            try leftOut.withUnsafeBytes { try rows.addRollups(in: $0, of: sequence, 0, window) }
        }
        // In the order of the rows.
        for resource in batch.resources where !resource.state.contains(.dropped) {
            for scope in resource.scopes where !batch.scopes[scope].state.contains(.dropped) {
                let isOfEvents = Self.isOfEvents(batch.scopes[scope], batch)
                for span in batch.scopes[scope].spans where !batch.spans[span].isDropped {
                    if isOfEvents { events.append(Self.event(batch.spans[span], row: httpStatuses.count, batch)) }
                    httpStatuses.append(Self.httpStatus(of: batch.spans[span], batch))
                }
            }
        }
    }

    private static func httpStatus(of span: SpanRecord, _ batch: borrowing Batch) -> Int64? {
        for key in statusKeys {
            if case .int(let status)? = batch.value(of: key, in: span.attributes) { return Int64(exactly: status) }
        }
        return nil
    }
}
