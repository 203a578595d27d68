// Values of attributes that are no plain text: numbers, bytes, arrays and lists.
extension RedactionPass {
    static let removed = Array("[REMOVED]".utf8)

    /// A value that its key condemns, as text; nil where it stays.
    mutating func replaced(_ value: UnsafeRawBufferPointer, _ key: KeyDecision) -> [UInt8]? {
        let new: [UInt8]
        switch key.action {
        case .scan, .keep, .encrypt: return nil
        case .mask: new = policy.collector.blockedPatterns.isEmpty ? Array("[MASKED]".utf8) : Array("****".utf8)
        case .drop: new = Self.removed
        case .hash:
            if key.reason == .blocked, let hash = policy.collector.hash {
                new = hash.text(of: value)
            } else {
                new = tokens.token(for: value, kind: key.reason.rawValue, tenant: tenant)
            }
        }
        guard value.count != new.count || !value.elementsEqual(new) else { return nil }
        tally.note(key.action, key.reason)
        return new
    }

    /// - Parameter isPart: it is an element of a list of parts.
    /// - Returns: the encoded AnyValue as it is to be; nil where it stays.
    mutating func redact(encoded value: UnsafeRawBufferPointer, _ key: KeyDecision, isPart: Bool = false) -> [UInt8]? {
        var fields = FieldReader(value)
        guard let field = fields.next() else { return nil }
        // The last member holds; what stands before it, or is not known, goes.
        let isPlain = field.end == value.count && Self.isMember(field.tag)
        if !isPlain { return rewritten(value, key) }
        switch field.tag {
        case Tag.arrayValue: return array(field.body, key).map { Field.encoded(Tag.arrayValue, $0) }
        case Tag.kvlistValue: return list(field.body, key, isPart: isPart).map { Field.encoded(Tag.kvlistValue, $0) }
        case Tag.stringValue where isPart && !parts.isEmpty:
            return parts.removeLast().map { Field.encoded(Tag.stringValue, $0) }
        default:
            return single(AnyValue(encoded: value), key).map { Field.encoded(Tag.stringValue, $0) }
        }
    }

    private mutating func rewritten(_ value: UnsafeRawBufferPointer, _ key: KeyDecision) -> [UInt8]? {
        tally.unknownFields += 1
        var last: [UInt8] = []
        var fields = FieldReader(value)
        while let field = fields.next() {
            if Self.isMember(field.tag) { last = Array(value[field.start..<field.end]) }
        }
        let padded = last + [UInt8](repeating: 0, count: 16)
        return padded.withUnsafeBytes {
            last.isEmpty ? nil : redact(encoded: UnsafeRawBufferPointer(rebasing: $0[..<last.count]), key)
        } ?? last
    }

    private static func isMember(_ tag: UInt64) -> Bool {
        switch tag {
        case Tag.stringValue, Tag.boolValue, Tag.intValue, Tag.doubleValue, Tag.arrayValue, Tag.kvlistValue,
            Tag.bytesValue:
            true
        default: false
        }
    }

    /// A value that is no list, as the text that takes its place; nil where it stays.
    mutating func single(_ value: AnyValue, _ key: KeyDecision) -> [UInt8]? {
        switch value {
        case .string(let text):
            return key.action == .scan ? redact(text, key) : text.isEmpty ? nil : replaced(text, key)
        case .bytes(let bytes):
            guard key.action == .scan else { return replaced(bytes, key) }
            guard let base = bytes.assumingMemoryBound(to: UInt8.self).baseAddress else { return nil }
            if isValidUTF8(base, bytes.count) { return redact(bytes, key) }
            // There is no text that could take the place of a part of them.
            let text = Self.text(in: base, bytes.count)
            let new = text.withUnsafeBytes { redact(UnsafeRawBufferPointer(rebasing: $0[..<bytes.count]), key) }
            return new == nil ? nil : Self.unchecked
        case .int(let number):
            if key.action != .scan { return Self.withBytes(of: number.description) { replaced($0, key) } }
            // Of bare numbers only those count that look like a payment card, or whose key says what they are.
            let isHinted = !key.hints.isDisjoint(with: .all)
            guard number > 999_999_999_999 || number > 999_999 && isHinted || policy.collector.redactsAllTypes else {
                return nil
            }
            return Self.withBytes(of: number.description) { plain($0, key) }
        case .double(let number):
            if key.action != .scan { return Self.withBytes(of: number.description) { replaced($0, key) } }
            guard policy.collector.redactsAllTypes else { return nil }
            return Self.withBytes(of: number.description) { plain($0, key) }
        case .empty, .bool, .array, .kvlist: return nil
        }
    }

    /// What of bytes is text, with spaces for the others: with them, many a picture would have an address in it.
    /// Followed by sixteen bytes that can be read.
    private static func text(in base: UnsafePointer<UInt8>, _ count: Int) -> [UInt8] {
        var text = [UInt8](repeating: UInt8(ascii: " "), count: count + 16)
        var at = 0
        while at < count {
            let length = base[at] < 0x80 ? 1 : sequenceLength(base + at, count - at)
            for place in at..<at + length { text[place] = base[place] }
            at += max(1, length)
        }
        return text
    }

