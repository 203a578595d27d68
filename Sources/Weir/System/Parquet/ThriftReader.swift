/// Reads messages in Thrift's compact protocol, as ``ThriftWriter`` and other writers of Parquet make them.
struct ThriftReader {
    /// A value, whatever the reader makes of it.
    indirect enum Value {
        case number(Int64)
        case flag(Bool)
        case binary([UInt8])
        case list([Value])
        case message([Int: Value])
        /// Eight bytes, which no message of Parquet has that matters here.
        case other

        subscript(field: Int) -> Value? {
            guard case .message(let fields) = self else { return nil }
            return fields[field]
        }

        var int: Int? {
            guard case .number(let number) = self else { return nil }
            return Int(number)
        }

        var text: String? {
            guard case .binary(let bytes) = self else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        }

        var elements: [Value] {
            guard case .list(let elements) = self else { return [] }
            return elements
        }
    }

    private static let maxDepth = 16

    private let bytes: UnsafeRawBufferPointer
    /// Behind what was read.
    private(set) var position = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The next message; nil where the bytes are none.
    mutating func message(depth: Int = 0) -> Value? {
        guard depth < Self.maxDepth else { return nil }
        var fields: [Int: Value] = [:]
        var last = 0
        while let head = byte() {
            if head == 0 { return .message(fields) }
            if head >> 4 == 0 {
                guard let field = zigzag(), (1...32_767).contains(field) else { return nil }
                last = Int(field)
            } else {
                last += Int(head >> 4)
            }
            guard let value = value(head & 15, depth, inList: false) else { return nil }
            fields[last] = value
        }
        return nil
    }

    private mutating func value(_ kind: UInt8, _ depth: Int, inList: Bool) -> Value? {
        switch kind {
        case 1, 2:
            // In a list a flag is a byte of its own.
            guard inList else { return .flag(kind == 1) }
            return byte().map { .flag($0 == 1) }
        case 3: return byte().map { .number(Int64(Int8(bitPattern: $0))) }
        case 4, 5, 6: return zigzag().map { .number($0) }
        case 7: return take(8).map { _ in .other }
        case 8:
            guard let count = varint(), let binary = take(Int(clamping: count)) else { return nil }
            return .binary(Array(binary))
        case 9, 10: return list(depth)
        case 12: return message(depth: depth + 1)
        default: return nil
        }
    }

    private mutating func list(_ depth: Int) -> Value? {
        guard depth < Self.maxDepth, let head = byte() else { return nil }
        var count = Int(head >> 4)
        if count == 15 {
            guard let long = varint() else { return nil }
            count = Int(clamping: long)
        }
        // Each element has a byte at least.
        guard count <= bytes.count - position else { return nil }
        var elements: [Value] = []
        elements.reserveCapacity(count)
        for _ in 0..<count {
            guard let element = value(head & 15, depth + 1, inList: true) else { return nil }
            elements.append(element)
        }
        return .list(elements)
    }

    private mutating func byte() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= bytes.count - position else { return nil }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = byte() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    private mutating func zigzag() -> Int64? {
        varint().map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
    }
}
