/// Reads KeyValue messages into the arena, and checks what they hold.
struct AttributeReader {
    private let arena: UnsafeMutablePointer<Batch.Arena>
    private let base: UnsafePointer<UInt8>
    /// 0 when `base` is the payload, ``ByteRef/side`` when it is the side buffer.
    private let origin: UInt32
    private let maxDepth: Int
    /// What was wrong with an attribute. Set once, never cleared.
    private(set) var defect: SpanDefect?

    @inline(__always)
    init(_ arena: UnsafeMutablePointer<Batch.Arena>, _ base: UnsafePointer<UInt8>, _ origin: UInt32, _ maxDepth: Int) {
        self.arena = arena
        self.base = base
        self.origin = origin
        self.maxDepth = maxDepth
    }

    /// Reads the KeyValue at `start..<end`.
    /// - Parameter wireOffset: where its length stands; without one the attribute is written from its record.
    @inline(__always)
    mutating func read(_ start: Int, _ end: Int, wireOffset: Int? = nil) {
        var record = AttributeRecord(
            key: .empty, value: 0,
            wireOffset: wireOffset.map { UInt32(truncatingIfNeeded: $0) | origin } ?? AttributeRecord.noWire,
            kind: .empty)
        // Nearly every attribute is a short key and a value, in this order, each with a length of one byte.
        let keyLength = Int(base[start &+ 1])
        let valueStart = start &+ 4 &+ keyLength
        if _fastPath(
            base[start] == 0x0A && keyLength < 0x80 && valueStart < end && base[valueStart &- 2] == 0x12
                && Int(base[valueStart &- 1]) == end &- valueStart && end &- valueStart < 0x80)
        {
            record.key = ByteRef(start &+ 2, keyLength, origin: origin)
            if readShortValue(start, valueStart, end, &record) {
                arena.pointee.attributes.append(record)
                return
            }
        }
        guard let slow = readAnyShape(start, end) else { return }
        record.key = slow.key
        record.kind = slow.kind
        record.value = slow.value
        arena.pointee.attributes.append(record)
    }

    /// The value when it is one text or number that fills the message, and key and text are sound. - Returns: whether
    /// it was.
    @inline(__always)
    private func readShortValue(_ start: Int, _ valueStart: Int, _ end: Int, _ record: inout AttributeRecord) -> Bool {
        let kind = UInt64(base[valueStart])
        if kind == Tag.stringValue {
            let length = Int(base[valueStart &+ 1])
            record.kind = .string
            record.value = ByteRef(valueStart &+ 2, length, origin: origin).packed
            guard valueStart &+ 2 &+ length == end else { return false }
            // All tags and lengths between key and text are below 0x80, so one look at the whole message does for both.
            if _fastPath(end &- start <= 64 && isShortASCII(base + start, end &- start)) { return true }
            return isValidUTF8(base + start + 2, valueStart &- 4 &- start) && isValidUTF8(base + valueStart + 2, length)
        }
        guard isValidUTF8(base + start + 2, valueStart &- 4 &- start) else { return false }
        switch kind {
        case Tag.intValue:
            let (value, next) = readVarint(base, valueStart &+ 1, end)
            record.kind = .int
            record.value = value
            return next == end
        case Tag.boolValue:
            record.kind = .bool
            record.value = base[valueStart &+ 1] == 0 ? 0 : 1
            return end &- valueStart == 2 && base[valueStart &+ 1] < 0x80
        case Tag.doubleValue:
            record.kind = .double
            record.value = loadLittle64(base + valueStart + 1)
            return end &- valueStart == 9
        default: return false
        }
    }

    /// Any KeyValue: fields in any order, long, unknown or repeated.
    @inline(never)
    private mutating func readAnyShape(_ start: Int, _ end: Int) -> AttributeRecord? {
        var record = AttributeRecord(key: .empty, value: 0, wireOffset: AttributeRecord.noWire, kind: .empty)
        var position = start
        var hasValue = false
        while position < end {
            let (tag, afterTag) = readVarint(base, position, end)
            let (body, next) = fieldBody(base, tag, afterTag, end)
            guard next <= end else { return failed(.encoding) }
            position = next
            if tag == Tag.keyValueKey {
                guard isValidUTF8(base + body, next - body) else { return failed(.text) }
                record.key = ByteRef(body, next - body, origin: origin)
            } else if tag == Tag.keyValueValue {
                if hasValue { return failed(.repeatedField) }
                hasValue = true
                guard readValue(body, next, &record) else { return nil }
            }
            // Else, for one, key_strindex: "profiles only"; it stays in the bytes and means nothing here.
        }
        return record
    }