    private static func withBytes(of text: String, _ body: (UnsafeRawBufferPointer) -> [UInt8]?) -> [UInt8]? {
        let bytes = Array(text.utf8)
        let padded = bytes + [UInt8](repeating: 0, count: 16)
        return padded.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[..<bytes.count])) }
    }

    /// - Returns: the body of an ArrayValue; nil where it stays.
    mutating func array(_ body: UnsafeRawBufferPointer, _ key: KeyDecision) -> [UInt8]? {
        let outer = parts
        parts = key.isParts && key.action == .scan ? redactedParts(of: body, key) : []
        defer { parts = outer }
        var result: [UInt8] = []
        var isChanged = false
        var fields = FieldReader(body)
        while let field = fields.next() {
            guard field.tag == Tag.arrayValues else {
                tally.unknownFields += 1
                isChanged = true
                continue
            }
            if let new = redact(encoded: field.body, key, isPart: key.isParts) {
                isChanged = true
                result += Field.encoded(Tag.arrayValues, new)
            } else {
                result += body[field.start..<field.end]
            }
        }
        return isChanged && !policy.isDryRun ? result : nil
    }

    /// The texts of a list of parts, the one that is met first at the end.
    private mutating func redactedParts(of body: UnsafeRawBufferPointer, _ key: KeyDecision) -> [[UInt8]?] {
        var texts: [(text: [UInt8], path: [UInt8])] = []
        func take(_ value: UnsafeRawBufferPointer, at path: [UInt8]) -> Field? {
            var fields = FieldReader(value)
            guard let field = fields.next(), field.end == value.count else { return nil }
            if field.tag == Tag.stringValue { texts.append((Array(field.body), path)) }
            return field
        }
        var elements = FieldReader(body)
        while let element = elements.next() {
            guard element.tag == Tag.arrayValues, let value = take(element.body, at: []),
                value.tag == Tag.kvlistValue
            else { continue }
            var pairs = FieldReader(value.body)
            while let pair = pairs.next() {
                guard pair.tag == Tag.kvlistValues else { continue }
                let (name, value, _) = Self.keyAndValue(pair.body)
                if decision(below: name).isTextOfPart { _ = take(value, at: [UInt8(ascii: ".")] + name) }
            }
        }
        return texts.count > 1 ? redact(parts: texts, key, depth: 0).reversed() : []
    }

    private mutating func decision(below name: UnsafeRawBufferPointer) -> KeyDecision {
        path.append(UInt8(ascii: "."))
        path += name
        defer { path.removeLast(name.count + 1) }
        return decision(forMember: name)
    }

    /// - Returns: the body of a KeyValueList; nil where it stays.
    mutating func list(_ body: UnsafeRawBufferPointer, _ outer: KeyDecision, isPart: Bool) -> [UInt8]? {
        var result: [UInt8] = []
        var isChanged = false
        var names = MemberNames()
        var fields = FieldReader(body)
        while let field = fields.next() {
            guard field.tag == Tag.kvlistValues else {
                tally.unknownFields += 1
                isChanged = true
                continue
            }
            if let new = pair(field.body, outer, isPart, &names) {
                isChanged = true
                result += Field.encoded(Tag.kvlistValues, new)
            } else {
                result += body[field.start..<field.end]
            }
        }
        return isChanged && !policy.isDryRun ? result : nil
    }

    private mutating func pair(
        _ body: UnsafeRawBufferPointer, _ outer: KeyDecision, _ isPart: Bool, _ names: inout MemberNames
    ) -> [UInt8]? {
        let (key, value, known) = Self.keyAndValue(body)
        let outerPath = path.count
        path.append(UInt8(ascii: "."))
        path += key
        defer { path.removeLast(path.count - outerPath) }
        let decision = outer.action == .scan ? decision(forMember: key) : outer
        let newKey = names.take(key, keyText(key))
        if newKey != nil { pathsAreLost = true }
        if decision.action == .encrypt { encryptMember() }
        var isText = false
        if isPart, decision.isTextOfPart {
            var fields = FieldReader(value)
            if let field = fields.next() { isText = field.tag == Tag.stringValue }
        }
        let newValue = redact(encoded: value, decision, isPart: isText)
        let whole = (key.isEmpty ? 0 : Self.size(key.count)) + (value.baseAddress == nil ? 0 : Self.size(value.count))
        guard newKey != nil || newValue != nil || known != body.count || whole != body.count else { return nil }
        return Field.encoded(Tag.keyValueKey, newKey ?? Array(key))
            + Field.encoded(Tag.keyValueValue, newValue ?? Array(value))
    }

    private static func keyAndValue(
        _ body: UnsafeRawBufferPointer
    ) -> (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, known: Int) {
        var key = UnsafeRawBufferPointer(start: nil, count: 0)
        var value = UnsafeRawBufferPointer(start: nil, count: 0)
        var known = 0
        var fields = FieldReader(body)
        while let field = fields.next() {
            if field.tag == Tag.keyValueKey { key = field.body }
            if field.tag == Tag.keyValueValue { value = field.body }
            known += field.tag == Tag.keyValueKey || field.tag == Tag.keyValueValue ? field.end - field.start : 0
        }
        return (key, value, known)
    }

    private static func size(_ count: Int) -> Int {
        1 + Field.varint(UInt64(count)).count + count
    }
}
