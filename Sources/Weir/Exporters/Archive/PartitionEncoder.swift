/// Encodes batches, with messages for each partition that they have spans in.
struct PartitionEncoder: ~Copyable {
    /// In the order in which their first records came.
    private(set) var messages: [ArchiveMessages] = []
    /// Spans whose clocks cannot be right.
    private(set) var suspectSpans = 0
    /// Spans that a file has already.
    private(set) var archivedSpans = 0

    private let format: ArchiveFormat
    /// Nil where nobody can be erased.
    private let finder: SubjectFinder?
    /// Which messages a partition's next record belongs to.
    private var latest: [ArchivePartition: Int] = [:]
    private var proto = OTLPEncoder()
    private var json = OTLPJSONEncoder()
    /// What was added to files, emptied. Memory that is taken anew is cleared by the kernel, for each batch.
    private var spareBatches: [ParquetBatch] = []
    private var spareBytes: [[UInt8]] = []

    /// Of so many partitions, and so many bytes.
    private static let (maximumSpare, maximumBytes) = (4, 8 << 20)

    init(_ format: ArchiveFormat, _ finder: SubjectFinder? = nil) {
        (self.format, self.finder) = (format, finder)
    }

    /// Forgets the messages.
    mutating func reset() {
        for batch in messages.compactMap(\.batch) where spareBatches.count < Self.maximumSpare {
            batch.rows.reset()
            spareBatches.append(batch)
        }
        for index in messages.indices where spareBytes.count < Self.maximumSpare {
            var bytes: [UInt8] = []
            swap(&bytes, &messages[index].bytes)
            bytes.removeAll(keepingCapacity: true)
            if (1...Self.maximumBytes).contains(bytes.capacity) { spareBytes.append(bytes) }
        }
        messages = []
        latest = [:]
        suspectSpans = 0
        archivedSpans = 0
    }

    /// - Parameters:
    ///   - batch: a record; afterwards some of its spans may be dropped.
    ///   - section: of the record. What sampling left out of it has rollups among the rows.
    ///   - since: for a partition, from where on up to this record a file can go on; nil if the record's spans there
    ///     are in a file already.
    mutating func add(
        _ batch: inout Batch, _ sequence: UInt64, _ section: RecordSection = RecordSection(),
        since: (ArchivePartition) throws -> UInt64?
    ) throws {
        let window = ArchiveWindow(receivedAt: batch.receivedAt)
        let leftOut = try leftOut(of: section, window)
        // Other than the tables', the archive's usage is that of the spans that it has.
        let isPromoted = batch.isPromoted
        batch.isPromoted = false
        var hours = Self.hours(of: batch, window)
        if !leftOut.isEmpty { hours += leftOut.keys.filter { !hours.contains($0) }.sorted() }
        for hour in hours {
            if hours.count > 1 { batch.select { window.hour(of: $0.startTime) == hour } }
            let partition = ArchivePartition(tenant: batch.tenant, hour: hour)
            guard let since = try since(partition) else {
                archivedSpans += batch.spanCount
                continue
            }
            let spans = Self.spans(of: batch, sequence, window)
            suspectSpans += spans.suspects
            let index = index(of: partition, spans, since: since)
            messages[index].entries.add(batch, tenant: batch.tenant, finder)
            try append(batch, sequence, leftOut[hour] ?? [], isPromoted: isPromoted, toMessagesAt: index)
        }
    }

    /// Rollups of spans that sampling left out of a record, as they stand in it, by hour.
    private func leftOut(of section: RecordSection, _ window: ArchiveWindow) throws -> [Int: [UInt8]] {
        guard format == .parquet, let content = section.value(of: .sampledOut) else { return [:] }
        return try content.withUnsafeBytes { content in
            try SampledOut.rollups(in: content) { minute in
                let (start, overflow) = UInt64(clamping: minute).multipliedReportingOverflow(by: 60_000_000_000)
                return window.hour(of: overflow ? .max : start)
            }
        }
    }

    /// In the order in which they occur.
    private static func hours(of batch: borrowing Batch, _ window: ArchiveWindow) -> [Int] {
        var found: [Int] = []
        for span in batch.spans where !span.isDropped {
            let hour = window.hour(of: span.startTime)
            if found.last != hour, !found.contains(hour) { found.append(hour) }
        }
        return found
    }

    private static func spans(
        of batch: borrowing Batch, _ sequence: UInt64, _ window: ArchiveWindow
    ) -> ArchivedSpans {
        var first = UInt64.max
        var last: UInt64 = 0
        var suspects = 0
        for span in batch.spans where !span.isDropped {
            first = min(first, span.startTime)
            last = max(last, span.startTime)
            if window.isSuspect(span.startTime) { suspects += 1 }
        }
        return ArchivedSpans(
            of: [sequence...sequence], records: batch.spanCount > 0 ? 1 : 0, spans: batch.spanCount,
            times: first <= last ? first...last : nil, suspects: suspects)
    }

    /// The messages that the record's belong to.
    private mutating func index(of partition: ArchivePartition, _ spans: ArchivedSpans, since: UInt64) -> Int {
        let sequence = spans.sequences.lowerBound
        if let index = latest[partition], messages[index].spans.canGoOn(with: sequence, since: since) {
            messages[index].spans.append(spans)
            return index
        }
        latest[partition] = messages.count
        var next = ArchiveMessages(partition: partition, since: since, spans: spans)
        if format == .parquet {
            next.batch = spareBatches.popLast() ?? ParquetBatch()
        } else {
            next.bytes = spareBytes.popLast() ?? []
        }
        messages.append(next)
        return messages.count - 1
    }

    private mutating func append(
        _ batch: borrowing Batch, _ sequence: UInt64, _ leftOut: [UInt8], isPromoted: Bool, toMessagesAt index: Int
    ) throws(ExportError) {
        switch format {
        case .json:
            let line = json.bytes(of: batch)
            messages[index].keys.add(from: line)
            messages[index].bytes.append(contentsOf: line)
            messages[index].bytes.append(UInt8(ascii: "\n"))
        case .parquet:
            guard let rows = messages[index].batch else { preconditionFailure("rows that go nowhere") }
            let start = rows.rows.textCount
            do {
                try rows.rows.add(batch, sequence: sequence, leftOut: leftOut, isPromoted: isPromoted)
            } catch {
                throw .rejected("a section of sampled-out spans: \(error)")
            }
            messages[index].keys.add(from: rows.rows.text(from: start))
        case .proto:
            let message = try encode(batch)
            // The encoder writes less than 31 bits can count, so four bytes are enough for the length.
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: message.count).bigEndian) { length in
                messages[index].bytes.append(contentsOf: length)
            }
            withExtendedLifetime(message) {
                messages[index].keys.add(from: $0.bytes)
                messages[index].bytes.append(contentsOf: $0.bytes)
            }
        }
    }

    private mutating func encode(_ batch: borrowing Batch) throws(ExportError) -> Payload {
        guard let message = proto.encode(batch) else {
            throw .rejected("a batch is over \(ReverseWriter.maxLimit) bytes")
        }
        return message
    }
}
