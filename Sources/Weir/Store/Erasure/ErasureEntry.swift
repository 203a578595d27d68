/// A line of the register of erasures. No value of a person is in it.
struct ErasureEntry: Sendable, Equatable {
    enum Kind: String, Sendable {
        /// A subject is to be erased, and is a tombstone from here on; where there are holds, from `clear` on.
        case request
        /// None of the holds covers what is erased with the subject.
        case clear
        /// Data keys of the subject were found in key stores.
        case keys
        /// Something was done for a request.
        case step
        /// Nothing of a request is left to do.
        case complete
        /// Keys of the subject were there again, from a copy of the key store. Nobody knows what else was put back.
        case reopen
        case hold
        case release
        /// Days that are brought back from an archive, and stay for a while.
        case restore
        /// Somebody says that the register ends where it does.
        case confirm
        /// A copy of a key store was made.
        case backup
        /// A copy of a key store is gone for good.
        case forget
    }

    /// A file that was rewritten, as hexadecimal SHA-256.
    struct Rewritten: Sendable, Equatable {
        let before: String
        let after: String
    }

    /// From 1, one after the other.
    var number = 0
    /// The SHA-256 of the line before, in hexadecimal digits; nil for the first.
    var previous: String?
    /// Whether it is said beside the register that it ends here; see ``RegisterEnd``. False before there was that.
    var isEndKept = false
    var at = Timestamp(nanoseconds: 0)
    let kind: Kind
    /// Of the request or hold that it is about; of a key store that of its index key.
    let id: String
    /// Who did it.
    var actor: String?
    var reason: String?
    var tenant: String?
    /// Nil for a hold of the whole tenant.
    var attribute: String?
    /// Hashes of the value and of its tokens.
    var names: [[UInt8]] = []
    /// What stands for the subject in the key store.
    var tags: [[UInt8]] = []
    /// (Keys) their ids.
    var dataKeys: [UInt64] = []
    /// (Request) ids of the holds of the tenant, on others than the subject.
    var holds: [String] = []
    /// (Hold, restore) the first day that is kept; nil for all.
    var from: Day?
    /// (Restore) the last one.
    var through: Day?
    /// (Restore) until when.
    var until: Timestamp?
    /// (Step) such as `sqlite`; (backup, forget) the copy's path.
    var place: String?
    var counts: [Count] = []
    var rewritten: [Rewritten] = []

    struct Count: Sendable, Equatable {
        let name: String
        let value: Int
    }

    init(_ kind: Kind, id: String) {
        self.kind = kind
        self.id = id
    }
}

// MARK: - JSON

extension ErasureEntry {
    /// A line of JSON.
    var line: [UInt8] {
        var writer = JSONWriter(capacity: 512)
        writer.value(tree)
        writer.byte(UInt8(ascii: "\n"))
        return Array(writer.written)
    }

    private var tree: JSONTree {
        var fields: [(StaticString, JSONTree)] = [
            ("number", .int(Int64(number))), ("previous", previous.map(JSONTree.text) ?? .null),
            ("at", .text(at.text)), ("at_unix_nano", .text("\(at.nanoseconds)")), ("kind", .text(kind.rawValue)),
            ("id", .text(id)),
        ]
        if isEndKept { fields.append(("end_kept", .bool(true))) }
        func add(_ name: StaticString, _ text: String?) {
            if let text { fields.append((name, .text(text))) }
        }
        add("by", actor)
        add("reason", reason)
        add("tenant", tenant)
        add("attribute", attribute)
        if !names.isEmpty { fields.append(("names", .array(names.map { .text($0.hexadecimal) }))) }
        if !tags.isEmpty { fields.append(("key_subjects", .array(tags.map { .text($0.hexadecimal) }))) }
        if !dataKeys.isEmpty {
            fields.append(("data_keys", .array(dataKeys.map { .text($0.digits(16, radix: 16)) })))
        }
        if !holds.isEmpty { fields.append(("holds", .array(holds.map(JSONTree.text)))) }
        add("from", from?.compact)
        add("through", through?.compact)
        add("until_unix_nano", until.map { "\($0.nanoseconds)" })
        add("place", place)
        if !counts.isEmpty {
            fields.append(("counts", .object(counts.map { (.own($0.name), .int(Int64($0.value))) })))
        }
        if !rewritten.isEmpty {
            fields.append(("rewritten", .array(rewritten.map { .array([.text($0.before), .text($0.after)]) })))
        }
        return .fields(fields)
    }

    /// Nil where the text is no entry.
    init?(_ line: UnsafeRawBufferPointer) {
        guard let tree = JSONTreeReader.value(line), let number = tree["number"]?.asInt,
            let kind = tree["kind"]?.asText.flatMap(Kind.init), let id = tree["id"]?.asText,
            let at = tree["at_unix_nano"]?.asText.flatMap({ UInt64($0) })
        else { return nil }
        self.init(kind, id: id)
        self.number = number
        self.at = Timestamp(nanoseconds: at)
        previous = tree["previous"]?.asText
        actor = tree["by"]?.asText
        reason = tree["reason"]?.asText
        tenant = tree["tenant"]?.asText
        attribute = tree["attribute"]?.asText
        names = tree["names"]?.elements.compactMap { $0.asText.flatMap { [UInt8](hexadecimal: $0) } } ?? []
        tags = tree["key_subjects"]?.elements.compactMap { $0.asText.flatMap { [UInt8](hexadecimal: $0) } } ?? []
        dataKeys = tree["data_keys"]?.elements.compactMap { $0.asText.flatMap { UInt64($0, radix: 16) } } ?? []
        holds = tree["holds"]?.elements.compactMap(\.asText) ?? []
        if case .bool(true)? = tree["end_kept"] { isEndKept = true }
        from = tree["from"]?.asText.flatMap { Day(compact: $0) }
        through = tree["through"]?.asText.flatMap { Day(compact: $0) }
        until = tree["until_unix_nano"]?.asText.flatMap { UInt64($0) }.map { Timestamp(nanoseconds: $0) }
        place = tree["place"]?.asText
        counts =
            tree["counts"]?.members.compactMap { name, value in
                value.asInt.map { Count(name: name.string, value: $0) }
            } ?? []
        rewritten =
            tree["rewritten"]?.elements.compactMap { pair in
                let texts = pair.elements.compactMap(\.asText)
                return texts.count == 2 ? Rewritten(before: texts[0], after: texts[1]) : nil
            } ?? []
    }
}

extension JSONTree {
    /// The integer, where it is one.
    var asInt: Int? {
        guard case .number(let digits) = self else { return nil }
        return Int(String(decoding: digits, as: UTF8.self))
    }
}

extension ErasureEntry {
    /// Whether it keeps the hot tables from letting go of a day.
    func keeps(_ day: Day, at now: Timestamp) -> Bool {
        if let until, until <= now { return false }
        return (from.map { $0 <= day } ?? true) && (through.map { day <= $0 } ?? true)
    }
}
