/// What policies ask of each span as it comes in. The answers are kept as bits, so that no span has to be read again
/// for a trace to be decided.
enum SpanTest: Sendable {
    /// All policies together, because a trace has one word for the answers.
    static let maximumCount = 64

    case condition(Condition)
    /// A member of the span's W3C trace state has one of these values.
    case traceState(key: [UInt8], values: [[UInt8]])

    func holds(for span: SpanRecord, in batch: borrowing Batch) -> Bool {
        switch self {
        case .condition(let condition): condition.matches(batch, span: span)
        case .traceState(let key, let values): Self.has(key, values, in: batch.bytes(span.traceState))
        }
    }

    private static func has(_ key: [UInt8], _ values: [[UInt8]], in text: UnsafeRawBufferPointer) -> Bool {
        guard !text.isEmpty else { return false }
        return text.split(separator: UInt8(ascii: ",")).contains { member in
            let member = member.drop { $0 == 0x20 || $0 == 0x09 }
            guard member.starts(with: key), member.dropFirst(key.count).first == UInt8(ascii: "=") else { return false }
            let value = member.dropFirst(key.count + 1)
            let end = value.lastIndex { $0 != 0x20 && $0 != 0x09 }.map { $0 + 1 } ?? value.startIndex
            return values.contains { $0.elementsEqual(value[..<end]) }
        }
    }
}
