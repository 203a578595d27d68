// What stands inside of the value of an attribute: members of maps, and of JSON texts.
extension EncryptionPass {
    /// - Returns: whether that is done; if not, nothing of the attribute was changed, and all of it is to be encrypted.
    mutating func members(
        of attribute: AttributeRecord, at index: Int, _ owner: AttributeOwner, _ batch: inout Batch
    ) throws(KeyError) -> Bool {
        members.begin(attribute: batch.arena.pointee.membersToEncrypt[attribute.marks])
        let before = (counts, members.indices.count)
        var walk = MemberWalk(batch.bytes(attribute.key))
        let new: [UInt8]?
        do throws(MemberWalk.Failure) {
            let value = batch.bytes(attribute.valueRef)
            switch attribute.kind {
            case .string: new = try walk.text(value, &self)
            case .array: new = try walk.list(value, isMap: false, &self)
            case .kvlist: new = try walk.list(value, isMap: true, &self)
            case .bytes:
                try walk.bytes(value, &self)
                new = nil
            case .empty, .bool, .int, .double: return members.isComplete
            }
            guard members.isComplete else { throw .syntax }
        } catch {
            if let problem = members.problem { throw problem }
            counts = before.0
            counts.whole[error, default: 0] += 1
            members.indices.removeLast(members.indices.count - before.1)
            return false
        }
        guard let new else { return true }
        let ref = new.withUnsafeBytes { batch.intern($0) }
        batch.set(attributeAt: index, to: StoredValue(kind: attribute.kind, bits: ref.packed), of: owner)
        return true
    }
}

extension EncryptionPass: MemberVisitor {
    static var looksIntoBytes: Bool { true }

    mutating func wants(_ place: borrowing MemberPlace, text: UnsafeRawBufferPointer?) -> Bool {
        guard place.isOfMember else { return false }
        var verdicts = members.verdicts
        members.verdicts = StepVerdicts()
        defer { members.verdicts = verdicts }
        return verdicts.last(of: place) { place, step, _ in
            // The steps before were asked for when they were the last.
            guard step == place.steps.count - 1, wants(place) || members.isMarked(place.path) else { return false }
            members.meet(place.path)
            return true
        }
    }

    mutating func change(
        _ value: MemberValue, at place: borrowing MemberPlace
    ) throws(MemberWalk.Failure) -> [UInt8]? {
        do throws(KeyError) {
            guard try seal(value, at: place) else { return nil }
            if members.takesIndices { try addIndex(of: value, at: place) }
        } catch {
            members.problem = error
            throw .stopped
        }
        guard members.add() else { throw .count }
        let envelope = copyOfEnvelope()
        // It has nothing that JSON escapes.
        return switch value {
        case .json: [UInt8(ascii: "\"")] + envelope + [UInt8(ascii: "\"")]
        case .encoded: Field.encoded(Tag.stringValue, envelope)
        }
    }

    /// - Returns: whether there is an envelope to be written in the value's place.
    private mutating func seal(_ value: MemberValue, at place: borrowing MemberPlace) throws(KeyError) -> Bool {
        let path = place.address
        let isSealed: Bool
        switch value {
        case .json(let text): isSealed = try seal(json: text, path: path)
        case .encoded(let bytes):
            switch AnyValue(encoded: bytes) {
            case .empty: isSealed = false
            case .bool(let flag): isSealed = try seal(number: UInt8(flag ? 1 : 0), .bool, path: path)
            case .int(let number): isSealed = try seal(number: number.bigEndian, .int, path: path)
            case .double(let number): isSealed = try seal(number: number.bitPattern.bigEndian, .double, path: path)
            case .string(let text): isSealed = try seal(text, .string, path: path)
            case .bytes(let bytes): isSealed = try seal(bytes, .bytes, path: path)
            case .array: isSealed = try seal(body(of: bytes), .array, path: path)
            case .kvlist: isSealed = try seal(body(of: bytes), .kvlist, path: path)
            }
        }
        // Found, though it stays what it is.
        if !isSealed { _ = members.add() }
        return isSealed
    }

    private mutating func seal(
        json text: UnsafeRawBufferPointer, path: FieldAddress.Path
    ) throws(KeyError) -> Bool {
        // That there is nothing is said of nobody.
        if text.elementsEqual("null".utf8) { return false }
        if text.first == UInt8(ascii: "\""), passes(text.insideQuotes, path: path) { return false }
        return try seal(text, nil, path: path)
    }

    private func body(of value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var fields = FieldReader(value)
        return fields.next()?.body ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// Of several values at one path, the first is found.
    private mutating func addIndex(of value: MemberValue, at place: borrowing MemberPlace) throws(KeyError) {
        let path = place.path
        guard let name = policy.indexed.first(where: { $0.bytes == path }), let text = value.textToFind else { return }
        let index = try index(name, of: text)
        if !members.indices.contains(where: { $0.name == index.name }) { members.indices.append(index) }
    }
}

extension MemberValue {
    /// What equal values have alike: of a text its bytes, of a whole number its digits.
    fileprivate var textToFind: [UInt8]? {
        switch self {
        case .json(let text) where text.first == UInt8(ascii: "\""):
            return JSONCursor(text).unescaped(1..<max(1, text.count - 1))
        case .json(let text):
            let digits = text.first == UInt8(ascii: "-") ? text.dropFirst() : text[...]
            return digits.allSatisfy(isDigit) ? Array(text) : nil
        case .encoded(let bytes):
            switch AnyValue(encoded: bytes) {
            case .string(let text): return Array(text)
            case .int(let number): return Array("\(number)".utf8)
            default: return nil
            }
        }
    }
}
