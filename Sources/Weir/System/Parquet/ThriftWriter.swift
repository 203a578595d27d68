/// Writes the messages around Parquet's data in Thrift's compact protocol (thrift-compact-protocol.md).
struct ThriftWriter {
    private enum Kind: UInt8 {
        case yes = 1
        case no = 2
        case int32 = 5
        case int64 = 6
        case binary = 8
        case list = 9
        case message = 12
    }

    private(set) var bytes: [UInt8] = []
    /// Of the message that is being written: a field says how far it is from the one in front.
    private var last = 0

    /// A message of its own, outside of any field.
    init(_ body: (inout ThriftWriter) -> Void) {
        group(body)
    }

    mutating func int32(_ field: Int, _ value: Int) {
        begin(field, .int32)
        zigzag(value)
    }

    mutating func int64(_ field: Int, _ value: Int) {
        begin(field, .int64)
        zigzag(value)
    }

    mutating func flag(_ field: Int, _ value: Bool) {
        begin(field, value ? .yes : .no)
    }

    mutating func binary(_ field: Int, _ value: some Collection<UInt8>) {
        begin(field, .binary)
        binary(value)
    }

    mutating func text(_ field: Int, _ value: String) {
        binary(field, value.utf8)
    }

    /// A message in this field.
    mutating func message(_ field: Int, _ body: (inout ThriftWriter) -> Void = { _ in }) {
        begin(field, .message)
        group(body)
    }

    mutating func messages<Element>(
        _ field: Int, _ elements: some Collection<Element>, _ body: (inout ThriftWriter, Element) -> Void
    ) {
        list(field, .message, elements.count)
        for element in elements { group { body(&$0, element) } }
    }

    mutating func int32s(_ field: Int, _ values: [Int]) {
        list(field, .int32, values.count)
        for value in values { zigzag(value) }
    }

    mutating func texts(_ field: Int, _ values: [String]) {
        list(field, .binary, values.count)
        for value in values { binary(value.utf8) }
    }
}

extension ThriftWriter {
    private mutating func begin(_ field: Int, _ kind: Kind) {
        let distance = field - last
        last = field
        if (1...15).contains(distance) {
            bytes.append(UInt8(distance) << 4 | kind.rawValue)
        } else {
            bytes.append(kind.rawValue)
            zigzag(field)
        }
    }

    private mutating func list(_ field: Int, _ kind: Kind, _ count: Int) {
        begin(field, .list)
        if count < 15 {
            bytes.append(UInt8(count) << 4 | kind.rawValue)
        } else {
            bytes.append(0xF0 | kind.rawValue)
            varint(UInt64(count))
        }
    }

    private mutating func group(_ body: (inout ThriftWriter) -> Void) {
        let outer = last
        last = 0
        body(&self)
        bytes.append(0)
        last = outer
    }

    private mutating func binary(_ value: some Collection<UInt8>) {
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    private mutating func zigzag(_ value: Int) {
        varint(UInt64(bitPattern: Int64(value << 1 ^ value >> 63)))
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}
