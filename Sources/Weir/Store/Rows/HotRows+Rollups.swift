extension HotRows {
    /// A key of the rollups whose texts still stand in the rows, so that most spans cost no String.
    private struct Key: Hashable {
        let minute: Int64
        let tenantID: Int32
        let operation: OperationKind
        let kind: UInt8
        let service: Text
        let name: Text
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

    /// What these spans, given by their indices in ascending order, add to the rollups.
    func rollups(of indices: some Sequence<Int>) -> [RollupRow.Key: RollupRow] {
        var rows: [Key: RollupRow] = [:]
        var call = 0
        for index in indices {
            while call < usage.count, usage[call].span < index { call += 1 }
            let usage = call < usage.count && usage[call].span == index ? usage[call] : nil
            let span = spans[index]
            let key = Key(
                minute: span.clampedStart / 60_000_000, tenantID: span.tenantID, operation: span.operation,
                kind: span.kind, service: Key.Text(bytes(span.service)), name: Key.Text(bytes(span.name)),
                model: Key.Text(usage.flatMap { bytes($0.model) }))
            rows[key, default: RollupRow()].add(span, usage)
        }
        var result: [RollupRow.Key: RollupRow] = [:]
        for (key, row) in rows {
            let key = RollupRow.Key(
                minute: key.minute, tenantID: key.tenantID, operation: key.operation, kind: key.kind,
                service: key.service.string, name: key.name.string, model: key.model.string)
            result[key] = row
        }
        return result
    }
}

extension RollupRow {
    fileprivate mutating func add(_ span: SpanRow, _ usage: UsageRow?) {
        let duration = max(0, span.duration ?? 0)
        spans += 1
        if span.status == 2 { errors += 1 }
        self.duration.add(duration)
        durations.add(UInt64(duration))
        guard let usage else { return }
        inputTokens.add(usage.inputTokens ?? 0)
        outputTokens.add(usage.outputTokens ?? 0)
        if let cost = usage.totalCost { totalCost.add(cost) } else { unpriced += 1 }
    }
}

extension Int64 {
    /// Stays at the most that it can hold.
    fileprivate mutating func add(_ other: Int64) {
        let (sum, overflow) = addingReportingOverflow(other)
        self = overflow ? .max : sum
    }
}
