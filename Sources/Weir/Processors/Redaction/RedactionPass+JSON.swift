// JSON texts: leaf by leaf, each without its escapes, and put back so that the text still parses.
extension RedactionPass {
    /// Objects and arrays that may be nested in one text. What is deeper makes it a text that is no JSON.
    private static let maxNesting = 200

    /// - Returns: whether the text is JSON, to its end or to where it was cut.
    mutating func document(_ cursor: inout JSONCursor, _ key: KeyDecision, _ depth: Int) -> Bool {
        _ = cursor.peek()
        guard value(&cursor, key, depth, isPart: false) else { return false }
        return cursor.isCut || cursor.peek() == 0 && cursor.at >= cursor.text.count
    }

    private mutating func value(_ cursor: inout JSONCursor, _ key: KeyDecision, _ depth: Int, isPart: Bool) -> Bool {
        switch cursor.peek() {
        case UInt8(ascii: "{"): return object(&cursor, key, depth, isPart: isPart)
        case UInt8(ascii: "["): return array(&cursor, key, depth)
        case UInt8(ascii: "\""): return string(&cursor, key, depth, isPart: isPart)
        case UInt8(ascii: "t"): return word(&cursor, "true")
        case UInt8(ascii: "f"): return word(&cursor, "false")
        case UInt8(ascii: "n"): return word(&cursor, "null")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return number(&cursor, key)
        default: return cursor.ends()
        }
    }

    private func word(_ cursor: inout JSONCursor, _ word: StaticString) -> Bool {
        if cursor.text.has(word, cursor.at) {
            cursor.at += word.utf8CodeUnitCount
            return true
        }
        guard cursor.text.count - cursor.at < word.utf8CodeUnitCount else { return false }
        cursor.at = cursor.text.count
        return cursor.ends()
    }

    private mutating func object(_ cursor: inout JSONCursor, _ key: KeyDecision, _ depth: Int, isPart: Bool) -> Bool {
        guard enter(&cursor) else { return false }
        defer { cursor.nesting -= 1 }
        if cursor.peek() == UInt8(ascii: "}") {
            cursor.at += 1
            return true
        }
        while true {
            guard cursor.peek() == UInt8(ascii: "\"") else { return cursor.ends() }
            let nameStart = cursor.at
            guard let (inside, hasEscapes, isWhole) = cursor.skipString() else { return false }
            let outer = cursor.path.count
            let member = member(&cursor, inside, hasEscapes, nameStart..<cursor.at, isWhole)
            guard isWhole else { return true }
            guard cursor.peek() == UInt8(ascii: ":") else { return cursor.ends() }
            cursor.at += 1
            let isKnown = memberValue(&cursor, member, depth, isPart: isPart && member.isPartText)
            cursor.path.removeLast(cursor.path.count - outer)
            guard isKnown else { return false }
            if cursor.isCut { return true }
            switch cursor.peek() {
            case UInt8(ascii: ","): cursor.at += 1
            case UInt8(ascii: "}"):
                cursor.at += 1
                return true
            default: return cursor.ends()
            }
        }
    }

    private func enter(_ cursor: inout JSONCursor) -> Bool {
        cursor.at += 1
        cursor.nesting += 1
        return cursor.nesting <= Self.maxNesting
    }

    /// What the name of a member says. Something that stands in the name itself is replaced.
    private mutating func member(
        _ cursor: inout JSONCursor, _ inside: Range<Int>, _ hasEscapes: Bool, _ quoted: Range<Int>, _ isWhole: Bool
    ) -> KeyDecision {
        var name = hasEscapes ? cursor.unescaped(inside) : []
        let count = hasEscapes ? name.count : inside.count
        if hasEscapes { name += [UInt8](repeating: 0, count: 16) }
        let base = cursor.text.base + inside.lowerBound
        return name.withUnsafeBytes { copy in
            let name = UnsafeRawBufferPointer(
                start: hasEscapes ? copy.baseAddress : UnsafeRawPointer(base), count: count)
            if !policy.keys.isEmpty {
                cursor.path.append(UInt8(ascii: "."))
                cursor.path += name
            }
            if let replacement = keyText(name) {
                cursor.replace(quoted, with: JSONCursor.quoted(replacement, isWhole: isWhole))
            }
            return decision(forMember: name, path: cursor.path)
        }
    }

