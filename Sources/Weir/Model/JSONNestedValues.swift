// Arrays, kvlists, bytes and entity references, written as protobuf into the side buffer.

extension JSONAttributeReader {
    // MARK: Bytes

    /// proto3 JSON: "standard base64 encoding with paddings. Either standard or URL-safe … with/without paddings are
    /// accepted".
    func readBase64(_ scanner: inout JSONScanner) throws(JSONProblem) -> ByteRef {
        let text = try scanner.readString()
        let source =
            text.isInSide ? UnsafePointer(arena.pointee.side.base) + text.position : scanner.base + text.position
        var count = Int(text.count)
        while count > 0, Int(text.count) - count < 2, source[count - 1] == UInt8(ascii: "=") { count -= 1 }
        guard count % 4 != 1, count == Int(text.count) || text.count % 4 == 0 else { throw .defect(.value) }
        // Text with escapes stands in the side buffer. The bytes, which are fewer, take its place.
        if text.isInSide { arena.pointee.side.count = text.position }
        let start = arena.pointee.side.count
        var bits: UInt32 = 0
        for index in 0..<count {
            guard let sextet = JSONAttributeReader.sextet(source[index]) else { throw .defect(.value) }
            bits = bits << 6 | UInt32(sextet)
            // Fewer bytes than the text had: the room is there, so a source in the same buffer cannot move.
            if index % 4 == 1 { arena.pointee.side.append(UInt8(truncatingIfNeeded: bits >> 4)) }
            if index % 4 == 2 { arena.pointee.side.append(UInt8(truncatingIfNeeded: bits >> 2)) }
            if index % 4 == 3 { arena.pointee.side.append(UInt8(truncatingIfNeeded: bits)) }
        }
        return written(since: start)
    }

    private static func sextet(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }

    // MARK: Nested values

    /// Writes the body of an ArrayValue or a KeyValueList. Null and `{}` write nothing.
    func writeList(_ scanner: inout JSONScanner, isArray: Bool, depth: Int) throws(JSONProblem) {
        guard depth <= maxDepth else { throw .defect(.depth) }
        var hasValues = false
        try scanner.eachMember { (scanner, key) throws(JSONProblem) in
            guard key.equals("values") else { return try skipUnknown(&scanner, key) }
            if hasValues { throw .defect(.repeatedField) }
            hasValues = true
            try scanner.eachElement { (scanner) throws(JSONProblem) in
                try message(Tag.arrayValues) { () throws(JSONProblem) in
                    if isArray { try writeValue(&scanner, depth) } else { try writePair(&scanner, depth) }
                }
            }
        }
    }

    private func writePair(_ scanner: inout JSONScanner, _ depth: Int) throws(JSONProblem) {
        var seen: (key: Bool, value: Bool) = (false, false)
        try scanner.eachMember { (scanner, key) throws(JSONProblem) in
            if key.equals("key") {
                if seen.key { throw .defect(.repeatedField) }
                seen.key = true
                if try scanner.takeNull() { return }
                try text(Tag.keyValueKey, &scanner)
            } else if key.equals("value") {
                if seen.value { throw .defect(.repeatedField) }
                seen.value = true
                try message(Tag.keyValueValue) { () throws(JSONProblem) in try writeValue(&scanner, depth) }
            } else {
                try skipUnknown(&scanner, key)
            }
        }
    }

