import Glibc
import Logging

/// One line of the log as bytes, with its line feed.
///
/// Nothing that is logged can begin a second line or hide a part of this one: control characters, line separators and
/// the invisible characters that change a text's direction are written as `\u202e`.
struct LogLine {
    /// Bytes of one value; of a longer one the rest is cut off, and how much that was is said.
    static let maxValue = 4_096
    /// Metadata of one line; further ones are left out, and how many is said.
    static let maxFields = 64

    /// Names that metadata may not take: there they get `metadata.` in front.
    private static let ownNames: Set<String> = ["time", "level", "label", "message", "suppressed", "fields_left_out"]

    private(set) var bytes: [UInt8] = []
    private let encoding: TelemetryConfiguration.LogEncoding

    /// - Parameters:
    ///   - time: since 1970-01-01T00:00:00Z.
    ///   - suppressed: equal lines held back since the last one; 0 is not written.
    init(
        _ encoding: TelemetryConfiguration.LogEncoding, time: Duration, level: Logger.Level, label: String,
        message: String,
        metadata: [String: String] = [:], suppressed: Int = 0
    ) {
        self.encoding = encoding
        bytes.reserveCapacity(256)
        append("time", Self.timestamp(time))
        append("level", level.rawValue)
        append("label", label)
        append("message", message)
        for (name, value) in metadata.sorted(by: { $0.key < $1.key }).prefix(Self.maxFields) {
            append(Self.ownNames.contains(name) ? "metadata.\(name)" : name, value)
        }
        if metadata.count > Self.maxFields { append("fields_left_out", String(metadata.count - Self.maxFields)) }
        if suppressed > 0 { append("suppressed", String(suppressed)) }
        append(encoding == .json ? "}\n" : "\n")
    }

    /// ISO 8601 in UTC with milliseconds, `2026-02-03T04:05:06.789Z`.
    static func timestamp(_ time: Duration) -> String {
        let (seconds, attoseconds) = time.components
        let calendar = CalendarTime(secondsSince1970: max(0, Int(seconds)))
        return "\(calendar.date)T\(calendar.time).\((attoseconds / 1_000_000_000_000_000).digits(3))Z"
    }
}

extension LogLine {
    private mutating func append(_ name: String, _ value: String) {
        let value = Self.truncated(value)
        switch encoding {
        case .json:
            append(bytes.isEmpty ? "{" : ",")
            appendQuoted(Self.truncated(name))
            append(":")
            appendQuoted(value)
        case .logfmt:
            if !bytes.isEmpty { append(" ") }
            append(Self.logfmtName(name))
            append("=")
            let isPlain = !value.isEmpty && value.utf8.allSatisfy(Self.isPlain)
            if isPlain { append(value) } else { appendQuoted(value) }
        }
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    /// A JSON string, which logfmt's readers understand as well.
    private mutating func appendQuoted(_ text: String) {
        append("\"")
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": append("\\\"")
            case "\\": append("\\\\")
            case "\n": append("\\n")
            case "\r": append("\\r")
            case "\t": append("\\t")
            default: if Self.isHarmless(scalar) { append(String(scalar)) } else { appendEscape(scalar) }
            }
        }
        append("\"")
    }

    private mutating func appendEscape(_ scalar: Unicode.Scalar) {
        for unit in UTF16.encode(scalar) ?? .init() {
            append("\\u" + unit.digits(4, radix: 16))
        }
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    /// Whether logfmt shows it without quotes.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte > UInt8(ascii: " ") && byte < 0x7f
            && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "=") && byte != UInt8(ascii: "\\")
    }

    /// logfmt cannot quote a name, so what would end it becomes `_`.
    private static func logfmtName(_ name: String) -> String {
        let name = truncated(name)
        guard !name.isEmpty else { return "_" }
        return String(decoding: name.utf8.map { isPlain($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }

    private static func truncated(_ text: String) -> String {
        let excess = text.utf8.count - maxValue
        guard excess > 0 else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: maxValue)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return "\(text[..<end])…(\(text.utf8[end...].count) bytes more)"
    }
}
