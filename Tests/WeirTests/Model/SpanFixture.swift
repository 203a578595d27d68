@testable import Weir

/// A span that is written as OTLP protobuf, with a resource and a scope of its own.
struct SpanFixture {
    var resource = [NewPair(key: "service.name", value: .string("shop"))]
    var scopeName = "io.shop.http"
    var scopeVersion = "1.2.0"
    var traceID: (high: UInt64, low: UInt64) = (0x0af7_6519_16cd_43dd, 0x8448_eb21_1c80_319c)
    var spanID: UInt64 = 0xb7ad_6b71_6920_3331
    /// 0 where the span has no parent.
    var parentSpanID: UInt64 = 0
    var name = "GET /users"
    var kind: UInt64 = 2
    var startTime: UInt64 = 1_700_000_000_000_000_000
    var endTime: UInt64 = 1_700_000_000_500_000_000
    var attributes: [NewPair] = []
    var status: UInt64 = 0
    var statusMessage = ""
    /// All in the middle of the span.
    var events: [(name: String, attributes: [NewPair])] = []
    var traceState = ""

    /// The spans as ExportTraceServiceRequest.
    static func request(_ spans: [SpanFixture]) -> Payload {
        var writer = ReverseWriter(capacity: 1024)
        for span in spans.reversed() {
            let end = writer.count
            span.writeScope(to: &writer)
            let beforeResource = writer.count
            for pair in span.resource.reversed() { Self.write(pair, Tag.resourceAttributes, to: &writer) }
            writer.close(Tag.resource, writer.count - beforeResource)
            writer.close(Tag.resourceSpans, writer.count - end)
        }
        return .copying(writer.written)
    }

    /// The spans as a pipeline gets them.
    static func batch(_ spans: [SpanFixture]) throws -> Batch {
        var batch = Batch()
        try OTLPDecoder().decode(request(spans), into: &batch)
        return batch
    }

    private func writeScope(to writer: inout ReverseWriter) {
        let end = writer.count
        writeSpan(to: &writer)
        writer.close(Tag.spans, writer.count - end)
        let beforeScope = writer.count
        Self.write(scopeVersion, Tag.scopeVersion, to: &writer)
        Self.write(scopeName, Tag.scopeName, to: &writer)
        writer.close(Tag.scope, writer.count - beforeScope)
        writer.close(Tag.scopeSpans, writer.count - end)
    }

    private func writeSpan(to writer: inout ReverseWriter) {
        let end = writer.count
        if status != 0 { writer.number(Tag.statusCode, status) }
        Self.write(statusMessage, Tag.statusMessage, to: &writer)
        writer.close(Tag.status, writer.count - end)
        for event in events.reversed() {
            let end = writer.count
            for pair in event.attributes.reversed() { Self.write(pair, Tag.eventAttributes, to: &writer) }
            Self.write(event.name, Tag.eventName, to: &writer)
            writer.fixed64(Tag.eventTime, (startTime + endTime) / 2)
            writer.close(Tag.events, writer.count - end)
        }
        for pair in attributes.reversed() { Self.write(pair, Tag.attributes, to: &writer) }
        writer.fixed64(Tag.endTime, endTime)
        writer.fixed64(Tag.startTime, startTime)
        writer.number(Tag.kind, kind)
        Self.write(name, Tag.name, to: &writer)
        if parentSpanID != 0 { writer.identifier(Tag.parentSpanID, parentSpanID) }
        Self.write(traceState, Tag.traceState, to: &writer)
        writer.identifier(Tag.spanID, spanID)
        writer.identifier(Tag.traceID, high: traceID.high, low: traceID.low)
    }

    private static func write(_ pair: NewPair, _ tag: UInt64, to writer: inout ReverseWriter) {
        var list = ReverseWriter(capacity: 64)
        list.writeList([pair])
        var fields = FieldReader(list.written)
        if let field = fields.next() { writer.field(tag, field.body) }
    }

    private static func write(_ text: String, _ tag: UInt64, to writer: inout ReverseWriter) {
        guard !text.isEmpty else { return }
        Array(text.utf8).withUnsafeBytes { writer.field(tag, $0) }
    }
}

extension SpanFixture {
    init(_ attributes: (String, NewValue)...) {
        self.attributes = attributes.map { NewPair(key: $0.0, value: $0.1) }
    }
}

extension Batch {
    /// Attributes as `key=value` lines, of the batch as whoever receives it reads it: encoded, and decoded again.
    func attributesAfterExport(of owner: AttributeOwner) throws -> [String] {
        var encoder = OTLPEncoder()
        let payload = encoder.encode(self) ?? .empty
        var exported = Batch()
        try OTLPDecoder().decode(payload, into: &exported)
        return exported.attributes(of: owner).indices.map { index in
            let attribute = exported.attributes[index]
            return "\(exported.text(attribute.key))=\(exported.value(of: attribute).fixtureText)"
        }
    }
}

extension AnyValue {
    fileprivate var fixtureText: String {
        switch self {
        case .empty: "empty"
        case .string(let text): "\"\(String(decoding: text, as: UTF8.self))\""
        case .bool(let flag): "\(flag)"
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .array(let elements): "[\(elements.map(\.fixtureText).joined(separator: ", "))]"
        case .kvlist(let pairs):
            "{\(pairs.map { "\(String(decoding: $0.key, as: UTF8.self)): \($0.value.fixtureText)" }.joined(separator: ", "))}"
        case .bytes(let bytes): "bytes \(Array(bytes))"
        }
    }
}
