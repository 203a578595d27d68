/// Encodes batches, with messages for each partition that they have spans in.
struct PartitionEncoder: ~Copyable {
    /// Different hours that one record's spans may start in. Each needs a walk through the batch and a file, and the
    /// sender chooses the times. No key, since it is part of where a record's spans are: were it changed, what an
    /// earlier process wrote of a record would not be found again.
    static let maximumHours = 64

    /// In the order in which their first records came.
    private(set) var messages: [ArchiveMessages] = []
    /// Spans that got no hour, because their record had too many.
    private(set) var scatteredSpans = 0
    /// Spans that a file has already.
    private(set) var archivedSpans = 0

    private let format: ArchiveFormat
    /// Which messages a partition's next record belongs to.
    private var latest: [ArchivePartition: Int] = [:]
    private var proto = OTLPEncoder()
    private var json = OTLPJSONEncoder()

    init(_ format: ArchiveFormat) {
        self.format = format
    }

    /// Forgets the messages.
    mutating func reset() {
        messages = []
        latest = [:]
        scatteredSpans = 0
        archivedSpans = 0
    }

    /// - Parameters:
    ///   - batch: a record; afterwards some of its spans may be dropped.
    ///   - since: for a partition, from where on up to this record a file can go on; nil if the record's spans there
    ///     are in a file already.
    mutating func add(
        _ batch: inout Batch, _ sequence: UInt64, since: (ArchivePartition) throws -> UInt64?
    ) throws {
        let window = format == .parquet ? ClockWindow(receivedAt: batch.receivedAt) : nil
        let hours = hours(of: batch, window)
        for hour in hours {
            if hours.count > 1 {
                batch.select { span in
                    let other = Self.hour(of: span, window)
                    return hour.map { $0 == other } ?? !hours.contains(other)
                }
            }
            let partition = ArchivePartition(tenant: batch.tenant, hour: hour)
            guard let since = try since(partition) else {
                archivedSpans += batch.spanCount
                continue
            }
            if hour == nil { scatteredSpans += batch.spanCount }
            let index = index(of: partition, Self.spans(of: batch, sequence), since: since)
            try append(batch, sequence, toMessagesAt: index)
        }
    }

    /// In the order in which they occur; nil for all after the first ``maximumHours``.
    private func hours(of batch: borrowing Batch, _ window: ClockWindow?) -> [Int?] {
        var found: [Int?] = []
        var last: Int?
        for span in batch.spans where !span.isDropped {
            let hour = Self.hour(of: span, window)
            if hour == last || found.contains(hour) { continue }
            last = hour
            guard found.count < Self.maximumHours else { return found + [nil] }
            found.append(hour)
        }
        return found
    }

    /// Rows have a column for a wrong clock, so theirs need not open a partition of its own.
    private static func hour(of span: SpanRecord, _ window: ClockWindow?) -> Int {
        ArchivePartition.hour(of: window?.clamp(span.startTime) ?? span.startTime)
    }

    private static func spans(of batch: borrowing Batch, _ sequence: UInt64) -> ArchivedSpans {
        var first = UInt64.max
        var last: UInt64 = 0
        for span in batch.spans where !span.isDropped {
            first = min(first, span.startTime)
            last = max(last, span.startTime)
        }
        return ArchivedSpans(of: sequence, spans: batch.spanCount, times: first <= last ? first...last : nil)
    }

    /// The messages that the record's belong to.
    private mutating func index(of partition: ArchivePartition, _ spans: ArchivedSpans, since: UInt64) -> Int {
        let sequence = spans.sequences.lowerBound
        if let index = latest[partition], messages[index].spans.canGoOn(with: sequence, since: since) {
            messages[index].spans.append(spans)
            return index
        }
        latest[partition] = messages.count
        messages.append(ArchiveMessages(partition: partition, since: since, spans: spans))
        return messages.count - 1
    }

    private mutating func append(
        _ batch: borrowing Batch, _ sequence: UInt64, toMessagesAt index: Int
    ) throws(ExportError) {
        switch format {
        case .json:
            let line = json.bytes(of: batch)
            messages[index].keys.add(from: line)
            messages[index].bytes.append(contentsOf: line)
            messages[index].bytes.append(UInt8(ascii: "\n"))
        case .parquet:
            let message = try encode(batch)
            withExtendedLifetime(message) {
                messages[index].keys.add(from: $0.bytes)
                ArchiveSpool.append($0.bytes, of: (sequence, batch.receivedAt), to: &messages[index].bytes)
            }
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
