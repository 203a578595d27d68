/// Writes rows in the binary format of PostgreSQL's COPY. The buffer is kept from one use to the next.
struct CopyEncoder: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0

    /// Microseconds from 1970 to 2000, where the server's time begins.
    private static let epoch: Int64 = 946_684_800_000_000
    /// What one row took is given back where it is more.
    private static let retained = 4 << 20

    init(capacity: Int = 512 << 10) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        base.deallocate()
    }

    /// Valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    mutating func reset() {
        if capacity > Self.retained {
            base.deallocate()
            capacity = Self.retained
            base = .allocate(byteCount: capacity, alignment: 16)
        }
        count = 0
    }

    /// The signature, no flags, no extension.
    mutating func begin() {
        reset()
        for byte in Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] { append(byte) }
        append(Int64(0))
    }

    mutating func end() {
        append(Int16(-1))
    }

    @inline(__always)
    mutating func row(fields: Int) {
        append(Int16(truncatingIfNeeded: fields))
    }

    @inline(__always)
    mutating func null() {
        append(Int32(-1))
    }

    /// For smallint, integer and bigint, by the type of the value.
    @inline(__always)
    mutating func integer<Number: FixedWidthInteger>(_ value: Number) {
        append(Int32(MemoryLayout<Number>.size))
        append(value)
    }

    @inline(__always)
    mutating func integer<Number: FixedWidthInteger>(_ value: Number?) {
        if let value { integer(value) } else { null() }
    }

    /// For double precision.
    @inline(__always)
    mutating func double(_ value: Double?) {
        integer(value?.bitPattern)
    }

    @inline(__always)
    mutating func bool(_ value: Bool) {
        integer(UInt8(value ? 1 : 0))
    }

    /// - Parameter microseconds: since 1970.
    @inline(__always)
    mutating func timestamp(_ microseconds: Int64) {
        integer(microseconds &- Self.epoch)
    }

    @inline(__always)
    mutating func uuid(_ high: UInt64, _ low: UInt64) {
        append(Int32(16))
        append(high)
        append(low)
    }

    /// For text and bytea; nil for NULL.
    @inline(__always)
    mutating func text(_ text: UnsafeRawBufferPointer?) {
        guard let text else { return null() }
        append(Int32(truncatingIfNeeded: text.count))
        append(text)
    }

    mutating func text(_ text: String) {
        var text = text
        text.withUTF8 { self.text(UnsafeRawBufferPointer($0)) }
    }

    /// Nil for NULL.
    @inline(__always)
    mutating func json(_ text: UnsafeRawBufferPointer?) {
        guard let text else { return null() }
        append(Int32(truncatingIfNeeded: text.count + 1))
        // jsonb_recv: the version of the format, and the text.
        append(UInt8(1))
        append(text)
    }

    mutating func json(_ text: String) {
        var text = text
        text.withUTF8 { self.json(UnsafeRawBufferPointer($0)) }
    }

    /// For numeric with 12 decimals.
    /// - Parameter pico: in units of the last decimal; nil for NULL.
    mutating func numeric(pico: Int64?) {
        guard let pico else { return null() }
        // numeric_recv: digits to the base of 10,000, of which three stand behind the point.
        var digits: [Int16] = []
        var rest = pico.magnitude
        while rest > 0 {
            digits.append(Int16(rest % 10_000))
            rest /= 10_000
        }
        let weight = digits.count - 4
        let significant = digits.drop { $0 == 0 }.reversed()
        append(Int32(8 + 2 * significant.count))
        append(Int16(significant.count))
        append(Int16(significant.isEmpty ? 0 : weight))
        append(UInt16(pico < 0 ? 0x4000 : 0))
        append(Int16(12))
        for digit in significant { append(digit) }
    }
}

extension CopyEncoder {
    @inline(__always)
    private mutating func append<Number: FixedWidthInteger>(_ value: Number) {
        reserve(MemoryLayout<Number>.size)
        (base + count).storeBytes(of: value.bigEndian, as: Number.self)
        count += MemoryLayout<Number>.size
    }

    @inline(__always)
    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    @inline(__always)
    private mutating func reserve(_ wanted: Int) {
        if capacity - count < wanted { grow(wanted) }
    }

    @inline(never)
    private mutating func grow(_ wanted: Int) {
        let larger = max(capacity * 2, count + wanted)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        moved.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = moved
        capacity = larger
    }
}
