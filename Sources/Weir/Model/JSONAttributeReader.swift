/// Reads attributes from OTLP/JSON. Arrays and kvlists become protobuf in the side buffer, so that one kind of reader
/// walks them.
struct JSONAttributeReader {
    let arena: UnsafeMutablePointer<Batch.Arena>
    let maxDepth: Int

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

    /// The shape that SDKs write: `{"key":"…","value":{"stringValue":"…"}}` or a number, in this order and without
    /// white space. Comparing it as a whole is twice as fast as asking for each name.
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

    func written(since start: Int) -> ByteRef {
        ByteRef(start, arena.pointee.side.count - start, origin: ByteRef.side)
    }
}
