/// The attributes that say the same of a span, such as whose it is, and the column in which the tables have it.
struct SubjectFamily: Hashable, Sendable {
    /// What values are hashed with, so that a user is never taken for a session.
    let name: String
    let keys: [String]
    /// Nil where the tables have none.
    let column: String?

    private static let known: [(GenAIAttribute, String)] = [
        (.user, "user_id"), (.session, "session_id"), (.conversation, "conversation_id"), (.call, "call_id"),
    ]

    /// Those that have a column.
    static let all = known.map { SubjectFamily(of: $0.0.keys[0]) }

    /// Which of ``all`` a key is of.
    @inline(__always)
    static func index(of key: UnsafeRawBufferPointer) -> Int? {
        switch GenAIAttributes.attribute(of: key) {
        case .user: 0
        case .session: 1
        case .conversation: 2
        case .call: 3
        default: nil
        }
    }

    /// The attributes that have a column, which those who ask for an erasure name a subject by.
    static let names = known.flatMap { $0.0.keys }

    /// What to say of a rule that makes ciphertext of some of them; nil where it makes none.
    /// - Parameter encrypts: whether it does of this one.
    static func warning(ofRuleThat encrypts: (String) -> Bool) -> String? {
        let found = names.filter(encrypts)
        guard !found.isEmpty else { return nil }
        let few = found.prefix(3).joined(separator: ", ") + (found.count > 3 ? " and \(found.count - 3) more" : "")
        return "encrypts \(few): no erasure finds spans by what is encrypted; processor redaction makes tokens instead"
    }

    /// - Parameter attribute: such as `user.id`; see ``isName(_:)``.
    init(of attribute: String) {
        if let (family, column) = Self.known.first(where: { $0.0.keys.contains(attribute) }) {
            (name, keys, self.column) = (column, family.keys, column)
        } else {
            (name, keys, column) = (attribute, [attribute], nil)
        }
    }

    /// Whether a text can be the key of an attribute that subjects are named by: it stands in SQL as it is.
    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 256
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: "_.-/:".utf8.contains(byte)
                }
            }
    }

    /// `'user.id', 'enduser.id'`
    var keysInSQL: String { keys.map { "'\($0)'" }.joined(separator: ", ") }
}
