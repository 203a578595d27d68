@testable import Weir

/// A protobuf message, built field by field with the tags of ``Tag``.
struct Message {
    private(set) var bytes: [UInt8] = []

    init(_ build: (inout Message) -> Void = { _ in }) {
        build(&self)
    }

    var payload: Payload { bytes.withUnsafeBytes { Payload.copying($0) } }

    mutating func text(_ tag: UInt64, _ text: String) {
        data(tag, Array(text.utf8))
    }

    mutating func message(_ tag: UInt64, _ build: (inout Message) -> Void) {
        data(tag, Message(build).bytes)
    }

    mutating func data(_ tag: UInt64, _ data: [UInt8]) {
        varint(tag)
        varint(UInt64(data.count))
        bytes += data
    }

    mutating func number(_ tag: UInt64, _ number: UInt64) {
        varint(tag)
        varint(number)
    }

    mutating func fixed64(_ tag: UInt64, _ number: UInt64) {
        varint(tag)
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }

    mutating func fixed32(_ tag: UInt64, _ number: UInt32) {
        varint(tag)
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }

    mutating func identifier(_ tag: UInt64, _ numbers: UInt64...) {
        data(tag, numbers.flatMap { withUnsafeBytes(of: $0.bigEndian) { Array($0) } })
    }

    mutating func attribute(_ tag: UInt64, _ key: String, _ value: (inout Message) -> Void) {
        message(tag) {
            $0.text(Tag.keyValueKey, key)
            $0.message(Tag.keyValueValue, value)
        }
    }

    private mutating func varint(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F | 0x80))
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
