/// Writes a ``Trace`` as OTLP/JSON, plainly or in one of the many other ways that mean the same.
struct TraceJSONWriter {
    /// Whether white space, escapes, the order of keys, unknown fields, nulls and the spelling of numbers vary.
    private let isWild: Bool
    private var random: SplitMix64

    init(isWild: Bool = false, seed: UInt64 = 0) {
        self.isWild = isWild
        random = SplitMix64(seed: seed)
    }

    private typealias Members = [(name: String, value: String)]

    mutating func text(_ trace: Trace) -> String {
        object([("resourceSpans", list(trace.groups) { $0.group($1) })])
    }

    private mutating func group(_ group: Trace.ResourceGroup) -> String {
        var members: Members = []
        if let resource = group.resource { members.append(("resource", self.resource(resource))) }
        members.append(("scopeSpans", list(group.scopes) { $0.scopeGroup($1) }))
        return object(members + optional("schemaUrl", group.schemaURL))
    }

    private mutating func resource(_ resource: Trace.Resource) -> String {
        var members = attributes(resource.attributes) + optional("droppedAttributesCount", resource.dropped)
        if !resource.entities.isEmpty || random.chance(20) {
            members.append(("entityRefs", list(resource.entities) { $0.entity($1) }))
        }
        return object(members)
    }

    private mutating func entity(_ entity: Trace.Entity) -> String {
        object(
            optional("schemaUrl", entity.schemaURL) + optional("type", entity.type) + [
                ("idKeys", list(entity.idKeys) { $0.string($1) }),
                ("descriptionKeys", list(entity.descriptionKeys) { $0.string($1) }),
            ])
    }

    private mutating func scopeGroup(_ group: Trace.ScopeGroup) -> String {
        var members: Members = []
        if let scope = group.scope {
            let value = object(
                optional("name", scope.name) + optional("version", scope.version) + attributes(scope.attributes)
                    + optional("droppedAttributesCount", scope.dropped))
            members.append(("scope", value))
        }
        members.append(("spans", list(group.spans) { $0.span($1) }))
        return object(members + optional("schemaUrl", group.schemaURL))
    }

    private mutating func span(_ span: Trace.Span) -> String {
        var members: Members = [("traceId", hex(span.traceID)), ("spanId", hex(span.spanID))]
        if !span.parentSpanID.isEmpty { members.append(("parentSpanId", hex(span.parentSpanID))) }
        members += optional("traceState", span.traceState) + optional("name", span.name)
        members += optional("flags", span.flags) + time("startTimeUnixNano", span.start)
        members += time("endTimeUnixNano", span.end) + attributes(span.attributes)
        members += optional("droppedAttributesCount", span.droppedAttributes)
        members += optional("droppedEventsCount", span.droppedEvents)
        members += optional("droppedLinksCount", span.droppedLinks)
        if span.kind != 0 || random.chance(30) { members.append(("kind", "\(span.kind)")) }
        if !span.events.isEmpty { members.append(("events", list(span.events) { $0.event($1) })) }
        if !span.links.isEmpty { members.append(("links", list(span.links) { $0.link($1) })) }
        if let status = span.status {
            let code: Members = status.code == 0 ? [] : [("code", "\(status.code)")]
            members.append(("status", object(optional("message", status.message) + code)))
        }
        return object(members)
    }

    private mutating func event(_ event: Trace.Event) -> String {
        object(
            time("timeUnixNano", event.time) + optional("name", event.name) + attributes(event.attributes)
                + optional("droppedAttributesCount", event.dropped))
    }

    private mutating func link(_ link: Trace.Link) -> String {
        object(
            [("traceId", hex(link.traceID)), ("spanId", hex(link.spanID))] + optional("traceState", link.traceState)
                + attributes(link.attributes) + optional("droppedAttributesCount", link.dropped)
                + optional("flags", link.flags))
    }

    private mutating func attributes(_ attributes: [Trace.Attribute]) -> Members {
        guard !attributes.isEmpty || random.chance(30) else { return [] }
        return [("attributes", list(attributes) { $0.attribute($1) })]
    }

    private mutating func attribute(_ attribute: Trace.Attribute) -> String {
        var members: Members = [("key", string(attribute.key))]
        if let value = attribute.value { members.append(("value", self.value(value))) }
        return object(members)
    }

    private mutating func value(_ value: Trace.Value) -> String {
        switch value.member {
        case .empty, .index: object([])
        case .string(let text): object([("stringValue", string(text))])
        case .bool(let flag): object([("boolValue", "\(flag)")])
        case .int(let number): object([("intValue", quoted("\(number)"))])
        case .double(let bits): object([("doubleValue", double(Double(bitPattern: bits)))])
        case .bytes(let bytes): object([("bytesValue", base64(bytes))])
        case .array(let values, _): object([("arrayValue", object([("values", list(values) { $0.value($1) })]))])
        case .kvlist(let pairs, _): object([("kvlistValue", object([("values", list(pairs) { $0.attribute($1) })]))])
        }
    }

