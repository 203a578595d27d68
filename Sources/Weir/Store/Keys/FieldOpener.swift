/// Opens encrypted values of attributes, in memory, for one who may read them. A value that cannot be read becomes
/// nothing, and why is kept; nothing else comes to harm by it.
struct FieldOpener: ~Copyable {
    /// What stands behind the key or path of a value, in the key of what says why it cannot be read.
    static let suffix = ".unreadable"
    /// Reasons that are told of one attribute.
    private static let maxFailures = 100

    typealias Failure = (path: [UInt8], reason: Unreadable)

    let fields: [KeyPattern]
    /// Nil where it is only looked for which keys there are.
    private let keys: [UInt64: Result<DataKey, Unreadable>]?
    private var address = FieldAddress()
    private var ciphers: [UInt64: Cipher] = [:]
    private var failures: [Failure] = []
    /// Of the parts of the present path: whether what stands below them may be read.
    private var verdicts = StepVerdicts()
    private(set) var counts = RevealPass.Counts()
    /// Whether what comes is of somebody who was erased: then nothing of it opens, whatever keys there are.
    var isErased = false
    /// The ids of keys of what was met.
    private(set) var keyIDs: Set<UInt64> = []

    /// - Parameter fields: what is opened: attributes, with all that stands in them, and paths below them. The key of
    ///   status messages is `status.message`.
    init(_ fields: [KeyPattern], with keys: [UInt64: Result<DataKey, Unreadable>]? = nil) {
        self.fields = fields
        self.keys = keys
    }

    var wantsStatus: Bool { Array("status.message".utf8).withUnsafeBytes { wants($0) } }

    func wants(_ key: UnsafeRawBufferPointer) -> Bool { fields.contains { $0.matches(key) } }

    /// Where the next values stand.
    mutating func begin(
        _ place: FieldAddress.Place, tenant: String, traceIDHigh: UInt64, traceIDLow: UInt64, spanID: UInt64
    ) {
        address.begin(place, tenant: tenant, traceIDHigh: traceIDHigh, traceIDLow: traceIDLow, spanID: spanID)
    }

    /// Why values could not be read since it was asked last.
    mutating func takeFailures() -> [Failure] {
        defer { failures.removeAll() }
        return failures
    }

    // MARK: A value

    /// - Parameter keys: of attributes, one of which it is bound to; an empty one for what has no key.
    mutating func open(_ envelope: Envelope, ofOneOf keys: [[UInt8]]) -> Result<[UInt8], Unreadable>? {
        open(envelope) { cipher, address in
            for key in keys {
                let plaintext = key.withUnsafeBytes { envelope.open(cipher, at: &address, path: .init(key: $0)) }
                if let plaintext { return plaintext }
            }
            return nil
        }
    }

    /// - Returns: nil where it is only looked for keys.
    private mutating func open(
        _ envelope: Envelope, _ plaintext: (Cipher, inout FieldAddress) -> [UInt8]?
    ) -> Result<[UInt8], Unreadable>? {
        guard let keys else {
            keyIDs.insert(envelope.keyID)
            return nil
        }
        let key = isErased ? .failure(.destroyed) : keys[envelope.keyID] ?? .failure(.unknownKey)
        let found = key.flatMap { key -> Result<[UInt8], Unreadable> in
            // Anybody may write a text that names the key and another suite; it must not decide for those behind it.
            guard envelope.suite == key.row.suite else { return .failure(.notAuthentic) }
            let cipher = ciphers[key.id] ?? Cipher(envelope.suite, key: key.secret, .decrypt)
            ciphers[key.id] = cipher
            return cipher.flatMap { plaintext($0, &address) }.map { .success($0) } ?? .failure(.notAuthentic)
        }
        if case .success = found { counts.revealed += 1 } else { counts.unreadable += 1 }
        return found
    }

    /// - Parameter value: of an attribute: the bytes of a text, or the body of an array or a list.
    /// - Returns: what is to stand in its place, a kind and bytes as ``Envelope`` has them; nil where it stays.
    mutating func open(
        _ kind: ValueKind, _ value: UnsafeRawBufferPointer, of key: UnsafeRawBufferPointer
    ) -> (kind: ValueKind, bytes: [UInt8])? {
        if kind == .string, Envelope.hasPrefix(value), wants(key), let envelope = Envelope(value) {
            switch open(envelope, { envelope.open($0, at: &$1, path: .init(key: key)) }) {
            case nil: return nil
            case .success(let plaintext): return (envelope.kind ?? .string, plaintext)
            case .failure(let reason):
                failures.append((Array(key), reason))
                return (.empty, [])
            }
        }
        guard fields.contains(where: { $0.matches(key) || $0.mayMatch(below: key) }) else { return nil }
        var walk = MemberWalk(key)
        verdicts.removeAll()
        // What cannot be gone through was encrypted as a whole.
        switch kind {
        case .string: return (try? walk.text(value, &self)).flatMap(\.self).map { (kind, $0) }
        case .array: return (try? walk.list(value, isMap: false, &self)).flatMap(\.self).map { (kind, $0) }
        case .kvlist: return (try? walk.list(value, isMap: true, &self)).flatMap(\.self).map { (kind, $0) }
        case .empty, .bool, .int, .double, .bytes: return nil
        }
    }

