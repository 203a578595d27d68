/// The kinds of opentelemetry.proto.common.v1.AnyValue, by their field numbers.
enum ValueKind: UInt8, BitwiseCopyable {
    case empty = 0
    case string = 1
    case bool = 2
    case int = 3
    case double = 4
    case array = 5
    case kvlist = 6
    case bytes = 7
}

/// A value as it stands in a batch. Text, bytes and lists point into the batch and live as long as it is not changed.
enum AnyValue {
    case empty
    case string(UnsafeRawBufferPointer)
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case array(ArrayValue)
    case kvlist(KeyValueList)
    case bytes(UnsafeRawBufferPointer)
}

/// The encoded elements of an array, walked as they are asked for. The decoder has checked them.
struct ArrayValue: Sequence, IteratorProtocol {
    private var fields: FieldReader

    init(_ bytes: UnsafeRawBufferPointer) {
        fields = FieldReader(bytes)
    }

    /// Of what is left of the encoding.
    var byteCount: Int { fields.remaining }

    mutating func next() -> AnyValue? {
        while let field = fields.next() {
            if field.tag == Tag.arrayValues { return AnyValue(encoded: field.body) }
        }
        return nil
    }
}

/// The encoded pairs of a kvlist, walked as they are asked for. The decoder has checked them.
struct KeyValueList: Sequence, IteratorProtocol {
    private var fields: FieldReader

    init(_ bytes: UnsafeRawBufferPointer) {
        fields = FieldReader(bytes)
    }

    /// Of what is left of the encoding.
    var byteCount: Int { fields.remaining }

    mutating func next() -> (key: UnsafeRawBufferPointer, value: AnyValue)? {
        while let field = fields.next() {
            guard field.tag == Tag.kvlistValues else { continue }
            var key = UnsafeRawBufferPointer(start: nil, count: 0)
            var value = AnyValue.empty
            var pair = FieldReader(field.body)
            while let part = pair.next() {
                if part.tag == Tag.keyValueKey { key = part.body }
                if part.tag == Tag.keyValueValue { value = AnyValue(encoded: part.body) }
            }
            return (key, value)
        }
        return nil
    }
}

extension AnyValue {
    /// Reads an encoded AnyValue that the decoder has checked. The last member of the oneof holds.
    init(encoded bytes: UnsafeRawBufferPointer) {
        self = .empty
        var fields = FieldReader(bytes)
        while let field = fields.next() {
            switch field.tag {
            case Tag.stringValue: self = .string(field.body)
            case Tag.boolValue: self = .bool(field.number != 0)
            case Tag.intValue: self = .int(Int64(bitPattern: field.number))
            case Tag.doubleValue: self = .double(Double(bitPattern: field.number))
            case Tag.arrayValue: self = .array(ArrayValue(field.body))
            case Tag.kvlistValue: self = .kvlist(KeyValueList(field.body))
            case Tag.bytesValue: self = .bytes(field.body)
            default: continue
            }
        }
    }
}

/// A value that a processor brings along.
indirect enum NewValue: Sendable, Equatable {
    case string(String)
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case bytes([UInt8])
    case array([NewValue])
    case kvlist([NewPair])
}

struct NewPair: Sendable, Equatable {
    let key: String
    let value: NewValue
}
