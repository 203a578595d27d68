/// Writes protobuf from the last byte to the first.
///
/// A message stands behind its length. Written backwards, the length is known when it is due, so nothing is measured
/// first or moved afterwards.
struct ReverseWriter: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// Where the first byte written stands. Bytes from here to the end are the result.
    private var start: Int
    private let limit: Int
    /// Whether something was not written because the limit was reached. What was written is then of no use.
    private(set) var isOverfull = false

    /// Offsets into what is written have 31 bits.
    static let maxLimit = 1 << 30

    /// - Parameter limit: bytes that may be written, at most ``maxLimit``.
    init(capacity: Int, limit: Int = maxLimit) {
        self.capacity = max(64, capacity)
        self.limit = min(limit, Self.maxLimit)
        start = self.capacity
        base = Self.room(self.capacity)
    }

    /// With what a payload has behind its last byte, so that it can become one.
    private static func room(_ capacity: Int) -> UnsafeMutablePointer<UInt8> {
        .allocate(capacity: capacity + Payload.slack)
    }

    deinit {
        base.deallocate()
    }

    var count: Int { capacity - start }

    /// Valid until the next write.
    var written: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + start, count: count)
    }

    /// Forgets what was written, and gives back memory that one large message had made it take.
    mutating func reset(keeping bytes: Int = .max) {
        if capacity > bytes { replace(by: bytes) }
        start = capacity
        isOverfull = false
    }

    /// Forgets what was written, and makes room for about as many bytes as are to come, so that ``take()`` need not
    /// copy them.
    mutating func begin(expecting bytes: Int) {
        if capacity < bytes || capacity / 2 > bytes { replace(by: min(bytes, limit)) }
        reset()
    }

    private mutating func replace(by capacity: Int) {
        base.deallocate()
        self.capacity = max(64, capacity)
        base = Self.room(self.capacity)
    }

    /// Hands over what was written, where it lies. Where the room is more than twice the bytes, they are copied, as by
    /// ``PayloadBuilder/finish()``: a payload may wait in a journal.
    mutating func take() -> Payload {
        guard capacity <= count * 2 else { return Payload.copying(written) }
        (base + capacity).update(repeating: 0, count: Payload.slack)
        let payload = Payload(Payload(taking: base, count: capacity), from: start)
        capacity = 64
        base = Self.room(capacity)
        reset()
        return payload
    }

    /// Forgets what was written after `count` was this.
    mutating func truncate(to count: Int) {
        start = capacity - count
    }

    @inline(__always)
    mutating func reserve(_ wanted: Int) {
        if start < wanted { grow(wanted) }
    }

    @inline(never)
    private mutating func grow(_ wanted: Int) {
        guard count + wanted <= limit else {
            isOverfull = true
            start = capacity
            return
        }
        let larger = min(limit, max(capacity * 2, count + wanted))
        let moved = Self.room(larger)
        (moved + (larger - count)).update(from: base + start, count: count)
        base.deallocate()
        start = larger - count
        base = moved
        capacity = larger
    }

    @inline(__always)
    mutating func bytes(_ source: UnsafeRawBufferPointer) {
        guard let address = source.baseAddress else { return }
        reserve(source.count)
        // Only an overfull writer has too little room now. For all that is shorter it always has enough.
        guard start >= source.count else { return }
        start -= source.count
        UnsafeMutableRawPointer(base + start).copyMemory(from: address, byteCount: source.count)
    }

    @inline(__always)
    mutating func byte(_ value: UInt8) {
        reserve(1)
        start -= 1
        base[start] = value
    }

    @inline(__always)
    mutating func varint(_ value: UInt64) {
        if value < 0x80 { byte(UInt8(truncatingIfNeeded: value)) } else { longVarint(value) }
    }

    private mutating func longVarint(_ value: UInt64) {
        let length = (70 - value.leadingZeroBitCount) / 7
        reserve(length)
        start -= length
        var rest = value
        for index in 0..<length - 1 {
            base[start + index] = UInt8(truncatingIfNeeded: rest) | 0x80
            rest >>= 7
        }
        base[start + length - 1] = UInt8(truncatingIfNeeded: rest)
    }

    @inline(__always)
    mutating func fixed64(_ tag: UInt64, _ value: UInt64) {
        reserve(8)
        start -= 8
        UnsafeMutableRawPointer(base + start).storeBytes(of: value.littleEndian, as: UInt64.self)
        varint(tag)
    }

    mutating func fixed32(_ tag: UInt64, _ value: UInt32) {
        reserve(4)
        start -= 4
        UnsafeMutableRawPointer(base + start).storeBytes(of: value.littleEndian, as: UInt32.self)
        varint(tag)
    }

    @inline(__always)
    mutating func number(_ tag: UInt64, _ value: UInt64) {
        varint(value)
        varint(tag)
    }

    /// A field with these bytes.
    @inline(__always)
    mutating func field(_ tag: UInt64, _ source: UnsafeRawBufferPointer) {
        bytes(source)
        close(tag, source.count)
    }

    /// The header of a field whose `length` bytes are written already.
    @inline(__always)
    mutating func close(_ tag: UInt64, _ length: Int) {
        varint(UInt64(truncatingIfNeeded: length))
        varint(tag)
    }

    mutating func identifier(_ tag: UInt64, high: UInt64, low: UInt64) {
        reserve(16)
        start -= 16
        UnsafeMutableRawPointer(base + start).storeBytes(of: high.bigEndian, as: UInt64.self)
        UnsafeMutableRawPointer(base + start + 8).storeBytes(of: low.bigEndian, as: UInt64.self)
        close(tag, 16)
    }

    mutating func identifier(_ tag: UInt64, _ value: UInt64) {
        reserve(8)
        start -= 8
        UnsafeMutableRawPointer(base + start).storeBytes(of: value.bigEndian, as: UInt64.self)
        close(tag, 8)
    }
}

