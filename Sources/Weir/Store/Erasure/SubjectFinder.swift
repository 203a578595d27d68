/// Finds what spans call users, sessions, conversations and calls, by which somebody may be asked for who is to be
/// erased, and hashes it with the register's key. Used by one thread at a time.
///
/// It finds every name that ``SubjectMatcher`` goes by, and may find more: a filter of what it found says of a name
/// that it is not there, and never that it is.
final class SubjectFinder {
    /// Tenants that are remembered.
    private static let maxTenants = 64

    /// Names of one kind, of a tenant.
    private final class Kind {
        /// Bytes of memory that are kept for names.
        private static let maxKept = 16 << 10

        private let hash: SubjectHash
        private var session: KeyedHash.Session
        private var last: [UInt8] = []
        private var message: [UInt8] = []

        init(_ hash: SubjectHash) {
            self.hash = hash
            session = hash.session()
        }

        /// Nil where it was the last one as well, as it mostly is.
        func hash(_ name: UnsafeRawBufferPointer) -> UInt64? {
            guard !last.withUnsafeBytes({ AttributeKey.areEqual($0, name) }) else { return nil }
            if last.capacity > Self.maxKept { (last, message) = ([], []) }
            last.removeAll(keepingCapacity: true)
            last += name
            return hash.short(of: name, &session, &message)
        }

        /// No name is empty.
        func begin() { last.removeAll(keepingCapacity: true) }
    }

    private let key: [UInt8]
    /// See ``SubjectHash/keyID``.
    let id: String
    private var kinds: [String: [Kind]] = [:]

    init(_ key: [UInt8]) {
        self.key = key
        id = SubjectHash.id(of: key)
    }

    private func kinds(of tenant: String) -> [Kind] {
        if let known = kinds[tenant] {
            for kind in known { kind.begin() }
            return known
        }
        if kinds.count >= Self.maxTenants { kinds = [:] }
        let new = SubjectFamily.all.map { Kind(SubjectHash(key: key, tenant: tenant, $0)) }
        kinds[tenant] = new
        return new
    }

    // MARK: Batches

    /// - Parameters:
    ///   - tenant: whose batch it is, which one that is read from a file does not say.
    ///   - body: is given hashes, the same one also more than once.
    func forEachName(in batch: borrowing Batch, tenant: String, _ body: (UInt64) -> Void) {
        let kinds = kinds(of: tenant)
        var isFound = [Bool](repeating: false, count: batch.resources.count)
        for span in batch.spans where !span.isDropped {
            let resource = Int(batch.scopes[Int(span.scope)].resource)
            if !isFound[resource] {
                isFound[resource] = true
                add(batch.resources[resource].attributes, batch, kinds, body)
            }
            add(span.attributes, batch, kinds, body)
            for event in span.events { add(batch.events[event].attributes, batch, kinds, body) }
        }
    }

    @inline(__always)
    private func add(_ range: AttributeRange, _ batch: borrowing Batch, _ kinds: [Kind], _ body: (UInt64) -> Void) {
        for index in range.indices {
            guard let kind = SubjectFamily.index(of: batch.bytes(batch.attributes[index].key)) else { continue }
            add(index, of: kinds[kind], batch, body)
        }
    }

    private func add(_ index: Int, of kind: Kind, _ batch: borrowing Batch, _ body: (UInt64) -> Void) {
        let attribute = batch.attributes[index]
        guard !attribute.isRemoved else { return }
        switch batch.value(of: attribute) {
        case .string(let text): add(text, of: kind, body)
        case .int(let number): add("\(number)", of: kind, body)
        case .double(let number):
            add("\(number)", of: kind, body)
            // JSON has words of its own for these, and files of JSON are looked into.
            if !number.isFinite { for word in ["NaN", "Infinity", "-Infinity"] { add(word, of: kind, body) } }
        case .bytes(let bytes):
            // A text there.
            var writer = JSONWriter(capacity: 64)
            writer.base64(bytes)
            add(UnsafeRawBufferPointer(rebasing: writer.written.dropFirst().dropLast()), of: kind, body)
        default: return
        }
    }

    private func add(_ name: UnsafeRawBufferPointer, of kind: Kind, _ body: (UInt64) -> Void) {
        guard !name.isEmpty, !Envelope.isWhole(name), let hash = kind.hash(name) else { return }
        body(hash)
        // Columns have no U+0000.
        guard name.contains(0) else { return }
        add(String(decoding: name, as: UTF8.self).replacing("\u{0}", with: "\u{FFFD}"), of: kind, body)
    }

    private func add(_ name: String, of kind: Kind, _ body: (UInt64) -> Void) {
        var name = name
        name.withUTF8 { add(UnsafeRawBufferPointer($0), of: kind, body) }
    }

    // MARK: Columns

    /// Bytes that a reader of JSON may look at behind the text.
    private static let padding = [UInt8](repeating: 0, count: 16)

    /// - Parameters:
    ///   - texts: where each stands in the bytes: an object of attributes, or a list of events.
    ///   - body: is given hashes, the same one also more than once.
    func forEachName(
        in bytes: UnsafeRawBufferPointer, _ texts: some Sequence<Range<Int>>, tenant: String, _ body: (UInt64) -> Void
    ) {
        let kinds = kinds(of: tenant)
        var padded: [UInt8] = []
        var last: Range<Int>?
        // Rows with the same text have the same place.
        for place in texts where place != last {
            last = place
            padded.removeAll(keepingCapacity: true)
            padded += bytes[place]
            padded += Self.padding
            padded.withUnsafeBytes { padded in
                var cursor = JSONCursor(UnsafeRawBufferPointer(rebasing: padded[..<place.count]))
                // Events are a list of objects, with the attributes as one more.
                let depth = cursor.peek() == UInt8(ascii: "[") ? 3 : 1
                cursor.forEachMember(depth: depth) { name, text, isString, hasEscapes in
                    guard let kind = SubjectFamily.index(of: name),
                        isString || text.first.map(Self.isNumbers) ?? false
                    else { return }
                    if hasEscapes {
                        add(JSONTreeReader.unescaped(text), of: kinds[kind], body)
                    } else {
                        add(text, of: kinds[kind], body)
                    }
                }
            }
        }
    }

    /// Whether a number begins so, and not a word.
    private static func isNumbers(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
