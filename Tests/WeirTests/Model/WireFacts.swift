import COTLP

/// What can be said of an encoded message without reading it for its meaning: a walk along protobuf-c's own
/// descriptors.
///
/// It predicts what the decoder turns away. Where protobuf-c is a fair judge (``isFairToProtobufC``), it agrees with
/// this walk on what is broken.
struct WireFacts {
    /// A field breaks off, or is a group, or has a number that is not allowed.
    private(set) var isBroken = false
    /// A known field has another wire type than its own. To protobuf it is then unknown; protobuf-c refuses the
    /// message.
    private(set) var hasForeignWireType = false
    /// A tag or a length takes more than five bytes, which protobuf-c refuses; or field 0 is spelled long, or a tag has
    /// more than 32 bits, which protobuf-c takes.
    private(set) var hasLongHeader = false
    private(set) var hasInvalidText = false
    /// A status, the value of an attribute, or a list inside a value stands twice.
    private(set) var hasRepeatedMessage = false
    private(set) var hasInvalidID = false
    /// Of arrays and kvlists in one another.
    private(set) var depth = 0

    var isFairToProtobufC: Bool { !hasForeignWireType && !hasLongHeader }

    /// Of a Span.
    static func span(_ bytes: [UInt8]) -> WireFacts {
        var facts = WireFacts()
        facts.walk(bytes[...], opentelemetry__proto__trace__v1__span__descriptor, 0)
        return facts
    }

    /// Of an ExportTraceServiceRequest.
    static func request(_ bytes: [UInt8]) -> WireFacts {
        var facts = WireFacts()
        facts.walk(
            bytes[...], opentelemetry__proto__collector__trace__v1__export_trace_service_request__descriptor, 0)
        return facts
    }

    private struct Field {
        let number: UInt64
        let wireType: UInt64
        let body: ArraySlice<UInt8>
    }

    private mutating func walk(_ bytes: ArraySlice<UInt8>, _ descriptor: ProtobufCMessageDescriptor, _ depth: Int) {
        let name = String(cString: descriptor.short_name)
        var rest = bytes
        var ids: [UInt64: ArraySlice<UInt8>] = [:]
        var seen: UInt64 = 0
        while !rest.isEmpty {
            guard let field = takeField(&rest) else {
                isBroken = true
                return
            }
            guard let known = knownField(field.number, of: descriptor) else { continue }
            guard field.wireType == wireType(of: known.type) else {
                hasForeignWireType = true
                continue
            }
            if name == "Span" || name == "Link" { check(id: field, of: name, &ids) }
            checkRepetition(field.number, in: name, &seen)
            switch known.type {
            case PROTOBUF_C_TYPE_STRING:
                if String(validating: field.body, as: UTF8.self) == nil { hasInvalidText = true }
            case PROTOBUF_C_TYPE_MESSAGE:
                let isList = name == "AnyValue"
                self.depth = max(self.depth, isList ? depth + 1 : depth)
                guard let inner = known.descriptor?.assumingMemoryBound(to: ProtobufCMessageDescriptor.self) else {
                    continue
                }
                walk(field.body, inner.pointee, isList ? depth + 1 : depth)
            default: continue
            }
        }
        guard name == "Span" else { return }
        if ids[1].map({ $0.allSatisfy { $0 == 0 } }) ?? true { hasInvalidID = true }
        if ids[2].map({ $0.allSatisfy { $0 == 0 } }) ?? true { hasInvalidID = true }
    }

    /// Every occurrence must have the right length, not just the last.
    private mutating func check(id field: Field, of name: String, _ ids: inout [UInt64: ArraySlice<UInt8>]) {
        let mayBeEmpty = name == "Link" || field.number == 4
        let wanted = field.number == 1 ? 16 : 8
        guard field.number <= 2 || name == "Span" && field.number == 4 else { return }
        if field.body.count != wanted, !(mayBeEmpty && field.body.isEmpty) { hasInvalidID = true }
        ids[field.number] = field.body
    }

    private mutating func checkRepetition(_ number: UInt64, in name: String, _ seen: inout UInt64) {
        switch (name, number) {
        case ("Span", 15), ("KeyValue", 2):
            if seen == number { hasRepeatedMessage = true }
            seen = number
        case ("AnyValue", 5), ("AnyValue", 6):
            if seen == number { hasRepeatedMessage = true }
            seen = number
        // The index of a profile's string table, 8, is a member that Weir does not know.
        case ("AnyValue", 1...7): seen = number
        default: return
        }
    }

    private func wireType(of type: ProtobufCType) -> UInt64 {
        switch type {
        case PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_DOUBLE: 1
        case PROTOBUF_C_TYPE_STRING, PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_MESSAGE: 2
        case PROTOBUF_C_TYPE_FIXED32: 5
        default: 0
        }
    }

    private mutating func takeField(_ rest: inout ArraySlice<UInt8>) -> Field? {
        guard let (tag, tagLength) = takeVarint(&rest) else { return nil }
        if tagLength > 5 || tag >> 32 != 0 { hasLongHeader = true }
        guard tag >> 32 == 0 else { return nil }
        if tag >> 3 == 0 {
            if tagLength > 1 { hasLongHeader = true }
            return nil
        }
        var count = 0
        switch tag & 7 {
        case 0:
            let start = rest
            guard let (_, length) = takeVarint(&rest) else { return nil }
            return Field(number: tag >> 3, wireType: 0, body: start.prefix(length))
        case 1: count = 8
        case 2:
            guard let (length, lengthLength) = takeVarint(&rest) else { return nil }
            if lengthLength > 5 { hasLongHeader = true }
            guard length <= UInt64(rest.count) else { return nil }
            count = Int(length)
        case 5: count = 4
        default: return nil
        }
        guard rest.count >= count else { return nil }
        let body = rest.prefix(count)
        rest = rest.dropFirst(count)
        return Field(number: tag >> 3, wireType: tag & 7, body: body)
    }

    private func takeVarint(_ rest: inout ArraySlice<UInt8>) -> (value: UInt64, length: Int)? {
        var value: UInt64 = 0
        for (index, byte) in rest.prefix(10).enumerated() {
            value |= UInt64(byte & 0x7F) << UInt64(7 * index)
            guard byte < 0x80 else { continue }
            rest = rest.dropFirst(index + 1)
            return (value, index + 1)
        }
        return nil
    }
}

private func knownField(
    _ number: UInt64, of descriptor: ProtobufCMessageDescriptor
) -> ProtobufCFieldDescriptor? {
    guard let number = UInt32(exactly: number) else { return nil }
    return withUnsafePointer(to: descriptor) { protobuf_c_message_descriptor_get_field($0, number)?.pointee }
}
