// JSON texts: leaf by leaf, each without its escapes, and put back so that the text still parses.
//
// What is nearly JSON is read as if it were: NaN, None and other bare words, raw line breaks in strings, a comma too
// many, several documents, text before and behind. Whatever does not parse even so is looked through as plain text.
extension RedactionPass {
    /// Objects and arrays that may be nested in one text. What is deeper is masked.
    private static let maxNesting = 200

    /// A text in which JSON stands.
    mutating func documents(
        _ text: UnsafeRawBufferPointer, from first: Int, _ key: KeyDecision, _ depth: Int
    ) -> [UInt8]? {
        var cursor = JSONCursor(text)
        if path.isEmpty { path += attributeKey }
        let outerPath = path.count
        var next: Int? = first
        while let start = next {
            let unseen = cursor.seen
            (cursor.at, cursor.nesting, cursor.isCut) = (start, 0, false)
            if value(&cursor, key, depth, isPart: false) { cursor.seen = cursor.at }
            path.removeLast(path.count - outerPath)
            if cursor.seen > unseen { between(&cursor, unseen..<start, key) }
            next = cursor.text.document(from: max(cursor.at, start + 1))
        }
        between(&cursor, cursor.seen..<text.count, key)
        return cursor.edited()
    }

    /// What stands around JSON texts is plain text.
    private mutating func between(_ cursor: inout JSONCursor, _ range: Range<Int>, _ key: KeyDecision) {
        guard canHold(range.count) else { return }
        if let changed = plain(cursor.bytes(range), key) { cursor.replace(range, with: changed) }
    }

    private mutating func value(_ cursor: inout JSONCursor, _ key: KeyDecision, _ depth: Int, isPart: Bool) -> Bool {
        switch cursor.peek() {
        case UInt8(ascii: "{"):
            if cursor.nesting == Self.maxNesting || key.action == .drop { return container(&cursor, key) }
            return object(&cursor, key, depth, isPart: isPart)
        case UInt8(ascii: "["):
            if cursor.skipMask() { return true }
            if cursor.nesting == Self.maxNesting || key.action == .drop { return container(&cursor, key) }
            return array(&cursor, key, depth)
        case UInt8(ascii: "\""): return string(&cursor, key, depth, isPart: isPart)
        default: return bare(&cursor, key)
        }
    }

    /// An object or array that goes, or that is too deep to be looked through.
    private mutating func container(_ cursor: inout JSONCursor, _ key: KeyDecision) -> Bool {
        let start = cursor.at
        _ = cursor.skip()
        cursor.seen = cursor.at
        if key.action == .drop {
            change(&cursor, start..<cursor.at, Self.removed)
            tally.note(key.action, key.reason)
        } else {
            change(&cursor, start..<cursor.at, Array("[TOO_DEEP]".utf8))
            tally.note(.depth)
        }
        return true
    }

    private mutating func change(_ cursor: inout JSONCursor, _ range: Range<Int>, _ new: [UInt8], isWhole: Bool = true)
    {
        cursor.seen = max(cursor.seen, range.upperBound)
        if !policy.isDryRun { cursor.replace(range, with: JSONCursor.quoted(new, isWhole: isWhole)) }
    }

    private mutating func object(_ cursor: inout JSONCursor, _ key: KeyDecision, _ depth: Int, isPart: Bool) -> Bool {
        cursor.at += 1
        cursor.nesting += 1
        defer { cursor.nesting -= 1 }
        var names = MemberNames()
        while true {
            switch cursor.peek() {
            case UInt8(ascii: "\""): break
            case UInt8(ascii: "}"):
                cursor.at += 1
                return true
            default: return cursor.ends()
            }
            let nameStart = cursor.at
            let (inside, hasEscapes, isWhole) = cursor.skipString()
            let outer = path.count
            let member = member(&cursor, inside, hasEscapes, nameStart..<cursor.at, isWhole, &names, of: key)
            cursor.seen = cursor.at
            guard isWhole else { return true }
            guard cursor.peek() == UInt8(ascii: ":") else { return cursor.ends() }
            cursor.at += 1
            guard memberValue(&cursor, member, depth, isPart: isPart && member.isTextOfPart) else { return false }
            path.removeLast(path.count - outer)
            if cursor.isCut { return true }
            switch cursor.peek() {
            case UInt8(ascii: ","): cursor.at += 1
            case UInt8(ascii: "}"): break
            default: return cursor.ends()
            }
        }
    }