    private mutating func readValue(_ start: Int, _ end: Int, _ record: inout AttributeRecord) -> Bool {
        var position = start
        while position < end {
            let (tag, afterTag) = readVarint(base, position, end)
            let (body, next) = fieldBody(base, tag, afterTag, end)
            guard next <= end else { return fails(.encoding) }
            position = next
            let ref = ByteRef(body, next - body, origin: origin).packed
            switch tag {
            case Tag.stringValue:
                guard isValidUTF8(base + body, next - body) else { return fails(.text) }
                (record.kind, record.value) = (.string, ref)
            case Tag.boolValue: (record.kind, record.value) = (.bool, readVarint(base, body, end).value == 0 ? 0 : 1)
            case Tag.intValue: (record.kind, record.value) = (.int, readVarint(base, body, end).value)
            case Tag.doubleValue: (record.kind, record.value) = (.double, loadLittle64(base + body))
            case Tag.bytesValue: (record.kind, record.value) = (.bytes, ref)
            case Tag.arrayValue:
                if record.kind == .array { return fails(.repeatedField) }
                if let defect = checkList(body, next, tag, depth: 1) { return fails(defect) }
                (record.kind, record.value) = (.array, ref)
            case Tag.kvlistValue:
                if record.kind == .kvlist { return fails(.repeatedField) }
                if let defect = checkList(body, next, tag, depth: 1) { return fails(defect) }
                (record.kind, record.value) = (.kvlist, ref)
            default: continue
            }
        }
        return true
    }

    // MARK: Nested values, checked once and walked later

    /// Checks the elements of an ArrayValue or the pairs of a KeyValueList.
    private func checkList(_ start: Int, _ end: Int, _ list: UInt64, depth: Int) -> SpanDefect? {
        guard depth <= maxDepth else { return .depth }
        var position = start
        while position < end {
            let (tag, afterTag) = readVarint(base, position, end)
            let (body, next) = fieldBody(base, tag, afterTag, end)
            guard next <= end else { return .encoding }
            position = next
            guard tag == Tag.arrayValues else { continue }  // the same number in both lists
            let defect = list == Tag.arrayValue ? checkValue(body, next, depth) : checkPair(body, next, depth)
            if let defect { return defect }
        }
        return nil
    }

    private func checkPair(_ start: Int, _ end: Int, _ depth: Int) -> SpanDefect? {
        var position = start
        var hasValue = false
        while position < end {
            let (tag, afterTag) = readVarint(base, position, end)
            let (body, next) = fieldBody(base, tag, afterTag, end)
            guard next <= end else { return .encoding }
            position = next
            if tag == Tag.keyValueKey, !isValidUTF8(base + body, next - body) { return .text }
            guard tag == Tag.keyValueValue else { continue }
            if hasValue { return .repeatedField }
            hasValue = true
            if let defect = checkValue(body, next, depth) { return defect }
        }
        return nil
    }

    private func checkValue(_ start: Int, _ end: Int, _ depth: Int) -> SpanDefect? {
        var position = start
        var list: UInt64 = 0
        while position < end {
            let (tag, afterTag) = readVarint(base, position, end)
            let (body, next) = fieldBody(base, tag, afterTag, end)
            guard next <= end else { return .encoding }
            position = next
            if tag == Tag.stringValue, !isValidUTF8(base + body, next - body) { return .text }
            guard tag == Tag.arrayValue || tag == Tag.kvlistValue else {
                // As in `readValue`: another member of the oneof takes the place of the list before it.
                if isMember(tag) { list = 0 }
                continue
            }
            if list == tag { return .repeatedField }
            list = tag
            if let defect = checkList(body, next, tag, depth: depth + 1) { return defect }
        }
        return nil
    }

    private func isMember(_ tag: UInt64) -> Bool {
        switch tag {
        case Tag.stringValue, Tag.boolValue, Tag.intValue, Tag.doubleValue, Tag.bytesValue: true
        default: false
        }
    }

    // MARK: Defects

    private mutating func fails(_ defect: SpanDefect) -> Bool {
        self.defect = defect
        return false
    }

    private mutating func failed(_ defect: SpanDefect) -> AttributeRecord? {
        self.defect = defect
        return nil
    }
}
