/// Reads a JSON text (RFC 8259) into a ``JSONTree``, and mends what many readers of JSON do not take: an integer of
/// more than 64 bits becomes a text, and half a surrogate pair U+FFFD.
struct JSONTreeReader {
    /// Objects and arrays inside of each other: more than an attribute of the 200 that a receiver takes, in an event.
    static let maxDepth = 256

    private let text: UnsafeRawBufferPointer
    private var at = 0
    private var leavesMembers: Bool
    /// Of the objects that are gone through, without making a tree of them.
    private var names: [UnsafeRawBufferPointer] = []

    private init(_ text: UnsafeRawBufferPointer, leavesMembers: Bool) {
        self.text = text
        self.leavesMembers = leavesMembers
    }

    /// The value; nil where the text is not JSON, or nested too deep.
    static func value(_ text: UnsafeRawBufferPointer) -> JSONTree? { value(text, leavesMembers: false) }

    private static func value(_ text: UnsafeRawBufferPointer, leavesMembers: Bool) -> JSONTree? {
        var reader = JSONTreeReader(text, leavesMembers: leavesMembers)
        guard let tree = reader.value(depth: 0) else { return nil }
        reader.skipSpace()
        return reader.at == text.count ? tree : nil
    }

    /// The same for an object or an array, and nil for anything else.
    /// - Parameter leavesMembers: whether objects and arrays in an object are left whole where they can be.
    static func container(_ text: UnsafeRawBufferPointer, leavesMembers: Bool = false) -> JSONTree? {
        guard let first = text.first(where: { $0 > 0x20 }), first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
        else { return nil }
        return value(text, leavesMembers: leavesMembers && first == UInt8(ascii: "{"))
    }

    private mutating func skipSpace() {
        while at < text.count {
            switch text[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            default: return
            }
        }
    }

    private mutating func peek() -> UInt8 {
        if at < text.count, text[at] > 0x20 { return text[at] }
        skipSpace()
        return at < text.count ? text[at] : 0
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        at += 1
        return true
    }

    private mutating func value(depth: Int) -> JSONTree? {
        let first = peek()
        if depth > 0, leavesMembers, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
            let start = at
            if skip(depth: depth) { return .whole(UnsafeRawBufferPointer(rebasing: text[start..<at])) }
            // From here on all is read, so that nothing is gone through more than twice.
            (at, leavesMembers) = (start, false)
        }
        return switch first {
        case UInt8(ascii: "{"): depth < Self.maxDepth ? object(depth: depth) : nil
        case UInt8(ascii: "["): depth < Self.maxDepth ? array(depth: depth) : nil
        case UInt8(ascii: "\""): string().map(JSONTree.string)
        case UInt8(ascii: "t"): word("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): word("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): word("null") ? .null : nil
        default: number()
        }
    }

    private mutating func object(depth: Int) -> JSONTree? {
        at += 1
        var members: [JSONTree.Member] = []
        if take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            guard peek() == UInt8(ascii: "\""), let key = string(), take(UInt8(ascii: ":")),
                let value = value(depth: depth + 1)
            else { return nil }
            members.append((key, value))
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "}")) ? .object(members) : nil
    }

    private mutating func array(depth: Int) -> JSONTree? {
        at += 1
        var elements: [JSONTree] = []
        if take(UInt8(ascii: "]")) { return .array(elements) }
        repeat {
            guard let element = value(depth: depth + 1) else { return nil }
            elements.append(element)
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "]")) ? .array(elements) : nil
    }

    private mutating func word(_ word: StaticString) -> Bool {
        let bytes = UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard at + bytes.count <= text.count,
            UnsafeRawBufferPointer(rebasing: text[at..<at + bytes.count]).elementsEqual(bytes)
        else { return false }
        at += bytes.count
        return true
    }
}

// MARK: - Values that are left whole

extension JSONTreeReader {
    /// Of one object, up to here.
    private static let maxNames = 32

    /// Goes behind a value.
    /// - Returns: false where it is none, would be written in another way than it stands there, or does not say at once
    ///   that it would not: names with escapes, and many names. Line feeds too: a body in parts has none in its parts.
    private mutating func skip(depth: Int) -> Bool {
        switch next() {
        case UInt8(ascii: "\""): return isSound(string())
        case UInt8(ascii: "{"): return depth < Self.maxDepth && skipObject(depth: depth)
        case UInt8(ascii: "["): return depth < Self.maxDepth && skipArray(depth: depth)
        case UInt8(ascii: "t"): return word("true")
        case UInt8(ascii: "f"): return word("false")
        case UInt8(ascii: "n"): return word("null")
        default:
            guard case .number? = number() else { return false }
            return true
        }
    }

    private func isSound(_ text: JSONTree.Text?) -> Bool {
        switch text {
        case .plain?, .escaped?: true
        case .own?, nil: false
        }
    }

    private mutating func next() -> UInt8 {
        while at < text.count, text[at] == UInt8(ascii: " ") { at += 1 }
        return at < text.count ? text[at] : 0
    }

    private mutating func pass(_ byte: UInt8) -> Bool {
        guard next() == byte else { return false }
        at += 1
        return true
    }

    private mutating func skipObject(depth: Int) -> Bool {
        at += 1
        if pass(UInt8(ascii: "}")) { return true }
        let first = names.count
        repeat {
            guard next() == UInt8(ascii: "\""), case .plain(let name)? = string(), names.count - first < Self.maxNames,
                !names[first...].contains(where: { AttributeKey.areEqual($0, name) }), pass(UInt8(ascii: ":"))
            else { return false }
            names.append(name)
            guard skip(depth: depth + 1) else { return false }
        } while pass(UInt8(ascii: ","))
        names.removeSubrange(first...)
        return pass(UInt8(ascii: "}"))
    }

