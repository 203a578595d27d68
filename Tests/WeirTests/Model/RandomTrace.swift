/// Makes traces at random: every field, every kind of value, odd texts, unknown fields. The seed repeats them.
struct RandomTrace {
    var random: SplitMix64
    /// Whether fields that nobody knows stand in every message.
    var hasUnknownFields = true
    /// Whether enums and values can be of kinds that only a newer OTLP has.
    var hasUnknownValues = true
    var maxSpans = 6

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    /// One that JSON can say too: it has no unknown fields, no indexes, and no status without a message.
    static func forJSON(seed: UInt64) -> Trace {
        var source = RandomTrace(seed: seed)
        source.hasUnknownFields = false
        source.hasUnknownValues = false
        return source.trace()
    }

    mutating func trace() -> Trace {
        let groups = (0..<1 + random.below(3)).map { _ in group() }
        return Trace(groups: groups, unknown: [])
    }

    private mutating func group() -> Trace.ResourceGroup {
        Trace.ResourceGroup(
            resource: random.chance(85) ? resource() : nil, scopes: (0..<random.below(4)).map { _ in scopeGroup() },
            schemaURL: sometimes { $0.text() }, unknown: unknown())
    }

    private mutating func resource() -> Trace.Resource {
        Trace.Resource(
            attributes: attributes(), dropped: count(), entities: (0..<random.below(3)).map { _ in entity() },
            unknown: unknown())
    }

    private mutating func entity() -> Trace.Entity {
        Trace.Entity(
            schemaURL: sometimes { $0.text() }, type: text(), idKeys: (0..<random.below(3)).map { _ in text() },
            descriptionKeys: (0..<random.below(2)).map { _ in text() }, unknown: unknown())
    }

    private mutating func scopeGroup() -> Trace.ScopeGroup {
        Trace.ScopeGroup(
            scope: random.chance(85) ? scope() : nil, spans: (0..<random.below(maxSpans)).map { _ in span() },
            schemaURL: sometimes { $0.text() }, unknown: unknown())
    }

    private mutating func scope() -> Trace.Scope {
        Trace.Scope(
            name: text(), version: sometimes { $0.text() }, attributes: random.chance(30) ? attributes() : [],
            dropped: count(), unknown: unknown())
    }

    mutating func span() -> Trace.Span {
        Trace.Span(
            traceID: identifier(16), spanID: identifier(8), traceState: sometimes { $0.text() },
            parentSpanID: random.chance(70) ? identifier(8) : [], flags: sometimes { UInt32($0.number(below: 32)) },
            name: text(), kind: kind(), start: number(below: 64), end: number(below: 64), attributes: attributes(),
            droppedAttributes: count(), events: random.chance(40) ? (0..<random.below(4)).map { _ in event() } : [],
            droppedEvents: count(), links: random.chance(30) ? (0..<random.below(3)).map { _ in link() } : [],
            droppedLinks: count(), status: random.chance(50) ? status() : nil, unknown: unknown())
    }

    private mutating func kind() -> Int32 {
        if hasUnknownValues, random.chance(5) { return random.pick([6, 255, 256, -1, .max, .min]) }
        return Int32(random.below(6))
    }

    private mutating func status() -> Trace.Status {
        let code: Int32 =
            hasUnknownValues && random.chance(10) ? random.pick([3, 255, 256, -1]) : Int32(random.below(3))
        return Trace.Status(message: sometimes { $0.text() }, code: code, unknown: unknown())
    }

    private mutating func event() -> Trace.Event {
        Trace.Event(
            time: number(below: 64), name: text(), attributes: attributes(), dropped: count(), unknown: unknown())
    }

    private mutating func link() -> Trace.Link {
        Trace.Link(
            traceID: random.chance(90) ? identifier(16) : [], spanID: random.chance(90) ? identifier(8) : [],
            traceState: sometimes { $0.text() }, attributes: attributes(), dropped: count(),
            flags: sometimes { UInt32($0.number(below: 32)) }, unknown: unknown())
    }

    private mutating func attributes() -> [Trace.Attribute] {
        (0..<random.below(6)).map { _ in attribute(depth: 0) }
    }

    private mutating func attribute(depth: Int) -> Trace.Attribute {
        let hasIndex = hasUnknownValues && random.chance(4)
        return Trace.Attribute(
            key: text(), value: random.chance(97) || !hasUnknownFields ? value(depth: depth) : nil,
            keyIndex: hasIndex ? 7 : 0, unknown: unknown())
    }

