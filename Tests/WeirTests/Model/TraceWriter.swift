/// Writes a ``Trace`` as protobuf, plainly or in one of the many other ways that mean the same.
struct TraceWriter {
    /// What is done to the plain encoding: nothing unless there is a source of randomness.
    struct Style {
        /// Fields stand in any order; those of one number keep theirs.
        var shufflesFields = false
        /// Tags, lengths and numbers take more bytes than they need.
        var padsVarints = false
        /// A scalar is preceded by another value of the same field, which the last one overrides.
        var repeatsScalars = false
        /// Resource and InstrumentationScope stand in two parts, to be merged.
        var splitsMessages = false

        static let plain = Style()
        static let wild = Style(shufflesFields: true, padsVarints: true, repeatsScalars: true)
    }

    private struct EncodedField {
        let number: UInt32
        let isUnknown: Bool
        let bytes: [UInt8]
    }

    private let style: Style
    private var random: SplitMix64

    init(_ style: Style = .plain, seed: UInt64 = 0) {
        self.style = style
        random = SplitMix64(seed: seed)
    }

    mutating func bytes(_ trace: Trace) -> [UInt8] {
        var fields = trace.groups.map { message(1, encode($0)) }
        fields += unknown(trace.unknown)
        return join(fields)
    }

    mutating func bytes(_ span: Trace.Span) -> [UInt8] {
        join(encode(span))
    }

    // MARK: Messages

    private mutating func encode(_ group: Trace.ResourceGroup) -> [EncodedField] {
        var fields: [EncodedField] = []
        if let resource = group.resource { fields += parts(1, encode(resource)) }
        fields += group.scopes.map { message(2, encode($0)) }
        fields += scalar(3, group.schemaURL)
        return fields + unknown(group.unknown)
    }

    private mutating func encode(_ resource: Trace.Resource) -> [EncodedField] {
        var fields = attributes(1, resource.attributes)
        fields += scalar(2, resource.dropped)
        fields += resource.entities.map { message(3, encode($0)) }
        return fields + unknown(resource.unknown)
    }

    private mutating func encode(_ entity: Trace.Entity) -> [EncodedField] {
        var fields = scalar(1, entity.schemaURL) + scalar(2, entity.type)
        fields += entity.idKeys.map { delimited(3, $0) }
        fields += entity.descriptionKeys.map { delimited(4, $0) }
        return fields + unknown(entity.unknown)
    }

    private mutating func encode(_ group: Trace.ScopeGroup) -> [EncodedField] {
        var fields: [EncodedField] = []
        if let scope = group.scope { fields += parts(1, encode(scope)) }
        fields += group.spans.map { message(2, encode($0)) }
        fields += scalar(3, group.schemaURL)
        return fields + unknown(group.unknown)
    }

    private mutating func encode(_ scope: Trace.Scope) -> [EncodedField] {
        var fields = scalar(1, scope.name) + scalar(2, scope.version)
        fields += attributes(3, scope.attributes)
        fields += scalar(4, scope.dropped)
        return fields + unknown(scope.unknown)
    }

    private mutating func encode(_ span: Trace.Span) -> [EncodedField] {
        var fields = [delimited(1, span.traceID), delimited(2, span.spanID)]
        fields += scalar(3, span.traceState)
        if !span.parentSpanID.isEmpty { fields.append(delimited(4, span.parentSpanID)) }
        fields += scalar(5, span.name)
        fields += scalar(6, UInt64(bitPattern: Int64(span.kind)))
        fields += fixed64(7, span.start) + fixed64(8, span.end)
        fields += attributes(9, span.attributes)
        fields += scalar(10, span.droppedAttributes)
        fields += span.events.map { message(11, encode($0)) }
        fields += scalar(12, span.droppedEvents)
        fields += span.links.map { message(13, encode($0)) }
        fields += scalar(14, span.droppedLinks)
        if let status = span.status { fields.append(message(15, encode(status))) }
        fields += fixed32(16, span.flags)
        return fields + unknown(span.unknown)
    }

    private mutating func encode(_ status: Trace.Status) -> [EncodedField] {
        let fields = scalar(2, status.message) + scalar(3, UInt64(bitPattern: Int64(status.code)))
        return fields + unknown(status.unknown)
    }

    private mutating func encode(_ event: Trace.Event) -> [EncodedField] {
        var fields = fixed64(1, event.time) + scalar(2, event.name)
        fields += attributes(3, event.attributes)
        fields += scalar(4, event.dropped)
        return fields + unknown(event.unknown)
    }

    private mutating func encode(_ link: Trace.Link) -> [EncodedField] {
        var fields: [EncodedField] = []
        if !link.traceID.isEmpty { fields.append(delimited(1, link.traceID)) }
        if !link.spanID.isEmpty { fields.append(delimited(2, link.spanID)) }
        fields += scalar(3, link.traceState)
        fields += attributes(4, link.attributes)
        fields += scalar(5, link.dropped)
        fields += fixed32(6, link.flags)
        return fields + unknown(link.unknown)
    }

    private mutating func attributes(_ number: UInt32, _ attributes: [Trace.Attribute]) -> [EncodedField] {
        attributes.map { message(number, encode($0)) }
    }