    /// A name in which something stands, without it.
    mutating func keyText(_ name: UnsafeRawBufferPointer) -> [UInt8]? {
        guard name.count > 5 else { return nil }
        return plain(name, KeyDecision(detectors: policy.detectors))
    }

    /// The value of a member, as its name says.
    private mutating func memberValue(
        _ cursor: inout JSONCursor, _ member: KeyDecision, _ depth: Int, isPart: Bool
    ) -> Bool {
        switch member.action {
        case .scan: return value(&cursor, member, depth, isPart: isPart)
        case .keep: return skip(&cursor)
        case .encrypt:
            // What it stands in is encrypted as a whole.
            wantsEncryption = true
            return skip(&cursor)
        case .mask, .drop, .hash:
            _ = cursor.peek()
            let start = cursor.at
            let first = cursor.text.byte(start)
            guard skip(&cursor), cursor.at > start else { return cursor.isCut }
            // Whether something is true or null tells of nobody.
            if first == UInt8(ascii: "t") || first == UInt8(ascii: "f") || first == UInt8(ascii: "n") { return true }
            let range = start..<cursor.at
            let isText = first == UInt8(ascii: "\"")
            var content =
                isText
                ? cursor.unescaped(start + 1..<max(start + 1, cursor.at - (cursor.isCut ? 0 : 1)))
                : Array(UnsafeBufferPointer(start: cursor.text.base + start, count: range.count))
            if content.isEmpty { return true }
            content = content.withUnsafeBytes { replaced($0, member) } ?? content
            if !policy.isDryRun {
                cursor.replace(range, with: JSONCursor.quoted(content, isWhole: !cursor.isCut || !isText))
            }
            return true
        }
    }

    /// Goes behind a value without a look into it.
    private mutating func skip(_ cursor: inout JSONCursor) -> Bool {
        var probe = JSONCursor(UnsafeRawBufferPointer(start: cursor.text.base, count: cursor.text.count))
        probe.at = cursor.at
        probe.nesting = cursor.nesting
        var open = 0
        repeat {
            switch probe.peek() {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open += 1
                probe.at += 1
                if open > Self.maxNesting { return false }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                open -= 1
                probe.at += 1
            case UInt8(ascii: "\""): if probe.skipString() == nil { return false }
            case 0 where probe.at >= probe.text.count:
                cursor.at = probe.at
                return cursor.ends()
            case UInt8(ascii: ","), UInt8(ascii: ":"): probe.at += 1
            default:
                let start = probe.at
                while isWordByte(probe.text.byte(probe.at)) || "+-.".utf8.contains(probe.text.byte(probe.at)) {
                    probe.at += 1
                }
                if probe.at == start { return false }
            }
            if probe.isCut { break }
        } while open > 0
        cursor.at = probe.at
        cursor.isCut = probe.isCut
        return true
    }

    private mutating func array(_ cursor: inout JSONCursor, _ key: KeyDecision, _ depth: Int) -> Bool {
        guard enter(&cursor) else { return false }
        let outer = cursor.lastPart
        cursor.lastPart = nil
        defer {
            cursor.nesting -= 1
            cursor.lastPart = outer
        }
        if cursor.peek() == UInt8(ascii: "]") {
            cursor.at += 1
            return true
        }
        while true {
            guard value(&cursor, key, depth, isPart: key.isParts) else { return false }
            if cursor.isCut { return true }
            switch cursor.peek() {
            case UInt8(ascii: ","): cursor.at += 1
            case UInt8(ascii: "]"):
                cursor.at += 1
                return true
            default: return cursor.ends()
            }
        }
    }

