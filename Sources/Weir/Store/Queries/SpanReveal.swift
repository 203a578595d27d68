/// Decrypts fields of spans that a query has found, in memory, for one who may read them. A value that cannot be read
/// becomes null, and a member beside it says why.
struct SpanReveal: ~Copyable {
    private let fields: [GlobPattern]
    private let tenant: String
    private let wantsStatus: Bool
    private var address = FieldAddress()
    private(set) var counts = RevealPass.Counts()

    /// - Parameter fields: attributes that are decrypted; the key of status messages is `status.message`.
    init(_ fields: [GlobPattern], tenant: String) {
        self.fields = fields
        self.tenant = tenant
        wantsStatus = Array("status.message".utf8).withUnsafeBytes { key in fields.contains { $0.matches(key) } }
    }

    /// Whose attributes, by the place that their ciphertexts are bound to.
    private typealias Part = (text: String?, place: FieldAddress.Place)

    private func parts(of span: TraceSpan) -> [Part] {
        [
            (span.attributes, .attribute), (span.events, .event), (span.links, .link),
            (span.resource?.attributes, .resource), (span.scope?.attributes, .scope),
        ]
    }

    // MARK: Which keys

    /// Adds the ids of the keys that the span needs.
    func keyIDs(in span: TraceSpan, _ ids: inout Set<UInt64>) {
        for part in parts(of: span) {
            guard let text = part.text, text.contains("weir1.") else { continue }
            Array(text.utf8).withUnsafeBytes { bytes in
                if let tree = JSONTreeReader.value(bytes) { find(in: tree, part.place, &ids) }
            }
        }
        keyIDs(in: span.span, &ids)
    }

    func keyIDs(in span: FoundSpan, _ ids: inout Set<UInt64>) {
        for column in Self.columns where !paths(of: column).isEmpty {
            if let envelope = span[keyPath: column.text].flatMap(Self.envelope) { ids.insert(envelope.keyID) }
        }
    }

    private func find(in tree: JSONTree, _ place: FieldAddress.Place, _ ids: inout Set<UInt64>) {
        for object in tree.elements {
            if let attributes = object["attributes"] { find(in: attributes, place, &ids) }
        }
        for member in tree.members where wants(member.key) {
            if let envelope = member.value.asText.flatMap(Self.envelope) { ids.insert(envelope.keyID) }
        }
    }

    private func wants(_ key: JSONTree.Text) -> Bool {
        Array(key.string.utf8).withUnsafeBytes { key in fields.contains { $0.matches(key) } }
    }

    private static func envelope(_ text: String) -> Envelope? {
        Array(text.utf8).withUnsafeBytes { Envelope($0) }
    }

    // MARK: A span

    mutating func reveal(_ span: TraceSpan, with keys: [UInt64: Result<DataKey, Unreadable>]) -> TraceSpan {
        var revealed = span
        let texts = parts(of: span).map { part in
            part.text.map { reveal($0, part.place, of: span.span, keys) }
        }
        revealed.attributes = texts[0] ?? span.attributes
        revealed.events = texts[1]
        revealed.links = texts[2]
        if let text = texts[3] { revealed.resource?.attributes = text }
        if let text = texts[4] { revealed.scope?.attributes = text }
        revealed.span = reveal(span.span, with: keys)
        return revealed
    }

    mutating func reveal(_ span: FoundSpan, with keys: [UInt64: Result<DataKey, Unreadable>]) -> FoundSpan {
        var revealed = span
        for column in Self.columns {
            let paths = paths(of: column)
            guard !paths.isEmpty, let envelope = span[keyPath: column.text].flatMap(Self.envelope) else { continue }
            begin(column.attribute == nil ? .status : .attribute, span)
            switch open(envelope, paths: paths, keys) {
            case .success(let plaintext):
                // As the column would have it.
                let bits = plaintext.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                revealed[keyPath: column.text] =
                    envelope.kind == .int ? "\(Int64(bitPattern: bits))" : String(decoding: plaintext, as: UTF8.self)
            case .failure(let reason):
                revealed[keyPath: column.text] = nil
                revealed.unreadable[column.name] = reason
            }
        }
        return revealed
    }

    // MARK: Columns

    private struct Column: Sendable {
        let name: String
        let text: WritableKeyPath<FoundSpan, String?> & Sendable
        /// What the column has; nil for the message of the status.
        let attribute: GenAIAttribute?
    }

    private static let columns = [
        Column(name: "status_message", text: \.statusMessage, attribute: nil),
        Column(name: "session_id", text: \.sessionID, attribute: .session),
        Column(name: "conversation_id", text: \.conversationID, attribute: .conversation),
        Column(name: "user_id", text: \.userID, attribute: .user),
        Column(name: "call_id", text: \.callID, attribute: .call),
    ]

