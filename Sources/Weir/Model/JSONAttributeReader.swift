/// Reads attributes from OTLP/JSON. Arrays and kvlists become protobuf in the side buffer, so that one kind of reader walks them.
struct JSONAttributeReader {
    private let arena: UnsafeMutablePointer<Batch.Arena>
    private let maxDepth: Int

    init(_ arena: UnsafeMutablePointer<Batch.Arena>, maxDepth: Int) {
        self.arena = arena
        self.maxDepth = maxDepth
    }

    /// Reads a list of KeyValue. - Parameter previous: the owner's attributes so far; a second list is a defect.
    @inline(__always)
    func readList(_ scanner: inout JSONScanner, after previous: AttributeRange) throws(JSONProblem) -> AttributeRange {
        if previous.count > 0 { throw .defect(.repeatedField) }
        let start = arena.pointee.attributes.count
        try scanner.eachElement { (scanner) throws(JSONProblem) in
            if _fastPath(try readCompact(&scanner)) { return }
            try readAnyShape(&scanner)
        }
        return AttributeRange(
            start: UInt32(truncatingIfNeeded: start),
            count: UInt32(truncatingIfNeeded: arena.pointee.attributes.count - start))
    }

    /// The shape that SDKs write: `{"key":"…","value":{"stringValue":"…"}}` or a number, in this order and without white
    /// space. Comparing it as a whole is twice as fast as asking for each name.
    /// - Returns: whether it was this; if not, nothing was consumed.
    @inline(__always)
    private func readCompact(_ scanner: inout JSONScanner) throws(JSONProblem) -> Bool {
        let base = scanner.base
        _ = scanner.peek()
        let start = scanner.position
        let sideCount = arena.pointee.side.count
        guard stands("{\"key\":\"", base + start) else { return false }
        let keyEnd = JSONScanner.endOfPlainText(base, start &+ 8)
        guard stands("\",\"value\":{\"", base + keyEnd) else { return false }
        let name = keyEnd &+ 12
        var record = AttributeRecord(
            key: ByteRef(start &+ 8, keyEnd &- start &- 8), value: 0, wireOffset: AttributeRecord.noWire, kind: .string)
        if stands("stringValue\":\"", base + name) {
            let end = JSONScanner.endOfPlainText(base, name &+ 14)
            if base[end] == UInt8(ascii: "\"") {
                record.value = ByteRef(name &+ 14, end &- name &- 14).packed
                scanner.position = end &+ 1
            } else {
                scanner.position = name &+ 13
                record.value = try scanner.readString().packed
            }
        } else if stands("intValue\":", base + name) {
            scanner.position = name &+ 10
            (record.value, record.kind) = (UInt64(bitPattern: try scanner.readInt64()), .int)
        } else if stands("boolValue\":", base + name) {
            scanner.position = name &+ 11
            (record.value, record.kind) = (try scanner.readBool() ? 1 : 0, .bool)
        } else if stands("doubleValue\":", base + name) {
            scanner.position = name &+ 13
            (record.value, record.kind) = (try scanner.readDouble().bitPattern, .double)
        } else {
            return false
        }
        guard base[scanner.position] == UInt8(ascii: "}"), base[scanner.position &+ 1] == UInt8(ascii: "}") else {
            scanner.position = start
            arena.pointee.side.count = sideCount
            return false
        }
        scanner.position &+= 2
        arena.pointee.attributes.append(record)
        return true
    }

    /// Whether this text of 8 to 16 bytes stands at `base`.
    @inline(__always)
    private func stands(_ text: StaticString, _ base: UnsafePointer<UInt8>) -> Bool {
        let last = text.utf8CodeUnitCount &- 8
        return loadLittle64(base) == loadLittle64(text.utf8Start)
            && loadLittle64(base + last) == loadLittle64(text.utf8Start + last)
    }

    @inline(never)
    private func readAnyShape(_ scanner: inout JSONScanner) throws(JSONProblem) {
        var record = AttributeRecord(key: .empty, value: 0, wireOffset: AttributeRecord.noWire, kind: .empty)
        try scanner.eachMember { (scanner, key) throws(JSONProblem) in
            if key.equals("key") {
                if try scanner.takeNull() { return }
                record.key = try scanner.readString()
            } else if key.equals("value") {
                if record.kind != .empty { throw .defect(.repeatedField) }
                try readValue(&scanner, &record)
            } else {
                try skipUnknown(&scanner, key)
            }
        }
        arena.pointee.attributes.append(record)
    }

    @inline(__always)
    private func readValue(_ scanner: inout JSONScanner, _ record: inout AttributeRecord) throws(JSONProblem) {
        try scanner.eachMember { (scanner, key) throws(JSONProblem) in
            if try scanner.takeNull() { return }
            if record.kind != .empty { return try skipBehindValue(&scanner, key) }
            if key.equals("stringValue") {
                (record.value, record.kind) = (try scanner.readString().packed, .string)
            } else if key.equals("intValue") {
                (record.value, record.kind) = (UInt64(bitPattern: try scanner.readInt64()), .int)
            } else if key.equals("boolValue") {
                (record.value, record.kind) = (try scanner.readBool() ? 1 : 0, .bool)
            } else if key.equals("doubleValue") {
                (record.value, record.kind) = (try scanner.readDouble().bitPattern, .double)
            } else {
                try readRareValue(&scanner, key, &record)
            }
        }
    }

    @inline(never)
    private func readRareValue(
        _ scanner: inout JSONScanner, _ key: JSONKey, _ record: inout AttributeRecord
    ) throws(JSONProblem) {
        let start = arena.pointee.side.count
        if key.equals("bytesValue") {
            (record.value, record.kind) = (try readBase64(&scanner).packed, .bytes)
        } else if key.equals("arrayValue") {
            try writeList(&scanner, isArray: true, depth: 1)
            (record.value, record.kind) = (written(since: start).packed, .array)
        } else if key.equals("kvlistValue") {
            try writeList(&scanner, isArray: false, depth: 1)
            (record.value, record.kind) = (written(since: start).packed, .kvlist)
        } else {
            try skipUnknown(&scanner, key)
        }
    }

    /// A second member of the oneof is a defect; a field that Weir does not know is not.
    @inline(never)
    private func skipBehindValue(_ scanner: inout JSONScanner, _ key: JSONKey) throws(JSONProblem) {
        for name in [
            "stringValue", "intValue", "boolValue", "doubleValue", "bytesValue", "arrayValue", "kvlistValue",
        ] as [StaticString] where key.equals(name) {
            throw .defect(.repeatedField)
        }
        try skipUnknown(&scanner, key)
    }

    func skipUnknown(_ scanner: inout JSONScanner, _ key: JSONKey) throws(JSONProblem) {
        if key.isOriginalName { throw .defect(.snakeCase) }
        try scanner.skipValue()
    }

    private func written(since start: Int) -> ByteRef {
        ByteRef(start, arena.pointee.side.count - start, origin: ByteRef.side)
    }

    // MARK: Bytes

    /// proto3 JSON: "standard base64 encoding with paddings. Either standard or URL-safe … with/without paddings are accepted".
    private func readBase64(_ scanner: inout JSONScanner) throws(JSONProblem) -> ByteRef {
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
    private func writeList(_ scanner: inout JSONScanner, isArray: Bool, depth: Int) throws(JSONProblem) {
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

    /// A length-delimited field. One byte is kept for its length; a longer body moves up to make room, once per level, and
    /// `maxDepth` bounds the levels.
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
