/// Why a span was turned away, alone, out of a request that was otherwise sound.
enum SpanDefect: String, CaseIterable, Sendable {
    case traceID = "trace_id"
    case spanID = "span_id"
    case parentSpanID = "parent_span_id"
    case linkID = "link_id"
    case text = "utf8"
    case encoding, depth
    case repeatedField = "repeated_field"
    case identifierHex = "identifier_hex"
    case value
    case snakeCase = "snake_case"

    var message: String {
        switch self {
        case .traceID: "trace_id is not 16 bytes, or all zero"
        case .spanID: "span_id is not 8 bytes, or all zero"
        case .parentSpanID: "parent_span_id is neither empty nor 8 bytes"
        case .linkID: "a link's trace_id or span_id has the wrong length"
        case .text: "a string is not UTF-8"
        case .encoding: "the encoding is broken"
        case .depth: "an attribute value is nested too deep"
        case .repeatedField: "a field that may stand once stands twice"
        case .identifierHex: "an id is not hexadecimal"
        case .value: "a field has a value of the wrong type or out of range"
        case .snakeCase: "a key is in snake_case; OTLP/JSON keys are lowerCamelCase"
        }
    }
}

/// How many spans the decoder turned away, by reason.
struct Rejections: Sendable, Equatable {
    private(set) var count = 0
    private var counts: [SpanDefect: Int] = [:]

    mutating func add(_ defect: SpanDefect, spans: Int = 1) {
        guard spans > 0 else { return }
        count += spans
        counts[defect, default: 0] += spans
    }

    /// For `partial_success.error_message`: `2 spans: trace_id is …; 1 span: a string is not UTF-8`.
    var message: String {
        SpanDefect.allCases.compactMap { defect in
            counts[defect].map { "\($0.of("span")): \(defect.message)" }
        }.joined(separator: "; ")
    }

    /// Each reason that occurred, with its count.
    var byDefect: [(defect: SpanDefect, count: Int)] {
        SpanDefect.allCases.compactMap { defect in counts[defect].map { (defect, $0) } }
    }

    /// `trace_id=2,utf8=1`, as the journal keeps it.
    var text: String {
        byDefect.map { "\($0.defect.rawValue)=\($0.count)" }.joined(separator: ",")
    }

    /// Reads what `text` wrote. A reason that this version does not know is left out.
    init(text: some StringProtocol) {
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=")
            guard pair.count == 2, let defect = SpanDefect(rawValue: String(pair[0])), let count = Int(pair[1]) else {
                continue
            }
            add(defect, spans: count)
        }
    }

    init() {}
}