    /// What the ciphertext of a column may be bound to, as far as it is wanted.
    private func paths(of column: Column) -> [[UInt8]] {
        guard let attribute = column.attribute else { return wantsStatus ? [[]] : [] }
        return attribute.keys.map { Array($0.utf8) }.filter { key in
            key.withUnsafeBytes { key in fields.contains { $0.matches(key) } }
        }
    }

    private mutating func begin(_ place: FieldAddress.Place, _ span: FoundSpan) {
        let trace = TraceID(span.traceID)
        address.begin(
            place, tenant: tenant, traceIDHigh: trace?.high ?? 0, traceIDLow: trace?.low ?? 0, spanID: span.spanID)
    }

    private mutating func reveal(
        _ text: String, _ place: FieldAddress.Place, of span: FoundSpan,
        _ keys: [UInt64: Result<DataKey, Unreadable>]
    ) -> String {
        guard text.contains("weir1.") else { return text }
        begin(place, span)
        let bytes = Array(text.utf8)
        // What the tree points into lives until it is written.
        return bytes.withUnsafeBytes { bytes in
            guard let tree = JSONTreeReader.value(bytes) else { return text }
            var writer = JSONWriter(capacity: bytes.count)
            write(tree, keys, to: &writer)
            return String(decoding: writer.written, as: UTF8.self)
        }
    }

    /// An object of attributes, or an array of objects that have some.
    private mutating func write(
        _ tree: JSONTree, _ keys: [UInt64: Result<DataKey, Unreadable>], to writer: inout JSONWriter
    ) {
        guard case .object(let members) = tree else {
            writer.raw("[")
            for element in tree.elements {
                writer.raw("{")
                for member in element.members {
                    guard member.key.equals("attributes") else {
                        writer.member(member.key, member.value)
                        continue
                    }
                    writer.raw("\"attributes\":")
                    write(member.value, keys, to: &writer)
                    writer.raw(",")
                }
                writer.dropComma()
                writer.raw("},")
            }
            writer.dropComma()
            return writer.raw("]")
        }
        writer.raw("{")
        for member in members {
            guard wants(member.key), let envelope = member.value.asText.flatMap(Self.envelope) else {
                writer.member(member.key, member.value)
                continue
            }
            let key = member.key.string
            switch open(envelope, paths: [Array(key.utf8)], keys) {
            case .success(let plaintext):
                let value = plaintext.withUnsafeBytes { bytes -> [UInt8] in
                    var inner = JSONWriter(capacity: bytes.count + 2)
                    inner.value(Self.tree(of: bytes, envelope.kind))
                    return Array(inner.written)
                }
                writer.string(key)
                writer.raw(":")
                value.withUnsafeBytes { writer.bytes($0) }
                writer.raw(",")
            case .failure(let reason):
                writer.member(member.key, .null)
                writer.member(.own(key + RevealPass.suffix), .text(reason.rawValue))
            }
        }
        writer.dropComma()
        writer.raw("}")
    }

    /// - Parameter paths: one of which it is bound to.
    private mutating func open(
        _ envelope: Envelope, paths: [[UInt8]], _ keys: [UInt64: Result<DataKey, Unreadable>]
    ) -> Result<[UInt8], Unreadable> {
        let found = (keys[envelope.keyID] ?? .failure(.unknownKey)).flatMap { key -> Result<[UInt8], Unreadable> in
            // As in ``RevealPass``: a text may name the key and another suite.
            guard envelope.suite == key.row.suite, let cipher = Cipher(envelope.suite, key: key.secret, .decrypt) else {
                return .failure(.notAuthentic)
            }
            for path in paths {
                let plaintext = path.withUnsafeBytes { envelope.open(cipher, at: &address, path: $0) }
                if let plaintext { return .success(plaintext) }
            }
            return .failure(.notAuthentic)
        }
        if case .success = found { counts.revealed += 1 } else { counts.unreadable += 1 }
        return found
    }

    /// A value as the tables would have it.
    private static func tree(of plaintext: UnsafeRawBufferPointer, _ kind: ValueKind) -> JSONTree {
        let bits = plaintext.count == 8 ? plaintext.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } : 0
        return switch kind {
        case .empty: .null
        case .string: .string(.plain(plaintext))
        case .bool: .bool(plaintext.first == 1)
        case .int: .int(Int64(bitPattern: bits))
        case .double: .double(Double(bitPattern: bits))
        case .array: JSONTree(.array(ArrayValue(plaintext)))
        case .kvlist: JSONTree(.kvlist(KeyValueList(plaintext)))
        case .bytes: .bytes(plaintext)
        }
    }
}