    /// What the name of a member says. Something that stands in the name itself is replaced.
    private mutating func member(
        _ cursor: inout JSONCursor, _ inside: Range<Int>, _ hasEscapes: Bool, _ quoted: Range<Int>, _ isWhole: Bool,
        _ names: inout MemberNames, of outer: KeyDecision
    ) -> KeyDecision {
        var name = hasEscapes ? cursor.unescaped(inside) : []
        let count = hasEscapes ? name.count : inside.count
        if hasEscapes { name += [UInt8](repeating: 0, count: 16) }
        let base = cursor.text.base + inside.lowerBound
        return name.withUnsafeBytes { copy in
            let name = UnsafeRawBufferPointer(
                start: hasEscapes ? copy.baseAddress : UnsafeRawPointer(base), count: count)
            path.append(UInt8(ascii: "."))
            path += name
            if let new = names.take(name, keyText(name)) {
                pathsAreLost = true
                change(&cursor, quoted, new, isWhole: isWhole)
            }
            return outer.action == .scan ? decision(forMember: name) : outer
        }
    }

    /// A name in which something stands, without it.
    mutating func keyText(_ name: UnsafeRawBufferPointer) -> [UInt8]? {
        guard canHold(name.count) else { return nil }
        return plain(name, plainText)
    }

    /// The value of a member, as its name says.
    private mutating func memberValue(
        _ cursor: inout JSONCursor, _ member: KeyDecision, _ depth: Int, isPart: Bool
    ) -> Bool {
        switch member.action {
        case .scan, .mask, .hash, .drop: return value(&cursor, member, depth, isPart: isPart)
        case .keep, .encrypt:
            if member.action == .encrypt { encryptMember() }
            guard cursor.skip() else { return false }
            cursor.seen = cursor.at
            return true
        }
    }

    private mutating func array(_ cursor: inout JSONCursor, _ key: KeyDecision, _ depth: Int) -> Bool {
        cursor.at += 1
        cursor.nesting += 1
        let outer = (cursor.parts, cursor.partsBelow)
        (cursor.parts, cursor.partsBelow) = ([], path.count)
        let isKnown = elements(&cursor, key, depth)
        // An element that is none leaves its names behind.
        path.removeLast(path.count - cursor.partsBelow)
        if !cursor.parts.isEmpty { redactParts(&cursor, key, depth) }
        (cursor.parts, cursor.partsBelow) = outer
        cursor.nesting -= 1
        return isKnown
    }

    private mutating func elements(_ cursor: inout JSONCursor, _ key: KeyDecision, _ depth: Int) -> Bool {
        while true {
            if cursor.peek() == UInt8(ascii: "]") {
                cursor.at += 1
                return true
            }
            guard value(&cursor, key, depth, isPart: key.isParts && key.action == .scan) else { return false }
            if cursor.isCut { return true }
            switch cursor.peek() {
            case UInt8(ascii: ","): cursor.at += 1
            case UInt8(ascii: "]"): break
            default: return cursor.ends()
            }
        }
    }

