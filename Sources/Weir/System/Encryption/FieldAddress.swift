/// Where in a batch an encrypted value stands. Its ciphertext opens nowhere else: all of this is additional data.
struct FieldAddress: ~Copyable {
    enum Place: UInt8, Sendable {
        case attribute = 0
        case event = 1
        case link = 2
        case name = 3
        case status = 4
        case resource = 5
        case scope = 6

        /// Resources and scopes are shared by spans, so they are bound to their tenant only.
        var isOfSpan: Bool { self != .resource && self != .scope }
    }

    /// Where the value stands among those of its place.
    struct Path {
        /// Of the attribute, or nothing.
        let key: UnsafeRawBufferPointer
        /// Of what stands inside of the attribute's value, as RFC 6901 writes it; empty for the whole value.
        var pointer: [UInt8] = []

        /// What has no key.
        static var none: Path { Path(key: UnsafeRawBufferPointer(start: nil, count: 0)) }
    }

    static let magic: StaticString = "weir1"
    /// Behind the header of the envelope.
    private static var placeOffset: Int { magic.utf8CodeUnitCount + Envelope.headerSize }

    private var bytes = RecordBuffer<UInt8>(capacity: 512, limit: 1 << 31)
    /// Whose values the beginning is about, which is the same for most.
    private var tenant: String?
    private var tenantEnd = 0
    /// Where the path begins.
    private var headerEnd = 0

    /// Begins an address: everything in front of the path.
    mutating func begin(
        _ place: Place, tenant: String, traceIDHigh: UInt64 = 0, traceIDLow: UInt64 = 0, spanID: UInt64 = 0
    ) {
        if tenant != self.tenant { begin(tenant) }
        bytes.count = tenantEnd
        bytes[Self.placeOffset] = place.rawValue
        if place.isOfSpan { append((traceIDHigh.bigEndian, traceIDLow.bigEndian, spanID.bigEndian)) }
        headerEnd = bytes.count
    }

    private mutating func begin(_ tenant: String) {
        self.tenant = tenant
        bytes.count = 0
        bytes.append(Self.magic.utf8Start, count: Self.magic.utf8CodeUnitCount)
        for _ in Self.magic.utf8CodeUnitCount...Self.placeOffset { bytes.append(0) }
        var tenant = tenant
        tenant.withUTF8 { append(UnsafeRawBufferPointer($0)) }
        tenantEnd = bytes.count
    }

    /// The whole address, which holds until the next call.
    /// - Parameter header: of the envelope, ``Envelope/headerSize`` bytes.
    @inline(__always)
    mutating func finish(_ path: Path, header: UnsafePointer<UInt8>) -> UnsafeRawBufferPointer {
        bytes.count = headerEnd
        append(path.key)
        if !path.pointer.isEmpty { path.pointer.withUnsafeBytes { append($0) } }
        (bytes.base + Self.magic.utf8CodeUnitCount).update(from: header, count: Envelope.headerSize)
        return UnsafeRawBufferPointer(start: bytes.base, count: bytes.count)
    }

    private mutating func append(_ text: UnsafeRawBufferPointer) {
        append(UInt32(truncatingIfNeeded: text.count).bigEndian)
        guard let start = text.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
        bytes.append(start, count: text.count)
    }

    private mutating func append<Number: BitwiseCopyable>(_ number: Number) {
        withUnsafeBytes(of: number) { number in
            guard let start = number.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
            bytes.append(start, count: number.count)
        }
    }
}
