@testable import Weir

/// What the processor makes of the attributes of a span.
enum RedactionSample {
    static let key = "key: 0123456789abcdef0123456789abcdef"

    static func redacted(
        _ attributes: [(String, NewValue)], _ yaml: String = "", times: Int = 1
    ) throws -> [String] {
        var span = SpanFixture()
        span.attributes = attributes.map { NewPair(key: $0.0, value: $0.1) }
        return try redacted(span, yaml, times: times).attributesAfterExport(of: .span(0))
    }

    static func redacted(_ span: SpanFixture, _ yaml: String = "", times: Int = 1) throws -> Batch {
        var processor = try ProcessorFixture<RedactionProcessor>("\(key)\n\(yaml)").processor
        var batch = try SpanFixture.batch([span])
        for _ in 0..<times { processor.process(&batch) }
        return batch
    }

    /// What becomes of the text of an attribute that is called `a`.
    static func redacted(_ text: String, _ yaml: String = "", times: Int = 1) throws -> String {
        let found = try redacted([("a", .string(text))], yaml, times: times).first ?? ""
        return String(found.dropFirst(3).dropLast())
    }
}
