/// What a record's section says of the spans that sampling left out of it, as ``SampledOutEncoder`` wrote it.
///
/// It is an ExportTraceServiceRequest of the calls of models among them, with what usage needs and nothing else, and
/// beside it a field of rollups, which OTLP does not know. So two of them, one behind the other, are both together.
///
/// | field | what |
/// |---|---|
/// | 1 | ResourceSpans, with one span for each call |
/// | 1000 | what some of the spans add to a minute of an operation; each span is in one |
enum SampledOut {
    static let rollup: UInt64 = 1000 << 3 | 2
    // Of a rollup.
    static let minute: UInt64 = 1 << 3
    static let operation: UInt64 = 2 << 3
    static let kind: UInt64 = 3 << 3
    static let service: UInt64 = 4 << 3 | 2
    static let name: UInt64 = 5 << 3 | 2
    static let model: UInt64 = 6 << 3 | 2
    static let spans: UInt64 = 7 << 3
    static let errors: UInt64 = 8 << 3
    static let duration: UInt64 = 9 << 3
    static let inputTokens: UInt64 = 10 << 3
    static let outputTokens: UInt64 = 11 << 3
    static let totalCost: UInt64 = 12 << 3
    static let unpriced: UInt64 = 13 << 3
    /// Varints: a bucket, and how many are in it, and so on.
    static let durations: UInt64 = 14 << 3 | 2

    /// Calls `body` with each rollup; its texts point into `content`, and it has no tenant.
    static func forEachRollup(
        in content: UnsafeRawBufferPointer, _ body: (Rollups.Key, RollupRow) throws -> Void
    ) throws {
        var fields = FieldReader(content)
        while let field = fields.next() {
            guard field.tag == rollup else { continue }
            let (key, row) = try read(field.body)
            try body(key, row)
        }
        if fields.isBroken { throw DecodeError.malformed("a section of sampled-out spans", offset: 0) }
    }

    /// How many spans were left out.
    static func spanCount(in content: UnsafeRawBufferPointer) throws -> Int64 {
        var count: Int64 = 0
        try forEachRollup(in: content) { count &+= $1.spans }
        return count
    }

    /// Appends the rollups as they stand in `content`.
    static func copyRollups(in content: UnsafeRawBufferPointer, to bytes: inout [UInt8]) throws(DecodeError) {
        var fields = FieldReader(content)
        while let field = fields.next() {
            if field.tag == rollup { bytes += content[field.start..<field.end] }
        }
        if fields.isBroken { throw .malformed("a section of sampled-out spans", offset: 0) }
    }

    /// The rollups as they stand in `content`, by what `group` makes of their minutes.
    static func rollups(
        in content: UnsafeRawBufferPointer, by group: (Int64) -> Int
    ) throws(DecodeError) -> [Int: [UInt8]] {
        var found: [Int: [UInt8]] = [:]
        var fields = FieldReader(content)
        while let field = fields.next() {
            guard field.tag == rollup else { continue }
            found[group(try read(field.body).0.minute), default: []] += content[field.start..<field.end]
        }
        if fields.isBroken { throw .malformed("a section of sampled-out spans", offset: 0) }
        return found
    }

    private static func read(_ message: UnsafeRawBufferPointer) throws(DecodeError) -> (Rollups.Key, RollupRow) {
        var numbers = [Int64](repeating: 0, count: 14)
        var texts = [UnsafeRawBufferPointer?](repeating: nil, count: 7)
        var row = RollupRow()
        var fields = FieldReader(message)
        while let field = fields.next() {
            let number = Int(field.tag >> 3)
            if field.tag == durations {
                read(field.body, into: &row.durations)
            } else if field.tag & 7 == 0, number < numbers.count {
                numbers[number] = Int64(clamping: field.number)
            } else if field.tag & 7 == 2, number < texts.count {
                texts[number] = field.body
            }
        }
        if fields.isBroken { throw .malformed("a rollup of sampled-out spans", offset: 0) }
        func value(_ tag: UInt64) -> Int64 { numbers[Int(tag >> 3)] }
        func text(_ tag: UInt64) -> Rollups.Key.Text { .init(texts[Int(tag >> 3)]) }
        row.spans = value(spans)
        row.errors = value(errors)
        row.duration = value(duration)
        row.inputTokens = value(inputTokens)
        row.outputTokens = value(outputTokens)
        row.totalCost = value(totalCost)
        row.unpriced = value(unpriced)
        let key = Rollups.Key(
            minute: value(minute), tenantID: 0,
            operation: OperationKind(rawValue: Int16(clamping: value(operation))) ?? .other,
            kind: UInt8(clamping: value(kind)), service: text(service), name: text(name), model: text(model))
        return (key, row)
    }

    private static func read(_ pairs: UnsafeRawBufferPointer, into durations: inout DurationHistogram) {
        guard let base = pairs.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
        var position = 0
        while position < pairs.count {
            let (bucket, afterBucket) = readVarint(base, position, pairs.count)
            guard afterBucket < pairs.count else { return }
            let (count, next) = readVarint(base, afterBucket, pairs.count)
            guard next <= pairs.count else { return }
            durations.add(Int16(clamping: bucket), Int64(clamping: count))
            position = next
        }
    }
}
