/// A JSON value in parts, for code that puts contents into another shape. Texts and numbers point into what they were
/// read from, and live as long as that does.
enum JSONTree {
    typealias Member = (key: Text, value: JSONTree)

    enum Text {
        /// UTF-8 as it is.
        case plain(UnsafeRawBufferPointer)
        /// The inside of a JSON string, with its escapes.
        case escaped(UnsafeRawBufferPointer)
        case own(String)
    }

    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    /// As it stands in a JSON text.
    case number(UnsafeRawBufferPointer)
    case string(Text)
    /// Written as base64.
    case bytes(UnsafeRawBufferPointer)
    case array([JSONTree])
    case object([Member])
    /// An object or array as it stands in a JSON text, which has nothing in it that would be written in another way.
    case whole(UnsafeRawBufferPointer)

    static func text(_ text: String) -> JSONTree { .string(.own(text)) }

    /// An object with keys that need no escapes.
    static func fields(_ members: KeyValuePairs<StaticString, JSONTree>) -> JSONTree {
        .object(members.map { (Text($0.key), $0.value) })
    }

    static func fields(_ members: [(StaticString, JSONTree)]) -> JSONTree {
        .object(members.map { (Text($0.0), $0.1) })
    }

    /// A value of a batch that the decoder has checked.
    init(_ value: AnyValue) {
        switch value {
        case .empty: self = .null
        case .string(let text): self = .string(.plain(text))
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .int(number)
        case .double(let number): self = .double(number)
        case .bytes(let bytes): self = .bytes(bytes)
        case .array(let elements): self = .array(elements.map { JSONTree($0) })
        case .kvlist(let pairs): self = .object(pairs.map { (.plain($0.key), JSONTree($0.value)) })
        }
    }

    /// The same; but a text that is a JSON object or array is taken for what it says, as most instrumentations put
    /// contents into texts.
    /// - Parameter leavesMembers: whether the objects and arrays in an object may be left ``whole(_:)``.
    init(readingTextsOf value: AnyValue, leavesMembers: Bool = false) {
        if case .string(let text) = value, let tree = JSONTreeReader.container(text, leavesMembers: leavesMembers) {
            self = tree
        } else {
            self.init(value)
        }
    }

    subscript(key: StaticString) -> JSONTree? {
        members.first { $0.key.equals(key) }?.value
    }

    /// The text, where it is one.
    var asText: String? {
        guard case .string(let text) = self else { return nil }
        return text.string
    }

    var isObject: Bool {
        switch self {
        case .object: true
        case .whole(let text): text.first == UInt8(ascii: "{")
        default: false
        }
    }

    /// The elements of an array; empty for anything else.
    var elements: [JSONTree] {
        switch self {
        case .array(let elements): elements
        case .whole(let text): JSONTreeReader.value(text)?.elements ?? []
        default: []
        }
    }

    var members: [Member] {
        switch self {
        case .object(let members): members
        case .whole(let text): JSONTreeReader.value(text)?.members ?? []
        default: []
        }
    }
}

extension JSONTree.Text {
    init(_ text: StaticString) {
        self = .plain(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    var isEmpty: Bool {
        switch self {
        case .plain(let bytes), .escaped(let bytes): bytes.isEmpty
        case .own(let text): text.isEmpty
        }
    }

    /// A key with escapes equals none.
    func equals(_ text: StaticString) -> Bool {
        let other = UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        switch self {
        case .plain(let bytes), .escaped(let bytes): return bytes.count == other.count && bytes.elementsEqual(other)
        case .own(let own): return own.utf8.elementsEqual(other)
        }
    }

    /// Without its escapes.
    var string: String {
        switch self {
        case .plain(let bytes): String(decoding: bytes, as: UTF8.self)
        case .escaped(let bytes): JSONTreeReader.unescaped(bytes)
        case .own(let text): text
        }
    }
}

// MARK: - Writing

extension JSONWriter {
    mutating func value(_ tree: JSONTree) {
        switch tree {
        case .null: raw("null")
        case .bool(let flag): flag ? raw("true") : raw("false")
        case .int(let number): int(number)
        case .double(let number): double(number)
        case .number(let text): bytes(text)
        case .string(let text): string(text)
        case .bytes(let bytes): base64(bytes)
        case .array(let elements):
            raw("[")
            for element in elements {
                value(element)
                raw(",")
            }
            dropComma()
            raw("]")
        case .object(let members):
            raw("{")
            self.members(members)
            dropComma()
            raw("}")
        case .whole(let text): bytes(text)
        }
    }

    mutating func string(_ text: JSONTree.Text) {
        switch text {
        case .plain(let bytes): string(bytes)
        case .escaped(let inside):
            byte(UInt8(ascii: "\""))
            bytes(inside)
            byte(UInt8(ascii: "\""))
        case .own(let text): string(text)
        }
    }

    mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { string(UnsafeRawBufferPointer($0)) }
    }

    /// `"key":value,`
    mutating func member(_ key: JSONTree.Text, _ value: JSONTree) {
        string(key)
        byte(UInt8(ascii: ":"))
        self.value(value)
        byte(UInt8(ascii: ","))
    }

    /// The same, with a key that needs no escapes.
    mutating func member(_ key: StaticString, _ value: JSONTree) {
        self.key(key)
        self.value(value)
        byte(UInt8(ascii: ","))
    }

    /// `"key":`
    mutating func key(_ key: StaticString) {
        byte(UInt8(ascii: "\""))
        raw(key)
        raw("\":")
    }
}
