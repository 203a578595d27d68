/// Goes through what stands inside of the value of an attribute: members of maps and elements of lists, in the value
/// itself, in a text that is JSON, and in texts of that. What is changed is put back in its place; all else stays byte
/// for byte.
struct MemberWalk: ~Copyable {
    /// Why a value cannot be gone through to its end. Nothing of it is changed then.
    enum Failure: String, Error, CaseIterable {
        /// Values, names or texts stand in others too deep.
        case depth
        /// Too many were asked for.
        case count
        /// It begins like JSON and does not go on like it, or was cut off inside of what was asked for.
        case syntax
        /// Something of a JSON text is meant that is no text but bytes, which are shown in base64 where there is JSON.
        case bytes
        /// The visitor has its own reasons.
        case stopped
    }

    /// JSON texts inside of JSON texts.
    static let maxDepth = 8
    /// Objects and arrays that are open.
    private static let maxNesting = 200

    private var place: MemberPlace
    private var nesting = 0

    init(_ key: UnsafeRawBufferPointer) {
        place = MemberPlace(key)
    }

    // MARK: JSON texts

    /// - Parameter text: followed by at least sixteen bytes that can be read.
    /// - Returns: the text as it is to be; nil where it stays.
    mutating func text<Visitor: MemberVisitor & ~Copyable>(
        _ text: UnsafeRawBufferPointer, _ visitor: inout Visitor, depth: Int = 0
    ) throws(Failure) -> [UInt8]? {
        try documents(text, &visitor, depth)?.edited()
    }

    /// Looks for what is asked for in bytes that are text; nothing of them is changed.
    mutating func bytes<Visitor: MemberVisitor & ~Copyable>(
        _ bytes: UnsafeRawBufferPointer, _ visitor: inout Visitor
    ) throws(Failure) {
        guard let base = bytes.assumingMemoryBound(to: UInt8.self).baseAddress, isValidUTF8(base, bytes.count),
            try text(bytes, &visitor) != nil
        else { return }
        throw .bytes
    }

    private mutating func documents<Visitor: MemberVisitor & ~Copyable>(
        _ text: UnsafeRawBufferPointer, _ visitor: inout Visitor, _ depth: Int
    ) throws(Failure) -> JSONCursor? {
        guard var start = JSONCursor.start(in: text) else { return nil }
        guard depth <= Self.maxDepth else { throw .depth }
        var cursor = JSONCursor(text)
        let outer = place.mark
        var count = 0
        while true {
            guard !cursor.hasName(cursor.at..<start) else { throw .syntax }
            (cursor.at, cursor.isCut) = (start, false)
            if count > 0 { place.enter(document: count) }
            guard try value(&cursor, &visitor, depth) else { throw .syntax }
            place.goBack(to: outer)
            count += 1
            guard let next = cursor.text.document(from: max(cursor.at, start + 1)) else { break }
            start = next
        }
        guard !cursor.hasName(cursor.at..<text.count) else { throw .syntax }
        return cursor
    }

    /// - Returns: whether there is one.
    private mutating func value<Visitor: MemberVisitor & ~Copyable>(
        _ cursor: inout JSONCursor, _ visitor: inout Visitor, _ depth: Int
    ) throws(Failure) -> Bool {
        guard !place.isTooLong else { throw .depth }
        let first = cursor.peek()
        let start = cursor.at
        if first == UInt8(ascii: "\"") {
            let (inside, hasEscapes, _) = cursor.skipString()
            if visitor.wants(place, text: cursor.bytes(inside)) {
                try change(start, &cursor, &visitor)
            } else if hasEscapes {
                // Names have quotes, which have escapes here.
                try texts(inside, &cursor, &visitor, depth)
            }
            return true
        }
        if visitor.wants(place, text: nil) {
            guard cursor.skip() else { return false }
            try change(start, &cursor, &visitor)
            return true
        }
        switch first {
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            if first == UInt8(ascii: "["), cursor.skipMask() { return true }
            guard nesting < Self.maxNesting else { throw .depth }
            nesting += 1
            cursor.at += 1
            defer { nesting -= 1 }
            return try first == UInt8(ascii: "[")
                ? array(&cursor, &visitor, depth) : object(&cursor, &visitor, depth)
        default: return cursor.skipBare().isEmpty ? cursor.ends() : true
        }
    }

    private mutating func change<Visitor: MemberVisitor & ~Copyable>(
        _ start: Int, _ cursor: inout JSONCursor, _ visitor: inout Visitor
    ) throws(Failure) {
        guard !cursor.isCut else { throw .syntax }
        let range = start..<cursor.at
        if let new = try visitor.change(.json(cursor.bytes(range)), at: place) { cursor.replace(range, with: new) }
    }

    private mutating func texts<Visitor: MemberVisitor & ~Copyable>(
        _ inside: Range<Int>, _ cursor: inout JSONCursor, _ visitor: inout Visitor, _ depth: Int
    ) throws(Failure) {
        let content = cursor.unescaped(inside)
        let padded = content + [UInt8](repeating: 0, count: 16)
        let result = padded.withUnsafeBytes { bytes in
            Result { () throws(Failure) in
                let text = UnsafeRawBufferPointer(rebasing: bytes[..<content.count])
                let inner = try documents(text, &visitor, depth + 1)
                if let inner, inner.isChanged { cursor.take(inner, inside: inside) }
            }
        }
        try result.get()
    }