    mutating func value(depth: Int) -> Trace.Value {
        Trace.Value(member: member(depth: depth), unknown: unknown())
    }

    private mutating func member(depth: Int) -> Trace.Member {
        switch random.below(depth > 4 ? 7 : 10) {
        case 0: .empty
        case 1: .bool(random.chance(50))
        case 2: .int(Int64(bitPattern: number(below: 64)))
        case 3: .double(double().bitPattern)
        case 4: .bytes((0..<random.below(40)).map { _ in UInt8(random.below(256)) })
        case 5 where hasUnknownValues && random.chance(10): .index(Int32(random.below(1000)))
        case 7: .array((0..<random.below(4)).map { _ in value(depth: depth + 1) }, unknown: unknown())
        case 8: .kvlist((0..<random.below(4)).map { _ in attribute(depth: depth + 1) }, unknown: unknown())
        default: .string(text())
        }
    }

    // MARK: Leaves

    private mutating func sometimes<Value: ExpressibleByDefault>(_ make: (inout RandomTrace) -> Value) -> Value {
        random.chance(40) ? make(&self) : Value.absent
    }

    mutating func identifier(_ count: Int) -> [UInt8] {
        (0..<count - 1).map { _ in UInt8(random.below(256)) } + [UInt8(1 + random.below(255))]
    }

    private mutating func count() -> UInt32 {
        sometimes { UInt32($0.number(below: 32)) }
    }

    /// Small numbers are as likely as large ones, so that every length of varint occurs.
    mutating func number(below bits: Int) -> UInt64 {
        random.next() >> UInt64(63 - random.below(bits))
    }

    private mutating func double() -> Double {
        switch random.below(6) {
        case 0: random.pick([0, -0.0, .infinity, -.infinity, .nan, .greatestFiniteMagnitude, .leastNonzeroMagnitude])
        case 1: Double(bitPattern: random.next())
        case 2: Double(random.below(1_000_000)) / 100
        default: Double.random(in: -1e9...1e9, using: &random)
        }
    }

    /// Short or long, ASCII or not, with what JSON has to escape. Never a NUL: protobuf-c ends its strings there.
    mutating func text() -> Trace.Text {
        let length = random.chance(90) ? random.below(24) : random.below(300)
        let isPlain = random.chance(60)
        var text = ""
        while text.utf8.count < length {
            guard isPlain || random.chance(50) else {
                text.unicodeScalars.append(scalar())
                continue
            }
            text.unicodeScalars.append(Unicode.Scalar(UInt8(32 + random.below(95))))
        }
        return Array(text.utf8)
    }

    private mutating func scalar() -> Unicode.Scalar {
        let ranges: [ClosedRange<UInt32>] = [1...0x1F, 0x22...0x5C, 0x7F...0x7FF, 0x800...0xFFFF, 0x1_0000...0x10_FFFF]
        return Unicode.Scalar(UInt32.random(in: random.pick(ranges), using: &random)) ?? "\u{FFFD}"
    }

    private mutating func unknown() -> [Trace.UnknownField] {
        guard hasUnknownFields, random.chance(10) else { return [] }
        return (0..<1 + random.below(2)).map { _ in unknownField() }
    }

    private mutating func unknownField() -> Trace.UnknownField {
        let number = random.pick([17, 18, 100, 2000, 300_000, 536_870_911] as [UInt32])
        switch random.below(4) {
        case 0: return Trace.UnknownField(number: number, wireType: 0, bytes: random.pick([[5], [0xAC, 0x02]]))
        case 1: return Trace.UnknownField(number: number, wireType: 1, bytes: identifier(8))
        case 2:
            let body = identifier(1 + random.below(30))
            return Trace.UnknownField(number: number, wireType: 2, bytes: [UInt8(body.count)] + body)
        default: return Trace.UnknownField(number: number, wireType: 5, bytes: identifier(4))
        }
    }
}

/// What a field has when nobody set it.
protocol ExpressibleByDefault {
    static var absent: Self { get }
}

extension UInt32: ExpressibleByDefault {
    static var absent: UInt32 { 0 }
}

extension [UInt8]: ExpressibleByDefault {
    static var absent: [UInt8] { [] }
}
