/// Decrypts fields of spans that a query has found, in memory, for one who may read them. A value that cannot be read
/// becomes null, and a member beside it says why.
struct SpanReveal: ~Copyable {
    private let tenant: String
    private let wantsStatus: Bool
    private let erased: [SubjectMatcher]
    private var opener: FieldOpener

    /// - Parameters:
    ///   - fields: attributes that are decrypted, and paths below them; the key of status messages is `status.message`.
    ///   - keys: nil where it is only asked which ones spans need: they stay as they are then.
    ///   - erased: find the spans that nothing is opened of.
    init(
        _ fields: [KeyPattern], tenant: String, with keys: [UInt64: Result<DataKey, Unreadable>]? = nil,
        without erased: [SubjectMatcher] = []
    ) {
        self.tenant = tenant
        self.erased = erased
        opener = FieldOpener(fields, with: keys)
        wantsStatus = opener.wantsStatus
    }

    var counts: RevealPass.Counts { opener.counts }
    /// The ids of the keys that the spans need.
    var keyIDs: Set<UInt64> { opener.keyIDs }

    // MARK: A span

    mutating func reveal(_ span: TraceSpan) -> TraceSpan {
        var revealed = span
        let texts = [span.attributes, span.events, span.resource?.attributes].compactMap(\.self)
        opener.isErased = isErased(span.span, texts)
        if let text = reveal(span.attributes, .attribute, of: span.span) { revealed.attributes = text }
        if let text = span.events.flatMap({ reveal($0, .event, of: span.span) }) { revealed.events = text }
        if let text = span.links.flatMap({ reveal($0, .link, of: span.span) }) { revealed.links = text }
        if let text = span.resource.flatMap({ reveal($0.attributes, .resource, of: span.span) }) {
            revealed.resource?.attributes = text
        }
        if let text = span.scope.flatMap({ reveal($0.attributes, .scope, of: span.span) }) {
            revealed.scope?.attributes = text
        }
        revealed.span = columns(of: span.span)
        return revealed
    }

    mutating func reveal(_ span: FoundSpan) -> FoundSpan {
        // Who is named by its attributes is not at hand: in the trace of somebody who was erased it counts as nobody's.
        opener.isErased = isErased(span, [])
        return columns(of: span)
    }

    /// Whether the span was erased, and is there again from a copy of the tables.
    private func isErased(_ span: FoundSpan, _ texts: [String]) -> Bool {
        erased.contains { matcher in
            let column = Self.columns.first { $0.name == matcher.group.family.column }
            // What is ciphertext, or may have been cut, says nothing there.
            let name = column.flatMap { span[keyPath: $0.text] }.flatMap { name in
                name.isEmpty || name.hasPrefix("\(Envelope.prefix)") || name.utf8.count > RowText.maxID - 4 ? nil : name
            }
            return matcher.takes(TraceID(span.traceID), name: name, texts)
        }
    }

    private mutating func columns(of span: FoundSpan) -> FoundSpan {
        var revealed = span
        for column in Self.columns {
            let keys = keys(of: column)
            guard !keys.isEmpty, let envelope = span[keyPath: column.text].flatMap(Self.envelope) else { continue }
            begin(column.attribute == nil ? .status : .attribute, span)
            switch opener.open(envelope, ofOneOf: keys) {
            case nil: continue
            case .success(let plaintext):
                revealed[keyPath: column.text] = Self.text(plaintext, envelope.kind)
            case .failure(let reason):
                revealed[keyPath: column.text] = nil
                revealed.unreadable[column.name] = reason
            }
        }
        return revealed
    }

    /// A text as it is, anything else as JSON.
    private static func text(_ plaintext: [UInt8], _ kind: ValueKind?) -> String {
        guard let kind, kind != .string else { return String(decoding: plaintext, as: UTF8.self) }
        return plaintext.withUnsafeBytes { String(decoding: JSONTree($0, kind).text, as: UTF8.self) }
    }

    private static func envelope(_ text: String) -> Envelope? {
        Array(text.utf8).withUnsafeBytes { Envelope($0) }
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
    private func keys(of column: Column) -> [[UInt8]] {
        guard let attribute = column.attribute else { return wantsStatus ? [[]] : [] }
        return attribute.keys.map { Array($0.utf8) }.filter { key in key.withUnsafeBytes { opener.wants($0) } }
    }

    private mutating func begin(_ place: FieldAddress.Place, _ span: FoundSpan) {
        let trace = TraceID(span.traceID)
        opener.begin(
            place, tenant: tenant, traceIDHigh: trace?.high ?? 0, traceIDLow: trace?.low ?? 0, spanID: span.spanID)
    }

    // MARK: Attributes

    /// - Returns: nil where the text stays.
    private mutating func reveal(_ text: String, _ place: FieldAddress.Place, of span: FoundSpan) -> String? {
        let bytes = Array(text.utf8)
        // What the tree points into lives until it is written.
        return bytes.withUnsafeBytes { bytes in
            guard Envelope.mayStand(in: bytes), let tree = JSONTreeReader.value(bytes) else { return nil }
            begin(place, span)
            var writer = JSONWriter(capacity: bytes.count)
            write(tree, to: &writer)
            return String(decoding: writer.written, as: UTF8.self)
        }
    }

    /// An object of attributes, or an array of objects that have some.
    private mutating func write(_ tree: JSONTree, to writer: inout JSONWriter) {
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
                    write(member.value, to: &writer)
                    writer.raw(",")
                }
                writer.dropComma()
                writer.raw("},")
            }
            writer.dropComma()
            return writer.raw("]")
        }
        writer.raw("{")
        for member in members { attribute(member, to: &writer) }
        writer.dropComma()
        writer.raw("}")
    }

    private mutating func attribute(_ member: JSONTree.Member, to writer: inout JSONWriter) {
        let key = member.key.string
        guard let value = Array(key.utf8).withUnsafeBytes({ open(member.value, of: $0) }) else {
            return writer.member(member.key, member.value)
        }
        writer.string(key)
        writer.raw(":")
        value.withUnsafeBytes { writer.bytes($0) }
        writer.raw(",")
        for failure in opener.takeFailures() {
            let name = String(decoding: failure.path, as: UTF8.self) + FieldOpener.suffix
            writer.member(.own(name), .text(failure.reason.rawValue))
        }
    }

    /// - Returns: as JSON; nil where the value stays.
    private mutating func open(_ value: JSONTree, of key: UnsafeRawBufferPointer) -> [UInt8]? {
        if let text = value.asText {
            let padded = Array(text.utf8) + [UInt8](repeating: 0, count: Payload.slack)
            return padded.withUnsafeBytes { bytes in
                let text = UnsafeRawBufferPointer(rebasing: bytes.dropLast(Payload.slack))
                guard Envelope.mayStand(in: text), let new = opener.open(.string, text, of: key) else { return nil }
                return new.bytes.withUnsafeBytes { JSONTree($0, new.kind).text }
            }
        }
        guard !value.elements.isEmpty || value.isObject else { return nil }
        return opener.open(json: value.text, of: key)
    }
}

extension JSONTree {
    /// As JSON.
    fileprivate var text: [UInt8] {
        var writer = JSONWriter(capacity: 256)
        writer.value(self)
        return Array(writer.written)
    }
}