    /// A number, `true`, `null`, or what other languages write in their place. Looked through are a number with as many
    /// digits as a payment card has, or one whose name says that it is something, and what is no number.
    private mutating func bare(_ cursor: inout JSONCursor, _ key: KeyDecision) -> Bool {
        let range = cursor.skipBare()
        guard !range.isEmpty else { return cursor.ends() }
        let bytes = cursor.bytes(range)
        if key.action != .scan {
            // Whether something is true or null tells of nobody.
            if Self.isLiteral(bytes) { return true }
            if let new = replaced(bytes, key) { change(&cursor, range, new) }
            cursor.seen = cursor.at
            return true
        }
        let isCandidate = range.count > 6 && !Self.isFraction(bytes) || policy.collector.redactsAllTypes
        // What goes on is no value; with what follows it, it is looked through as text.
        guard isCandidate, cursor.isBehindValue(), let changed = plain(bytes, key) else { return true }
        if bytes.first.map(isDigit) == true || bytes.first == UInt8(ascii: "-"), bytes.dropFirst().allSatisfy(isDigit) {
            change(&cursor, range, changed)
        } else {
            // It was no JSON before.
            cursor.seen = cursor.at
            if !policy.isDryRun { cursor.replace(range, with: changed) }
        }
        return true
    }

    private static func isLiteral(_ word: UnsafeRawBufferPointer) -> Bool {
        ["true", "false", "null", "none", "nan", "undefined", "infinity", "-infinity"].contains {
            $0.utf8.elementsEqual(word.lazy.map { isLetter($0) ? $0 | 0x20 : $0 })
        }
    }

    /// A number as JSON writes those that are no integers from zero on.
    private static func isFraction(_ word: UnsafeRawBufferPointer) -> Bool {
        var (dots, exponents) = (0, 0)
        for (place, byte) in word.enumerated() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): continue
            case UInt8(ascii: "."): dots += 1
            case UInt8(ascii: "e"), UInt8(ascii: "E"): exponents += 1
            case UInt8(ascii: "-") where place == 0: continue
            case UInt8(ascii: "+"), UInt8(ascii: "-"):
                guard place > 0, word[place - 1] | 0x20 == UInt8(ascii: "e") else { return false }
            default: return false
            }
        }
        return dots < 2 && exponents < 2 && (dots + exponents > 0 || word.first == UInt8(ascii: "-"))
    }

    private mutating func string(_ cursor: inout JSONCursor, _ key: KeyDecision, _ depth: Int, isPart: Bool) -> Bool {
        let start = cursor.at
        let (inside, hasEscapes, isWhole) = cursor.skipString()
        let range = start..<cursor.at
        cursor.seen = cursor.at
        if isPart {
            cursor.parts.append(
                JSONCursor.PartText(
                    range: range, content: cursor.unescaped(inside), isWhole: isWhole,
                    path: Array(path[cursor.partsBelow...])))
        } else if hasEscapes {
            var content = cursor.unescaped(inside)
            let count = content.count
            content += [UInt8](repeating: 0, count: 16)
            let changed = content.withUnsafeBytes {
                leaf(UnsafeRawBufferPointer(rebasing: $0[..<count]), key, depth)
            }
            if let changed { change(&cursor, range, changed, isWhole: isWhole) }
        } else if !inside.isEmpty, let changed = leaf(cursor.bytes(inside), key, depth) {
            change(&cursor, range, changed, isWhole: isWhole)
        }
        return true
    }

    private mutating func leaf(_ text: UnsafeRawBufferPointer, _ key: KeyDecision, _ depth: Int) -> [UInt8]? {
        key.action == .scan ? redact(text, key, depth: depth + 1) : text.isEmpty ? nil : replaced(text, key)
    }

    private mutating func redactParts(_ cursor: inout JSONCursor, _ key: KeyDecision, _ depth: Int) {
        let new = redact(parts: cursor.parts.map { ($0.content, $0.path) }, key, depth: depth + 1)
        for (part, text) in zip(cursor.parts, new) {
            if let text { cursor.replace(part.range, with: JSONCursor.quoted(text, isWhole: part.isWhole)) }
        }
    }
}