    private mutating func skipArray(depth: Int) -> Bool {
        at += 1
        if pass(UInt8(ascii: "]")) { return true }
        repeat {
            guard skip(depth: depth + 1) else { return false }
        } while pass(UInt8(ascii: ","))
        return pass(UInt8(ascii: "]"))
    }
}

// MARK: - Strings

extension JSONTreeReader {
    private mutating func string() -> JSONTree.Text? {
        at += 1
        let start = at
        var hasEscapes = false
        var isSound = true
        while true {
            skipPlain()
            guard at < text.count else { return nil }
            switch text[at] {
            case UInt8(ascii: "\""):
                let inside = UnsafeRawBufferPointer(rebasing: text[start..<at])
                at += 1
                if !isSound { return .own(Self.unescaped(inside)) }
                return hasEscapes ? .escaped(inside) : .plain(inside)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                guard let sound = skipEscape() else { return nil }
                isSound = isSound && sound
            default: return nil
            }
        }
    }

    /// Goes to the next quote, backslash or control character.
    private mutating func skipPlain() {
        while at + 32 <= text.count {
            guard !JSONWriter.needsEscape(text.loadUnaligned(fromByteOffset: at, as: SIMD4<UInt64>.self)) else { break }
            at += 32
        }
        while at + 8 <= text.count {
            guard !JSONWriter.needsEscape(text.loadUnaligned(fromByteOffset: at, as: UInt64.self)) else { break }
            at += 8
        }
        while at < text.count, text[at] >= 0x20, text[at] != UInt8(ascii: "\""), text[at] != UInt8(ascii: "\\") {
            at += 1
        }
    }

    /// - Returns: whether it stands for a character that may stay escaped; nil where it is no escape.
    private mutating func skipEscape() -> Bool? {
        guard at + 1 < text.count else { return nil }
        switch text[at + 1] {
        case UInt8(ascii: "u"):
            guard let unit = Self.unit(text, at + 2) else { return nil }
            at += 6
            // Who writes it may have to put something else in place of U+0000.
            guard unit & 0xF800 == 0xD800 else { return unit != 0 }
            guard unit & 0xFC00 == 0xD800, at + 1 < text.count, text[at] == UInt8(ascii: "\\"),
                text[at + 1] == UInt8(ascii: "u"), let low = Self.unit(text, at + 2), low & 0xFC00 == 0xDC00
            else { return false }
            at += 6
            return true
        case let letter where "\"\\/bfnrt".utf8.contains(letter):
            at += 2
            return true
        default: return nil
        }
    }

    private static func unit(_ text: UnsafeRawBufferPointer, _ at: Int) -> UInt16? {
        guard at + 4 <= text.count else { return nil }
        var unit: UInt16 = 0
        for place in at..<at + 4 {
            guard let digit = hexDigit(text[place]) else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// The inside of a string that the reader has passed, without its escapes.
    static func unescaped(_ inside: UnsafeRawBufferPointer) -> String {
        var units: [UInt16] = []
        var text = ""
        // Escapes of surrogates stand for one character together, so they are collected.
        func flush() {
            if !units.isEmpty { text += String(decoding: units, as: UTF16.self) }
            units = []
        }
        var at = 0
        while at < inside.count {
            let end = inside[at...].firstIndex(of: UInt8(ascii: "\\")) ?? inside.count
            if end > at {
                flush()
                text += String(decoding: inside[at..<end], as: UTF8.self)
            }
            guard end + 1 < inside.count else { break }
            at = end + 2
            switch inside[end + 1] {
            case UInt8(ascii: "u"):
                units.append(unit(inside, at) ?? 0xFFFD)
                at += 4
            case UInt8(ascii: "n"): units.append(0x0A)
            case UInt8(ascii: "r"): units.append(0x0D)
            case UInt8(ascii: "t"): units.append(0x09)
            case UInt8(ascii: "b"): units.append(0x08)
            case UInt8(ascii: "f"): units.append(0x0C)
            case let letter: units.append(UInt16(letter))
            }
        }
        flush()
        return text
    }
}

// MARK: - Numbers

extension JSONTreeReader {
    private mutating func number() -> JSONTree? {
        let start = at
        if at < text.count, text[at] == UInt8(ascii: "-") { at += 1 }
        let digits = at
        if at < text.count, text[at] == UInt8(ascii: "0") { at += 1 } else { skipDigits() }
        guard at > digits else { return nil }
        var isInteger = true
        if at < text.count, text[at] == UInt8(ascii: ".") {
            isInteger = false
            at += 1
            guard skipDigits() else { return nil }
        }
        if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            at += 1
            if at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") { at += 1 }
            guard skipDigits() else { return nil }
        }
        let number = UnsafeRawBufferPointer(rebasing: text[start..<at])
        if isInteger, number.count <= 18 { return .number(number) }
        let text = String(decoding: number, as: UTF8.self)
        let isSound = isInteger ? Int64(text) != nil : Double(text).map(\.isFinite) ?? false
        return isSound ? .number(number) : .string(.plain(number))
    }

    @discardableResult
    private mutating func skipDigits() -> Bool {
        let start = at
        while at < text.count, isDigit(text[at]) { at += 1 }
        return at > start
    }
}
