/// Adds spans up by minute and operation. The texts of its keys stand where the spans do, so that most spans cost no
/// String; they hold as long as that is not changed.
struct Rollups {
    struct Key: Hashable {
        /// Since 1970.
        let minute: Int64
        let tenantID: Int32
        let operation: OperationKind
        let kind: UInt8
        let service: Text
        let name: Text
        /// Empty where the span is no call of a model.
        let model: Text

        /// By its bytes.
        struct Text: Hashable {
            let bytes: UnsafeRawBufferPointer

            init(_ bytes: UnsafeRawBufferPointer?) {
                self.bytes = bytes ?? UnsafeRawBufferPointer(start: nil, count: 0)
            }

            var string: String { String(decoding: bytes, as: UTF8.self) }

            static func == (left: Text, right: Text) -> Bool { left.bytes.elementsEqual(right.bytes) }

            func hash(into hasher: inout Hasher) {
                hasher.combine(bytes: bytes)
                hasher.combine(bytes.count)
            }
        }
    }

    /// What a call of a model adds.
    struct Call {
        let inputTokens: Int64?
        let outputTokens: Int64?
        /// In 10⁻¹² USD; nil is unknown.
        let cost: Int64?
    }

    private(set) var rows: [Key: RollupRow] = [:]

    mutating func removeAll() {
        rows.removeAll(keepingCapacity: true)
    }

    /// - Parameters:
    ///   - duration: in nanoseconds; less than 0 counts as 0.
    ///   - call: nil where the span is no call of a model.
    mutating func add(_ key: Key, duration: Int64?, isError: Bool, _ call: Call?) {
        rows[key, default: RollupRow()].add(duration: max(0, duration ?? 0), isError: isError, call)
    }

    /// What was added, with Strings.
    var owned: [RollupRow.Key: RollupRow] {
        var owned: [RollupRow.Key: RollupRow] = [:]
        for (key, row) in rows {
            let key = RollupRow.Key(
                minute: key.minute, tenantID: key.tenantID, operation: key.operation, kind: key.kind,
                service: key.service.string, name: key.name.string, model: key.model.string)
            // Texts that are not valid UTF-8 may become one.
            owned[key, default: RollupRow()].merge(row)
        }
        return owned
    }
}

extension RollupRow {
    fileprivate mutating func add(duration: Int64, isError: Bool, _ call: Rollups.Call?) {
        spans += 1
        if isError { errors += 1 }
        self.duration.add(duration)
        durations.add(UInt64(duration))
        guard let call else { return }
        inputTokens.add(call.inputTokens ?? 0)
        outputTokens.add(call.outputTokens ?? 0)
        if let cost = call.cost { totalCost.add(cost) } else { unpriced += 1 }
    }

    func merged(_ other: RollupRow) -> RollupRow {
        var sum = self
        sum.merge(other)
        return sum
    }

    mutating func merge(_ other: RollupRow) {
        spans.add(other.spans)
        errors.add(other.errors)
        duration.add(other.duration)
        durations.merge(other.durations)
        inputTokens.add(other.inputTokens)
        outputTokens.add(other.outputTokens)
        totalCost.add(other.totalCost)
        unpriced.add(other.unpriced)
    }
}

extension Int64 {
    /// Stays at the most that it can hold.
    fileprivate mutating func add(_ other: Int64) {
        let (sum, overflow) = addingReportingOverflow(other)
        self = overflow ? .max : sum
    }
}