    /// A value as the tables have it: of a JSON text that stands at the key.
    mutating func open(json text: [UInt8], of key: UnsafeRawBufferPointer) -> [UInt8]? {
        var walk = MemberWalk(key)
        verdicts.removeAll()
        let padded = text + [UInt8](repeating: 0, count: 16)
        return padded.withUnsafeBytes { bytes in
            (try? walk.text(UnsafeRawBufferPointer(rebasing: bytes[..<text.count]), &self)).flatMap(\.self)
        }
    }
}

extension FieldOpener: MemberVisitor {
    /// Nothing is encrypted there.
    static var looksIntoBytes: Bool { false }

    mutating func wants(_ place: borrowing MemberPlace, text: UnsafeRawBufferPointer?) -> Bool {
        guard let text, Envelope.hasPrefix(text) else { return false }
        let fields = fields
        return verdicts.last(of: place) { place, step, isOuterWanted in
            // Who may read something may read all that stands in it.
            if isOuterWanted { return true }
            let (below, end) = (place.below, place.steps[step].end)
            return place.path.withUnsafeBytes { path in
                let outer = UnsafeRawBufferPointer(rebasing: path[..<end])
                return fields.contains { step == 0 ? $0.matches(outer) : $0.matches(outer, below: below) }
            }
        }
    }

    mutating func change(_ value: MemberValue, at place: borrowing MemberPlace) -> [UInt8]? {
        guard let envelope = Envelope(value.text) else { return nil }
        let path = place.address
        switch open(envelope, { envelope.open($0, at: &$1, path: path) }) {
        case nil: return nil
        case .success(let plaintext):
            return plaintext.withUnsafeBytes { plaintext in
                switch value {
                case .json: envelope.kind.map { JSONTree.json(of: plaintext, $0) } ?? Array(plaintext)
                case .encoded: Self.encoded(plaintext, envelope.kind)
                }
            }
        case .failure(let reason):
            let name = place.path
            if failures.count < Self.maxFailures, !failures.contains(where: { $0.path == name }) {
                failures.append((name, reason))
            }
            return if case .json = value { Array("null".utf8) } else { [] }
        }
    }

    /// As an AnyValue.
    private static func encoded(_ plaintext: UnsafeRawBufferPointer, _ kind: ValueKind?) -> [UInt8] {
        let bits = plaintext.count == 8 ? plaintext.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } : 0
        return switch kind {
        case .empty: []
        // A piece of JSON, of a text that somebody has made a map.
        case nil, .string: Field.encoded(Tag.stringValue, Array(plaintext))
        case .bool: Field.varint(Tag.boolValue) + [plaintext.first == 1 ? 1 : 0]
        case .int: Field.varint(Tag.intValue) + Field.varint(bits)
        case .double: Field.varint(Tag.doubleValue) + withUnsafeBytes(of: bits.littleEndian) { Array($0) }
        case .array: Field.encoded(Tag.arrayValue, Array(plaintext))
        case .kvlist: Field.encoded(Tag.kvlistValue, Array(plaintext))
        case .bytes: Field.encoded(Tag.bytesValue, Array(plaintext))
        }
    }
}

extension MemberValue {
    /// Of a text.
    fileprivate var text: UnsafeRawBufferPointer {
        switch self {
        case .json(let text): return text.insideQuotes
        case .encoded(let bytes):
            guard case .string(let text) = AnyValue(encoded: bytes) else { return .init(start: nil, count: 0) }
            return text
        }
    }
}

extension JSONTree {
    /// A value as the tables have it.
    init(_ plaintext: UnsafeRawBufferPointer, _ kind: ValueKind) {
        let bits = plaintext.count == 8 ? plaintext.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } : 0
        self =
            switch kind {
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

    fileprivate static func json(of plaintext: UnsafeRawBufferPointer, _ kind: ValueKind) -> [UInt8] {
        var writer = JSONWriter(capacity: plaintext.count + 2)
        writer.value(JSONTree(plaintext, kind))
        return Array(writer.written)
    }
}