    /// A number with as many digits as a payment card has, or one whose name says that it is something.
    private mutating func number(_ cursor: inout JSONCursor, _ key: KeyDecision) -> Bool {
        let start = cursor.at
        while isWordByte(cursor.text.byte(cursor.at)) || "+-.".utf8.contains(cursor.text.byte(cursor.at)) {
            cursor.at += 1
        }
        let range = start..<cursor.at
        guard range.count > 6, range.allSatisfy({ isDigit(cursor.text.base[$0]) }) else { return true }
        let bytes = UnsafeRawBufferPointer(start: cursor.text.base + start, count: range.count)
        if let changed = plain(bytes, key) { cursor.replace(range, with: JSONCursor.quoted(changed)) }
        return true
    }

    private mutating func string(_ cursor: inout JSONCursor, _ key: KeyDecision, _ depth: Int, isPart: Bool) -> Bool {
        let start = cursor.at
        guard let (inside, hasEscapes, isWhole) = cursor.skipString() else { return false }
        let range = start..<cursor.at
        if hasEscapes {
            var content = cursor.unescaped(inside)
            let count = content.count
            content += [UInt8](repeating: 0, count: 16)
            let changed = content.withUnsafeBytes {
                redact(UnsafeRawBufferPointer(rebasing: $0[..<count]), key, depth: depth + 1)
            }
            if let changed { cursor.replace(range, with: JSONCursor.quoted(changed, isWhole: isWhole)) }
        } else if !inside.isEmpty {
            let bytes = UnsafeRawBufferPointer(start: cursor.text.base + inside.lowerBound, count: inside.count)
            if let changed = redact(bytes, key, depth: depth + 1) {
                cursor.replace(range, with: JSONCursor.quoted(changed, isWhole: isWhole))
            }
        }
        if isPart, isWhole { join(&cursor, range, key, depth) }
        return true
    }

    /// Bytes of two parts that are looked at together.
    private static let seam = 256

    /// Finds what begins in one part of a message and ends in the next.
    private mutating func join(_ cursor: inout JSONCursor, _ range: Range<Int>, _ key: KeyDecision, _ depth: Int) {
        defer { cursor.lastPart = JSONCursor.PartText(range: range, nesting: cursor.nesting) }
        guard let last = cursor.lastPart, last.nesting == cursor.nesting else { return }
        let before = cursor.unescaped(last.range.lowerBound + 1..<last.range.upperBound - 1)
        let behind = cursor.unescaped(range.lowerBound + 1..<range.upperBound - 1)
        let tail = min(before.count, Self.seam)
        let text = before.suffix(tail) + behind.prefix(Self.seam)
        let padded = text + [UInt8](repeating: 0, count: 16)
        scanner.enabled = key.detectors
        padded.withUnsafeBytes {
            scanner.scan(UnsafeRawBufferPointer(rebasing: $0[..<text.count]), hints: key.hints)
        }
        for index in 0..<scanner.findings.count {
            let finding = scanner.findings[index]
            guard finding.start < tail, finding.end > tail else { continue }
            tally.note(finding.kind, policy.action(of: finding.kind))
            if policy.isDryRun { return }
            let first = redactedPart(before.dropLast(tail - finding.start), key, depth) + label(finding.kind)
            let second = redactedPart(behind.dropFirst(finding.end - tail), key, depth)
            cursor.replace(last.range, with: JSONCursor.quoted(first))
            cursor.replace(range, with: JSONCursor.quoted(second))
            return
        }
    }

    private mutating func redactedPart(_ part: ArraySlice<UInt8>, _ key: KeyDecision, _ depth: Int) -> [UInt8] {
        let padded = part + [UInt8](repeating: 0, count: 16)
        return padded.withUnsafeBytes {
            redact(UnsafeRawBufferPointer(rebasing: $0[..<part.count]), key, depth: depth + 1)
        } ?? Array(part)
    }
}
