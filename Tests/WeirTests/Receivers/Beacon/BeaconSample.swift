import Testing

@testable import Weir

/// What the receiver `beacon` makes of bodies, as spans.
struct BeaconSample {
    struct Span: Equatable {
        let name: String
        let traceID: String
        let spanID: String
        let parentSpanID: String?
        let kind: UInt8
        let status: UInt8
        let start: UInt64
        let end: UInt64
        /// Values as JSON has them.
        let attributes: [String: String]
    }

    static let now = Timestamp(nanoseconds: 1_763_730_000_000_000_000)

    private let screen: BeaconScreen

    /// - Parameter keys: of the receiver.
    init(_ keys: String = "", registry: String? = nil) throws {
        let configuration = try #require(
            read(BeaconConfiguration.self, "{ allowed_origins: ['*'], \(keys) }"))
        screen = BeaconScreen(
            attributes: configuration.attributes, registry: try registry.map(Self.registry),
            outcome: configuration.violation)
    }

    static func registry(_ yaml: String) throws -> EventRegistry {
        var reader = YAMLReader(file: "f", environment: [:])
        let root = reader.read(yaml)
        var top = Fields([], file: "f")
        let registry = top.descend(into: root, path: "", EventRegistry.init).value
        #expect(top.diagnostics.lines == [])
        return registry
    }

    /// - Parameter sentAt: by the client's clock, in milliseconds.
    func translate(
        _ body: String, sentAt: Double? = nil, origin: String = "https://app.example.com"
    ) throws -> (spans: [Span], tally: BeaconTally, isNamed: Bool) {
        var translation = BeaconTranslation(
            screen, receivedAt: Self.now, sentAt: sentAt, tolerance: .seconds(2), origin: origin)
        let payload = try Array(body.utf8).withUnsafeBytes { try translation.translate($0) }
        var batch = Batch()
        try OTLPJSONDecoder().decode(payload, into: &batch)
        #expect(batch.rejected.count == 0)
        let spans = batch.spans.map { span in
            let attributes = span.attributes.indices.map { index in
                let attribute = batch.attributes[index]
                return (text(batch.bytes(attribute.key)), json(batch.value(of: attribute)))
            }
            return Span(
                name: text(batch.bytes(span.name)),
                traceID: span.traceIDHigh.digits(16, radix: 16) + span.traceIDLow.digits(16, radix: 16),
                spanID: span.spanID.digits(16, radix: 16),
                parentSpanID: span.state.contains(.hasParent) ? span.parentSpanID.digits(16, radix: 16) : nil,
                kind: span.kind, status: span.status, start: span.startTime, end: span.endTime,
                attributes: Dictionary(attributes) { first, second in "\(first) and \(second)" })
        }
        return (spans, translation.tally, translation.isNamed)
    }

    /// The trace state of the only span.
    func state(of body: String) throws -> String {
        var translation = BeaconTranslation(
            screen, receivedAt: Self.now, sentAt: nil, tolerance: .seconds(2), origin: "")
        let payload = try Array(body.utf8).withUnsafeBytes { try translation.translate($0) }
        var batch = Batch()
        try OTLPJSONDecoder().decode(payload, into: &batch)
        return text(batch.bytes(batch.spans[0].traceState))
    }

    private func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }

    private func json(_ value: AnyValue) -> String {
        var writer = JSONWriter(capacity: 64)
        writer.value(JSONTree(value))
        return text(writer.written)
    }
}