    private mutating func object<Visitor: MemberVisitor & ~Copyable>(
        _ cursor: inout JSONCursor, _ visitor: inout Visitor, _ depth: Int
    ) throws(Failure) -> Bool {
        while true {
            switch cursor.peek() {
            case UInt8(ascii: "\""): break
            case UInt8(ascii: "}"):
                cursor.at += 1
                return true
            default: return cursor.ends()
            }
            let (inside, hasEscapes, isWhole) = cursor.skipString()
            guard isWhole else { return true }
            guard cursor.peek() == UInt8(ascii: ":") else { return cursor.ends() }
            cursor.at += 1
            let outer = place.mark
            if hasEscapes {
                cursor.unescaped(inside).withUnsafeBytes { place.enter($0) }
            } else {
                place.enter(cursor.bytes(inside))
            }
            guard try value(&cursor, &visitor, depth) else { return false }
            place.goBack(to: outer)
            if cursor.isCut { return true }
            switch cursor.peek() {
            case UInt8(ascii: ","): cursor.at += 1
            case UInt8(ascii: "}"): break
            default: return cursor.ends()
            }
        }
    }

    private mutating func array<Visitor: MemberVisitor & ~Copyable>(
        _ cursor: inout JSONCursor, _ visitor: inout Visitor, _ depth: Int
    ) throws(Failure) -> Bool {
        var index = 0
        while true {
            if cursor.peek() == UInt8(ascii: "]") {
                cursor.at += 1
                return true
            }
            let outer = place.mark
            place.enter(element: index)
            guard try value(&cursor, &visitor, depth) else { return false }
            place.goBack(to: outer)
            index += 1
            if cursor.isCut { return true }
            switch cursor.peek() {
            case UInt8(ascii: ","): cursor.at += 1
            case UInt8(ascii: "]"): break
            default: return cursor.ends()
            }
        }
    }

    // MARK: Maps and lists

    /// - Parameter list: the body of an ArrayValue or of a KeyValueList.
    /// - Returns: the body as it is to be; nil where it stays.
    mutating func list<Visitor: MemberVisitor & ~Copyable>(
        _ list: UnsafeRawBufferPointer, isMap: Bool, _ visitor: inout Visitor
    ) throws(Failure) -> [UInt8]? {
        guard nesting < Self.maxNesting else { throw .depth }
        nesting += 1
        defer { nesting -= 1 }
        var result: [UInt8] = []
        var isChanged = false
        var index = 0
        var fields = FieldReader(list)
        while let field = fields.next() {
            guard field.tag == (isMap ? Tag.kvlistValues : Tag.arrayValues) else { throw .syntax }
            let outer = place.mark
            let new: [UInt8]?
            if isMap {
                new = try pair(field.body, &visitor)
            } else {
                place.enter(element: index)
                new = try encoded(field.body, &visitor)
            }
            place.goBack(to: outer)
            index += 1
            if let new {
                isChanged = true
                result += Field.encoded(field.tag, new)
            } else {
                result += list[field.start..<field.end]
            }
        }
        guard !fields.isBroken else { throw .syntax }
        return isChanged ? result : nil
    }

    private mutating func pair<Visitor: MemberVisitor & ~Copyable>(
        _ pair: UnsafeRawBufferPointer, _ visitor: inout Visitor
    ) throws(Failure) -> [UInt8]? {
        var key: Field?
        var value: Field?
        var fields = FieldReader(pair)
        while let field = fields.next() {
            switch field.tag {
            case Tag.keyValueKey where key == nil: key = field
            case Tag.keyValueValue where value == nil: value = field
            default: throw .syntax
            }
        }
        guard !fields.isBroken else { throw .syntax }
        place.enter(key?.body ?? UnsafeRawBufferPointer(start: nil, count: 0))
        guard let value, let new = try encoded(value.body, &visitor) else { return nil }
        return pair[..<value.start] + Field.encoded(Tag.keyValueValue, new) + pair[value.end...]
    }

    /// - Parameter bytes: an AnyValue.
    private mutating func encoded<Visitor: MemberVisitor & ~Copyable>(
        _ bytes: UnsafeRawBufferPointer, _ visitor: inout Visitor
    ) throws(Failure) -> [UInt8]? {
        guard !place.isTooLong else { throw .depth }
        guard !bytes.isEmpty else { return nil }
        var fields = FieldReader(bytes)
        // One that holds, and nothing behind it that some reader may take in its place.
        guard let field = fields.next(), field.end == bytes.count else { throw .syntax }
        if visitor.wants(place, text: field.tag == Tag.stringValue ? field.body : nil) {
            return try visitor.change(.encoded(bytes), at: place)
        }
        let new: [UInt8]?
        switch field.tag {
        case Tag.stringValue: new = try text(field.body, &visitor)
        case Tag.arrayValue: new = try list(field.body, isMap: false, &visitor)
        case Tag.kvlistValue: new = try list(field.body, isMap: true, &visitor)
        case Tag.bytesValue where Visitor.looksIntoBytes:
            try self.bytes(field.body, &visitor)
            new = nil
        default: new = nil
        }
        return new.map { Field.encoded(field.tag, $0) }
    }
}

extension JSONCursor {
    /// Whether something stands there that looks like the name of a member.
    fileprivate func hasName(_ range: Range<Int>) -> Bool {
        let bytes = bytes(range)
        return bytes.indices.contains { at in
            guard bytes[at] == UInt8(ascii: ":") else { return false }
            let name = bytes[..<at].last { $0 != 0x20 && $0 != 0x09 }
            return name == UInt8(ascii: "\"") || name == UInt8(ascii: "'")
        }
    }
}
