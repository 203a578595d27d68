/// Encodes batches, one message for each partition that they have spans in.
struct PartitionEncoder: ~Copyable {
    /// Framed and one behind the other, in the order of the batches.
    private(set) var messages: [ArchivePartition: [UInt8]] = [:]
    /// Spans that got no hour, because those of their tenant had too many.
    private(set) var scatteredSpans = 0

    private let format: ArchiveFormat
    private let maxHours: Int
    private var hours: [String: Set<Int>] = [:]
    private var proto = OTLPEncoder()
    private var json = OTLPJSONEncoder()

    /// - Parameter maxHours: different hours that one tenant's spans may start in, until the next `reset`. Each needs a
    ///   walk through the batch and a file, and the sender chooses the times.
    init(_ format: ArchiveFormat, maxHours: Int) {
        self.format = format
        self.maxHours = maxHours
    }

    /// Forgets the messages.
    mutating func reset() {
        messages = [:]
        hours = [:]
        scatteredSpans = 0
    }

    /// - Parameter batch: afterwards some of its spans may be dropped.
    mutating func add(_ batch: inout Batch) throws(ExportError) {
        let partitions = partitions(of: batch)
        guard partitions.count > 1 else {
            if let partition = partitions.first { try append(batch, to: partition) }
            return
        }
        let known = hours[batch.tenant, default: []]
        for partition in partitions {
            batch.select { span in
                let hour = ArchivePartition.hour(of: span.startTime)
                return partition.hour.map { $0 == hour } ?? !known.contains(hour)
            }
            try append(batch, to: partition)
        }
    }

    /// In the order in which they occur.
    private mutating func partitions(of batch: borrowing Batch) -> [ArchivePartition] {
        var known = hours.removeValue(forKey: batch.tenant) ?? []
        var found: [Int?] = []
        var last: Int?
        for span in batch.spans where !span.isDropped {
            let hour = ArchivePartition.hour(of: span.startTime)
            if hour == last { continue }
            last = hour
            if known.count < maxHours { known.insert(hour) }
            let partition = known.contains(hour) ? hour : nil
            if !found.contains(partition) { found.append(partition) }
        }
        hours[batch.tenant] = known
        return found.map { ArchivePartition(tenant: batch.tenant, hour: $0) }
    }

    private mutating func append(_ batch: borrowing Batch, to partition: ArchivePartition) throws(ExportError) {
        if partition.hour == nil { scatteredSpans += batch.spanCount }
        switch format {
        case .json:
            messages[partition, default: []].append(contentsOf: json.bytes(of: batch))
            messages[partition, default: []].append(UInt8(ascii: "\n"))
        case .proto:
            guard let message = proto.encode(batch) else {
                throw .rejected("a batch is over \(ReverseWriter.maxLimit) bytes")
            }
            // The encoder writes less than 31 bits can count, so four bytes are enough for the length.
            withUnsafeBytes(of: UInt32(truncatingIfNeeded: message.count).bigEndian) { length in
                messages[partition, default: []].append(contentsOf: length)
            }
            withExtendedLifetime(message) { messages[partition, default: []].append(contentsOf: $0.bytes) }
        }
    }
}