// MARK: - Values

extension ReverseWriter {
    /// The member of an AnyValue that a record stands for.
    @inline(__always)
    mutating func value(_ kind: ValueKind, _ bits: UInt64, _ bytes: @autoclosure () -> UnsafeRawBufferPointer) {
        switch kind {
        case .empty: break
        case .string: field(Tag.stringValue, bytes())
        case .bool: number(Tag.boolValue, bits)
        case .int: number(Tag.intValue, bits)
        case .double: fixed64(Tag.doubleValue, bits)
        case .array: field(Tag.arrayValue, bytes())
        case .kvlist: field(Tag.kvlistValue, bytes())
        case .bytes: field(Tag.bytesValue, bytes())
        }
    }

    mutating func writeArray(_ values: [NewValue]) {
        for value in values.reversed() {
            let end = count
            write(value)
            close(Tag.arrayValues, count - end)
        }
    }

    mutating func writeList(_ pairs: [NewPair]) {
        for pair in pairs.reversed() {
            let end = count
            write(pair.value)
            close(Tag.keyValueValue, count - end)
            text(Tag.keyValueKey, pair.key)
            close(Tag.kvlistValues, count - end)
        }
    }

    private mutating func write(_ value: NewValue) {
        let end = count
        switch value {
        case .string(let string): text(Tag.stringValue, string)
        case .bool(let flag): number(Tag.boolValue, flag ? 1 : 0)
        case .int(let integer): number(Tag.intValue, UInt64(bitPattern: integer))
        case .double(let double): fixed64(Tag.doubleValue, double.bitPattern)
        case .bytes(let array): array.withUnsafeBytes { field(Tag.bytesValue, $0) }
        case .array(let values):
            writeArray(values)
            close(Tag.arrayValue, count - end)
        case .kvlist(let pairs):
            writeList(pairs)
            close(Tag.kvlistValue, count - end)
        }
    }

    private mutating func text(_ tag: UInt64, _ string: String) {
        var string = string
        string.withUTF8 { field(tag, UnsafeRawBufferPointer($0)) }
    }
}