    private mutating func encode(_ attribute: Trace.Attribute) -> [EncodedField] {
        var fields = scalar(1, attribute.key)
        if let value = attribute.value { fields.append(message(2, encode(value))) }
        fields += scalar(3, UInt64(bitPattern: Int64(attribute.keyIndex)))
        return fields + unknown(attribute.unknown)
    }

    private mutating func encode(_ value: Trace.Value) -> [EncodedField] {
        var fields: [EncodedField] = []
        switch value.member {
        case .empty: break
        case .string(let text): fields.append(delimited(1, text))
        case .bool(let flag): fields.append(varint(2, flag ? 1 : 0))
        case .int(let number): fields.append(varint(3, UInt64(bitPattern: number)))
        case .double(let bits): fields.append(little(4, 1, bits, bytes: 8))
        case .array(let values, let others):
            fields.append(message(5, values.map { message(1, encode($0)) } + unknown(others)))
        case .kvlist(let pairs, let others):
            fields.append(message(6, pairs.map { message(1, encode($0)) } + unknown(others)))
        case .bytes(let bytes): fields.append(delimited(7, bytes))
        case .index(let index): fields.append(varint(8, UInt64(bitPattern: Int64(index))))
        }
        return fields + unknown(value.unknown)
    }

    // MARK: Fields

    private mutating func scalar(_ number: UInt32, _ text: Trace.Text) -> [EncodedField] {
        repeated(delimited(number, text), isDefault: text.isEmpty) { $0.delimited(number, Array("decoy".utf8)) }
    }

    private mutating func scalar(_ number: UInt32, _ value: UInt32) -> [EncodedField] {
        scalar(number, UInt64(value))
    }

    private mutating func scalar(_ number: UInt32, _ value: UInt64) -> [EncodedField] {
        repeated(varint(number, value), isDefault: value == 0) { $0.varint(number, 4) }
    }

    private mutating func fixed64(_ number: UInt32, _ value: UInt64) -> [EncodedField] {
        repeated(little(number, 1, value, bytes: 8), isDefault: value == 0) { $0.little(number, 1, 77, bytes: 8) }
    }

    private mutating func fixed32(_ number: UInt32, _ value: UInt32) -> [EncodedField] {
        repeated(little(number, 5, UInt64(value), bytes: 4), isDefault: value == 0) {
            $0.little(number, 5, 77, bytes: 4)
        }
    }

    private mutating func repeated(
        _ field: EncodedField, isDefault: Bool, _ decoy: (inout TraceWriter) -> EncodedField
    ) -> [EncodedField] {
        if style.repeatsScalars, random.chance(20) { return [decoy(&self), field] }
        return isDefault ? [] : [field]
    }

    private mutating func varint(_ number: UInt32, _ value: UInt64) -> EncodedField {
        EncodedField(number: number, isUnknown: false, bytes: tag(number, 0) + encoded(value, upTo: 10))
    }

    private mutating func little(_ number: UInt32, _ type: UInt8, _ value: UInt64, bytes: Int) -> EncodedField {
        let body = withUnsafeBytes(of: value.littleEndian) { Array($0.prefix(bytes)) }
        return EncodedField(number: number, isUnknown: false, bytes: tag(number, type) + body)
    }

    private mutating func delimited(_ number: UInt32, _ body: [UInt8]) -> EncodedField {
        EncodedField(
            number: number, isUnknown: false, bytes: tag(number, 2) + encoded(UInt64(body.count), upTo: 5) + body)
    }

    private mutating func message(_ number: UInt32, _ fields: [EncodedField]) -> EncodedField {
        delimited(number, join(fields))
    }

    /// A message that stands once, or in two parts.
    private mutating func parts(_ number: UInt32, _ fields: [EncodedField]) -> [EncodedField] {
        guard style.splitsMessages, random.chance(60) else { return [message(number, fields)] }
        let cut = random.below(fields.count + 1)
        return [message(number, Array(fields[..<cut])), message(number, Array(fields[cut...]))]
    }

    private mutating func unknown(_ fields: [Trace.UnknownField]) -> [EncodedField] {
        fields.map {
            EncodedField(number: $0.number, isUnknown: true, bytes: tag($0.number, $0.wireType) + $0.bytes)
        }
    }

    private mutating func tag(_ number: UInt32, _ wireType: UInt8) -> [UInt8] {
        encoded(UInt64(number) << 3 | UInt64(wireType), upTo: 5)
    }

    private mutating func encoded(_ value: UInt64, upTo limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
        guard style.padsVarints, bytes.count < limit, random.chance(10) else { return bytes }
        bytes[bytes.count - 1] |= 0x80
        bytes += [UInt8](repeating: 0x80, count: random.below(limit - bytes.count)) + [0]
        return bytes
    }

    private mutating func join(_ fields: [EncodedField]) -> [UInt8] {
        guard style.shufflesFields else { return fields.flatMap(\.bytes) }
        // Unknown fields keep their order among themselves, known ones that of their number.
        var queues: [UInt32: [EncodedField]] = [:]
        for field in fields { queues[field.isUnknown ? 0 : field.number, default: []].append(field) }
        var order = fields.map { $0.isUnknown ? 0 : $0.number }
        order.shuffle(using: &random)
        var next: [UInt32: Int] = [:]
        return order.flatMap { number in
            let index = next[number, default: 0]
            next[number] = index + 1
            return queues[number]?[index].bytes ?? []
        }
    }
}