    private func writeValue(_ scanner: inout JSONScanner, _ depth: Int) throws(JSONProblem) {
        var hasValue = false
        try scanner.eachMember { (scanner, key) throws(JSONProblem) in
            if try scanner.takeNull() { return }
            let before = arena.pointee.side.count
            if key.equals("stringValue") {
                try text(Tag.stringValue, &scanner)
            } else if key.equals("intValue") {
                number(Tag.intValue, UInt64(bitPattern: try scanner.readInt64()))
            } else if key.equals("boolValue") {
                number(Tag.boolValue, try scanner.readBool() ? 1 : 0)
            } else if key.equals("doubleValue") {
                let bits = try scanner.readDouble().bitPattern
                byte(UInt8(Tag.doubleValue))
                for shift in 0..<8 { byte(UInt8(truncatingIfNeeded: bits >> (8 * shift))) }
            } else if key.equals("bytesValue") {
                try message(Tag.bytesValue) { () throws(JSONProblem) in _ = try readBase64(&scanner) }
            } else if key.equals("arrayValue") {
                try message(Tag.arrayValue) { () throws(JSONProblem) in
                    try writeList(&scanner, isArray: true, depth: depth + 1)
                }
            } else if key.equals("kvlistValue") {
                try message(Tag.kvlistValue) { () throws(JSONProblem) in
                    try writeList(&scanner, isArray: false, depth: depth + 1)
                }
            } else {
                try skipUnknown(&scanner, key)
            }
            guard arena.pointee.side.count > before else { return }
            if hasValue { throw .defect(.repeatedField) }
            hasValue = true
        }
    }

    /// `entityRefs` of a resource, as the encoded fields that ``ResourceRecord/extra`` keeps.
    func readEntityRefs(_ scanner: inout JSONScanner) throws(JSONProblem) -> ByteRef {
        let start = arena.pointee.side.count
        try scanner.eachElement { (scanner) throws(JSONProblem) in
            try message(Tag.resourceEntityRefs) { () throws(JSONProblem) in
                try scanner.eachMember { (scanner, key) throws(JSONProblem) in
                    if try scanner.takeNull() { return }
                    if key.equals("schemaUrl") {
                        try text(Tag.entitySchemaURL, &scanner)
                    } else if key.equals("type") {
                        try text(Tag.entityType, &scanner)
                    } else if key.equals("idKeys") {
                        try scanner.eachElement { (scanner) throws(JSONProblem) in try text(Tag.entityIDKeys, &scanner)
                        }
                    } else if key.equals("descriptionKeys") {
                        try scanner.eachElement { (scanner) throws(JSONProblem) in
                            try text(Tag.entityDescriptionKeys, &scanner)
                        }
                    } else {
                        try skipUnknown(&scanner, key)
                    }
                }
            }
        }
        return written(since: start)
    }

    // MARK: Writing protobuf forwards

    private func byte(_ value: UInt8) {
        arena.pointee.side.append(value)
    }

    private func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        byte(UInt8(rest))
    }

    private func number(_ tag: UInt64, _ value: UInt64) {
        varint(tag)
        varint(value)
    }

    private func text(_ tag: UInt64, _ scanner: inout JSONScanner) throws(JSONProblem) {
        try message(tag) { () throws(JSONProblem) in
            // Text with escapes is unescaped to where it belongs; other text is copied there.
            let text = try scanner.readString()
            if !text.isInSide { arena.pointee.side.append(scanner.base + text.position, count: Int(text.count)) }
        }
    }

    /// A length-delimited field. One byte is kept for its length; a longer body moves up to make room, once per level,
    /// and `maxDepth` bounds the levels.
    private func message(_ tag: UInt64, _ body: () throws(JSONProblem) -> Void) throws(JSONProblem) {
        varint(tag)
        byte(0)
        let start = arena.pointee.side.count
        try body()
        let count = arena.pointee.side.count - start
        var length = 1
        while count >> (7 * length) != 0 { length += 1 }
        for _ in 1..<length { byte(0) }
        if arena.pointee.side.isOverfull { throw .defect(.value) }
        let bytes = UnsafeMutableRawPointer(arena.pointee.side.base)
        if length > 1 { (bytes + start + length - 1).copyMemory(from: bytes + start, byteCount: count) }
        for index in 0..<length {
            let more: UInt8 = index < length - 1 ? 0x80 : 0
            arena.pointee.side[start - 1 + index] = UInt8(truncatingIfNeeded: count >> (7 * index)) & 0x7F | more
        }
    }
}
