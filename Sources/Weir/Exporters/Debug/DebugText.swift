/// Text about spans for a terminal.
///
/// What a sender chose stands between quotes, with control characters, line separators and invisible characters
/// escaped: a span can neither begin a line nor tell the terminal what to do.
struct DebugText {
    struct Limits: Sendable {
        /// Bytes of one value, nested ones counted in.
        let valueLength: Int
        /// Attributes, events or links of one owner.
        let items: Int
    }

    let limits: Limits
    private(set) var bytes: [UInt8] = []
    /// What the value that is being written may still take.
    private var room = 0

    init(_ limits: Limits) {
        self.limits = limits
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
    }

    /// Writes words of our own.
    mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    /// `"GET \"/\""`, cut off at the limit.
    mutating func appendQuoted(_ text: UnsafeRawBufferPointer) {
        room = limits.valueLength
        appendText(text)
    }

    /// A key as it is where nobody can mistake it, else quoted.
    mutating func appendKey(_ key: UnsafeRawBufferPointer) {
        guard !key.isEmpty, key.count <= limits.valueLength, key.allSatisfy(Self.isPlain) else {
            return appendQuoted(key)
        }
        bytes.append(contentsOf: key)
    }

    mutating func appendValue(_ value: AnyValue) {
        room = limits.valueLength
        append(value)
    }
}

extension DebugText {
    private mutating func append(_ value: AnyValue) {
        switch value {
        case .empty: append("(empty)")
        case .string(let text): appendText(text)
        case .bool(let flag): append(flag ? "true" : "false")
        case .int(let number): append(String(number))
        case .double(let number): append(number.description)
        case .bytes(let data): appendHex(data)
        case .array(let values):
            append("[")
            appendItems(values) { text, value in text.append(value) }
            append("]")
        case .kvlist(let pairs):
            append("{")
            appendItems(pairs) { text, pair in
                text.appendText(pair.key)
                text.append(": ")
                text.append(pair.value)
            }
            append("}")
        }
    }

    /// As many as there is room for. The depth was limited when the batch was decoded.
    private mutating func appendItems<Items: Sequence>(
        _ items: Items, _ append: (inout DebugText, Items.Element) -> Void
    ) {
        var isFirst = true
        for item in items {
            if !isFirst { self.append(", ") }
            isFirst = false
            // An element that is empty takes room too, or millions of them would fit.
            room -= 1
            guard room > 0 else { return self.append("…") }
            append(&self, item)
        }
    }

    private mutating func appendText(_ text: UnsafeRawBufferPointer) {
        let shown = Self.prefix(of: text, room)
        append("\"")
        for scalar in String(decoding: shown, as: UTF8.self).unicodeScalars { append(scalar) }
        append("\"")
        appendCut(text.count - shown.count)
        room -= shown.count
    }

    private mutating func appendHex(_ data: UnsafeRawBufferPointer) {
        let shown = data.prefix(max(0, room / 2))
        append("0x")
        for byte in shown { append(byte.digits(2, radix: 16)) }
        appendCut(data.count - shown.count)
        room -= shown.count * 2
    }

    private mutating func appendCut(_ count: Int) {
        if count > 0 { append("…(\(count) bytes more)") }
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": append("\\\"")
        case "\\": append("\\\\")
        case "\n": append("\\n")
        case "\r": append("\\r")
        case "\t": append("\\t")
        default:
            if Self.isHarmless(scalar) { return bytes.append(contentsOf: UTF8.encode(scalar) ?? .init()) }
            append("\\u{\(String(scalar.value, radix: 16))}")
        }
    }

    /// At most `count` bytes, without a part of a character at the end.
    private static func prefix(of text: UnsafeRawBufferPointer, _ count: Int) -> Slice<UnsafeRawBufferPointer> {
        var end = min(text.count, max(0, count))
        while end > 0, end < text.count, text[end] & 0xC0 == 0x80 { end -= 1 }
        return text[..<end]
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7F }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: false
        }
    }
}
