/// Adds spans up by minute and operation. The texts of its keys stand where the spans do, so that most spans cost no
/// String; they hold as long as that is not changed.
struct Rollups {
    struct Key {
        /// Since 1970.
        let minute: Int64
        let tenantID: Int32
        let operation: OperationKind
        let kind: UInt8
        let service: Text
        let name: Text
        /// Empty where the span is no call of a model.
        let model: Text

        /// By its bytes. Many keys have the same service, so a text is hashed once.
        struct Text {
            let bytes: UnsafeRawBufferPointer
            fileprivate let hash: UInt64

            init(_ bytes: UnsafeRawBufferPointer?) {
                self.bytes = bytes ?? UnsafeRawBufferPointer(start: nil, count: 0)
                hash = Rollups.hash(of: self.bytes)
            }

            var string: String { String(decoding: bytes, as: UTF8.self) }
        }
    }

    /// What a call of a model adds.
    struct Call {
        let inputTokens: Int64?
        let outputTokens: Int64?
        /// In 10⁻¹² USD; nil is unknown.
        let cost: Int64?
    }

    /// What was added. A key may have several rows, which are right together.
    var rows: ArraySlice<(key: Key, row: RollupRow)> { all[..<count] }

    /// Those that get rows; nil where all do.
    var known: KnownOperations?

    /// Rows that are looked at for that of a key, so that nobody's choice of names makes it slow.
    private static let maximumProbes = 16
    /// Rows that are kept for what comes next.
    private static let retained = 1_024
    /// What nobody outside of the process knows.
    fileprivate static let secret = (UInt64.random(in: .min ... .max) | 1, UInt64.random(in: .min ... .max) | 1)

    private var all: [(key: Key, row: RollupRow)] = []
    private var count = 0
    /// Indices of rows by the hashes of their keys, beside which there is as much room again; -1 is none.
    private var table = [Int32](repeating: -1, count: 64)

    mutating func removeAll() {
        if count > Self.retained {
            all = []
            table = [Int32](repeating: -1, count: 64)
        } else {
            for index in table.indices { table[index] = -1 }
        }
        count = 0
    }

    /// - Parameters:
    ///   - duration: in nanoseconds; less than 0 counts as 0.
    ///   - call: nil where the span is no call of a model.
    mutating func add(_ key: Key, duration: Int64?, isError: Bool, _ call: Call?) {
        let index = index(of: key)
        all[index].row.add(duration: max(0, duration ?? 0), isError: isError, call)
    }

    private mutating func index(of key: Key) -> Int {
        var place = place(of: key)
        for _ in 0..<Self.maximumProbes {
            let index = Int(table[place])
            if index < 0 {
                guard known?.admits(key) ?? true else { return self.index(of: key.other) }
                table[place] = Int32(count)
                return append(key)
            }
            if all[index].key == key { return index }
            place = (place + 1) & (table.count - 1)
        }
        guard known?.admits(key) ?? true else { return self.index(of: key.other) }
        return append(key)
    }

    private func place(of key: Key) -> Int {
        Int(truncatingIfNeeded: key.hash) & (table.count - 1)
    }

    private mutating func append(_ key: Key) -> Int {
        if count < all.count {
            all[count].key = key
            all[count].row.removeAll()
        } else {
            all.append((key, RollupRow()))
        }
        count += 1
        if count * 2 > table.count { enlarge() }
        return count - 1
    }

    private mutating func enlarge() {
        table = [Int32](repeating: -1, count: table.count * 2)
        for index in 0..<count {
            var place = place(of: all[index].key)
            for _ in 0..<Self.maximumProbes {
                guard table[place] >= 0 else {
                    table[place] = Int32(index)
                    break
                }
                place = (place + 1) & (table.count - 1)
            }
        }
    }

    /// Each word is folded into what came before by a product of 128 bits, which the secret makes another in each
    /// process.
    fileprivate static func hash(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        let secret = secret
        var hash = UInt64(bytes.count)
        var position = 0
        while position + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            hash = fold(hash ^ secret.0, word ^ secret.1)
            position += 8
        }
        var last: UInt64 = 0
        while position < bytes.count {
            last = last << 8 | UInt64(bytes[position])
            position += 1
        }
        return fold(hash ^ secret.0, last ^ secret.1)
    }

    @inline(__always)
    fileprivate static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let (high, low) = left.multipliedFullWidth(by: right)
        return high ^ low
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

extension Rollups.Key: Equatable {
    static func == (left: Self, right: Self) -> Bool {
        left.minute == right.minute && left.name.hash == right.name.hash && left.operation == right.operation
            && left.kind == right.kind && left.tenantID == right.tenantID
            && AttributeKey.areEqual(left.name.bytes, right.name.bytes)
            && AttributeKey.areEqual(left.service.bytes, right.service.bytes)
            && AttributeKey.areEqual(left.model.bytes, right.model.bytes)
    }

    /// Another one in each process.
    var hash: UInt64 {
        let secret = Rollups.secret
        let numbers =
            UInt64(bitPattern: minute) << 24 ^ UInt64(kind) << 16 ^ UInt64(bitPattern: Int64(operation.rawValue))
        return Rollups.fold(
            numbers ^ name.hash ^ secret.0,
            service.hash ^ UInt64(bitPattern: Int64(tenantID)) ^ model.hash &* 3 ^ secret.1)
    }
}

extension RollupRow {
    fileprivate mutating func removeAll() {
        (spans, errors, duration, inputTokens, outputTokens, totalCost, unpriced) = (0, 0, 0, 0, 0, 0, 0)
        durations.removeAll()
    }

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
