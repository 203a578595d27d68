/// Finds what spans call users, sessions, conversations and calls, by which somebody may be asked for who is to be
/// erased, and hashes it with the register's key. Used by one thread at a time.
///
/// It finds every name that ``SubjectMatcher`` goes by, and may find more: a filter of what it found says of a name
/// that it is not there, and never that it is.
final class SubjectFinder {
    /// Tenants whose names are remembered, and names of each kind.
    private static let (maxTenants, maxKnown) = (64, 4_096)

    /// Names of one kind, of a tenant.
    private final class Kind {
        private let hash: SubjectHash
        private var session: KeyedHash.Session
        private var known = RecentValues<[UInt8], UInt64>(limit: maxKnown)
        private var last: (name: [UInt8], hash: UInt64)?

        init(_ hash: SubjectHash) {
            self.hash = hash
            session = hash.session()
        }

        /// Nil where it was the last one as well.
        func hash(_ name: UnsafeRawBufferPointer) -> UInt64? {
            if let last, last.name.withUnsafeBytes({ AttributeKey.areEqual($0, name) }) { return nil }
            let text = Array(name)
            let short = known.find(name: text) ?? SubjectHash.short(hash.digest(of: name, &session))
            known.keep(short, forName: text)
            last = (text, short)
            return short
        }

        func begin() { last = nil }
    }

    private let key: [UInt8]
    /// See ``SubjectHash/keyID``.
    let id: String
    private var kinds: [String: [Kind]] = [:]
    /// Where the last span had names.
    private var places: [(offset: Int, kind: Int)] = []

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
        var last = AttributeRange()
        for span in batch.spans where !span.isDropped {
            let resource = Int(batch.scopes[Int(span.scope)].resource)
            if !isFound[resource] {
                isFound[resource] = true
                for index in batch.resources[resource].attributes.indices { add(index, batch, kinds, body) }
            }
            if last.count == 0 || !batch.haveSameKeys(span.attributes, last) {
                last = span.attributes
                places = []
                for index in last.indices {
                    let key = batch.bytes(batch.attributes[index].key)
                    if let kind = SubjectFamily.index(of: key) { places.append((index - Int(last.start), kind)) }
                }
            }
            for place in places {
                add(Int(span.attributes.start) + place.offset, of: kinds[place.kind], batch, body)
            }
            for event in span.events {
                for index in batch.events[event].attributes.indices { add(index, batch, kinds, body) }
            }
        }
    }

    private func add(_ index: Int, _ batch: borrowing Batch, _ kinds: [Kind], _ body: (UInt64) -> Void) {
        guard let kind = SubjectFamily.index(of: batch.bytes(batch.attributes[index].key)) else { return }
        add(index, of: kinds[kind], batch, body)
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
        default: return
        }
    }

    private func add(_ name: UnsafeRawBufferPointer, of kind: Kind, _ body: (UInt64) -> Void) {
        guard !name.isEmpty, !Envelope.isWhole(name), let hash = kind.hash(name) else { return }
        body(hash)
    }

    private func add(_ name: String, of kind: Kind, _ body: (UInt64) -> Void) {
        var name = name
        name.withUTF8 { add(UnsafeRawBufferPointer($0), of: kind, body) }
    }

    // MARK: Columns

    /// Objects and lists that the attributes of events stand in.
    private static let depth = 3
    /// Bytes that a reader of JSON may look at behind the text.
    private static let padding = [UInt8](repeating: 0, count: 16)

    /// - Parameters:
    ///   - texts: where each stands in the bytes.
    ///   - family: whose names they are; nil where they are attributes or events, in JSON.
    ///   - body: is given hashes, the same one also more than once.
    func forEachName(
        in bytes: UnsafeRawBufferPointer, _ texts: some Sequence<Range<Int>>, of family: SubjectFamily?,
        tenant: String, _ body: (UInt64) -> Void
    ) {
        let kinds = kinds(of: tenant)
        let kind = family.flatMap { SubjectFamily.all.firstIndex(of: $0) }.map { kinds[$0] }
        var padded: [UInt8] = []
        var last: Range<Int>?
        // Rows with the same text have the same place.
        for place in texts where place != last {
            last = place
            if let kind {
                add(UnsafeRawBufferPointer(rebasing: bytes[place]), of: kind, body)
                continue
            }
            padded.removeAll(keepingCapacity: true)
            padded += bytes[place]
            padded += Self.padding
            padded.withUnsafeBytes { padded in
                var cursor = JSONCursor(UnsafeRawBufferPointer(rebasing: padded[..<place.count]))
                cursor.forEachMember(depth: Self.depth) { name, text, hasEscapes in
                    guard let kind = SubjectFamily.index(of: name) else { return }
                    if hasEscapes {
                        add(JSONTreeReader.unescaped(text), of: kinds[kind], body)
                    } else {
                        add(text, of: kinds[kind], body)
                    }
                }
            }
        }
    }
}