    // MARK: Leaves

    private mutating func optional(_ name: String, _ text: Trace.Text) -> Members {
        text.isEmpty && !random.chance(10) ? [] : [(name, string(text))]
    }

    private mutating func optional(_ name: String, _ number: UInt32) -> Members {
        number == 0 && !random.chance(10) ? [] : [(name, isWild ? quoted("\(number)") : "\(number)")]
    }

    private mutating func time(_ name: String, _ time: UInt64) -> Members {
        [(name, quoted("\(time)"))]
    }

    /// A number as a string, as proto3 JSON writes those of 64 bits, or plain.
    private mutating func quoted(_ number: String) -> String {
        isWild && random.chance(40) ? number : "\"\(number)\""
    }

    private mutating func double(_ number: Double) -> String {
        guard number.isFinite else { return number.isNaN ? "\"NaN\"" : number < 0 ? "\"-Infinity\"" : "\"Infinity\"" }
        return isWild && random.chance(20) ? "\"\(number)\"" : "\(number)"
    }

    private mutating func hex(_ bytes: [UInt8]) -> String {
        let digits = Array((isWild && random.chance(30) ? "0123456789ABCDEF" : "0123456789abcdef").utf8)
        return "\"" + String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
            + "\""
    }

    private mutating func base64(_ bytes: [UInt8]) -> String {
        let isForURL = isWild && random.chance(30)
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + (isForURL ? "-_" : "+/")
        let alphabet = Array(letters.utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let three = bytes[start..<min(start + 3, bytes.count)]
            let bits = three.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - three.count))
            for index in 0...three.count { text.append(alphabet[bits >> (18 - 6 * index) & 63]) }
            if !isWild || !random.chance(50) { text += [UInt8](repeating: UInt8(ascii: "="), count: 3 - three.count) }
        }
        return string(text)
    }

    private mutating func string(_ text: Trace.Text) -> String {
        var result = "\""
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars { result += escaped(scalar) }
        return result + "\""
    }

    private static let shortEscapes: [Unicode.Scalar: String] = [
        "\"": "\\\"", "\\": "\\\\", "/": "\\/", "\u{8}": "\\b", "\u{C}": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
    ]

    private mutating func escaped(_ scalar: Unicode.Scalar) -> String {
        let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
        guard mustEscape || isWild && random.chance(10) else { return String(scalar) }
        if let short = Self.shortEscapes[scalar], !isWild || random.chance(50) {
            return short
        }
        return UTF16.encode(scalar).map { units in
            units.map { unit in
                let digits = String(unit, radix: 16, uppercase: random.chance(50))
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        } ?? ""
    }

    // MARK: Objects and arrays

    private mutating func list<Element>(
        _ elements: [Element], _ write: (inout TraceJSONWriter, Element) -> String
    ) -> String {
        if elements.isEmpty, isWild, random.chance(30) { return "null" }
        var texts: [String] = []
        for element in elements { texts.append(space() + write(&self, element) + space()) }
        return "[" + texts.joined(separator: ",") + (elements.isEmpty ? space() : "") + "]"
    }

    private mutating func object(_ members: Members) -> String {
        var members = members
        if isWild {
            while random.chance(10) { members.append((unknownName(), unknownValue())) }
            members.shuffle(using: &random)
        }
        var texts: [String] = []
        for (name, value) in members {
            texts.append(space() + string(Array(name.utf8)) + space() + ":" + space() + value + space())
        }
        return "{" + texts.joined(separator: ",") + (members.isEmpty ? space() : "") + "}"
    }

    private mutating func unknownName() -> String {
        random.pick(["future", "x", "", "größe", "spanid", "Name", "traceID", "valuesAndMore", "keyStrindex"])
    }

    private mutating func unknownValue() -> String {
        random.pick([
            "null", "true", "false", "0", "-1.5e+3", "\"\"", "\"\\u0041\\\\\\\"}\"", "[]", "{}",
            "[1,[2,{\"a\":[]}],\"]\"]",
            "{\"attributes\":[{\"key\":1}],\"b\":{\"c\":null}}", "123456789012345678901234567890",
        ])
    }

    private mutating func space() -> String {
        guard isWild, random.chance(20) else { return "" }
        return String(repeating: random.pick([" ", "\n", "\t", "\r", "  "]), count: 1 + random.below(20))
    }
}
