/// What the registry says of one event.
struct EventSchema: Sendable {
    /// A member of an event's payload, which becomes an attribute.
    struct Member: Sendable {
        enum Kind: String, CaseIterable, Sendable {
            case string, integer, number, boolean
        }

        let name: String
        let kind: Kind
        let isRequired: Bool
        /// Those that a text may be; empty is any.
        let values: [String]
        /// Bytes of a text.
        let maxLength: Int
    }

    static let maximumNameLength = 128

    let name: String
    let owner: String
    let help: String
    /// The share of sessions whose events are kept.
    let sampling: Double
    /// Goes into the span, so that a reader knows what the payload was when it was sent.
    let version: Int
    let payload: [Member]

    init(_ fields: inout Fields) {
        name = fields.parsed("name", standIn: "", "The event's name, such as detail_panel.view.") {
            text throws(ConfigError) in
            guard Self.isName(text) else {
                throw ConfigError(
                    found: text.quotedForMessage,
                    wanted: "1...\(Self.maximumNameLength) letters, digits, spaces, _, ., -, / and :")
            }
            return text
        }
        owner = fields.string("owner", "The team that is asked about it.")
        help = fields.string("description", default: "", "What it says.")
        version = fields.int("version", default: 1, in: 1...1_000_000, "The version of the payload.")
        sampling = fields.number("sampling", default: 1, in: 0...1, "The share of sessions whose events are kept.")
        payload = fields.named("payload", count: 0...64, "What the event has, by name.") { name, fields in
            if !AttributeAllowList.mayBeNamed(name) {
                fields.reject("", "is not a name that a page may send, wanted one of its own, such as app.\(name)")
            }
            return Member(name, &fields)
        }
    }

    private static func isName(_ text: String) -> Bool {
        (1...maximumNameLength).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: " _.-/:".utf8.contains(byte)
                }
            }
    }

    subscript(name: String) -> Member? { payload.first { $0.name == name } }
}

extension EventSchema.Member {
    init(_ name: String, _ fields: inout Fields) {
        self.name = name
        kind = fields.choice("type", default: .string, "What it is.")
        isRequired = fields.bool("required", default: false, "Whether each event has it.")
        values = fields.strings("values", default: [], count: 0...256, "The texts that it may be; none is any.")
        maxLength = fields.int("max_length", default: 256, in: 1...1_024, "Bytes of a text at most.")
        if kind != .string, !values.isEmpty {
            fields.reject("values", "found values beside type: \(kind.rawValue), wanted none: they are for strings")
        }
    }

    func allows(_ value: JSONTree) -> Bool {
        switch (kind, value) {
        case (.string, .string(let text)):
            let text = text.string
            return text.utf8.count <= maxLength && (values.isEmpty || values.contains(text))
        case (.integer, .number(let number)):
            return Int64(String(decoding: number, as: UTF8.self)) != nil
        case (.number, .number), (.boolean, .bool): return true
        default: return false
        }
    }
}
