/// Writes the texts and the JSON of rows, one behind the other, so that every database takes them: without U+0000,
/// which Postgres has not, and where they are indexed no longer than fits an index.
struct RowText: ~Copyable {
    /// Bytes of an indexed text. A B-tree of Postgres takes rows up to 2,704 bytes.
    static let maxName = 512
    static let maxID = 256

    private var writer = JSONWriter(capacity: 64 << 10, replacesNUL: true)
    private let cuts: Bool
    /// Bytes that are kept from one batch to the next.
    private let retained: Int

    /// - Parameters:
    ///   - cuts: whether texts that would be too long for an index are cut.
    ///   - retained: bytes that are kept from one batch to the next.
    init(cuts: Bool = true, retained: Int = 8 << 20) {
        self.cuts = cuts
        self.retained = retained
    }

    /// Bytes of all that was written.
    var count: Int { writer.count }
    /// Valid until the next change.
    var written: UnsafeRawBufferPointer { writer.written }

    mutating func reset() {
        writer.reset(keeping: retained)
    }

    /// Nil where the text is absent. Valid until the next change.
    func bytes(_ ref: TextRef) -> UnsafeRawBufferPointer? {
        guard !ref.isAbsent else { return nil }
        return UnsafeRawBufferPointer(rebasing: writer.written[Int(ref.offset)..<Int(ref.offset) + Int(ref.count)])
    }

    // MARK: Texts

    /// - Parameter limit: bytes; a longer text is cut between two characters.
    mutating func add(_ text: UnsafeRawBufferPointer, limit: Int = .max) -> TextRef {
        let start = writer.count
        // U+FFFD for each NUL makes a text longer by two bytes at most, which the index has room for.
        let text = cuts ? text.cut(to: limit) : text
        if text.contains(0) {
            var rest = text[...]
            while let end = rest.firstIndex(of: 0) {
                writer.bytes(UnsafeRawBufferPointer(rebasing: rest[..<end]))
                writer.raw("\u{FFFD}")
                rest = rest[(end + 1)...]
            }
            writer.bytes(UnsafeRawBufferPointer(rebasing: rest))
        } else {
            writer.bytes(text)
        }
        return ref(from: start)
    }

    /// A value as text: a word as it is, a number in digits; absent where it is empty, or neither.
    mutating func add(_ value: AnyValue?, limit: Int) -> TextRef {
        let start = writer.count
        switch value {
        case .string(let text)? where !text.isEmpty: return add(text, limit: limit)
        case .int(let number)?: writer.int(number)
        case .double(let number)?: writer.double(number)
        default: return .absent
        }
        return ref(from: start)
    }

    private func ref(from start: Int) -> TextRef {
        TextRef(offset: UInt32(start), count: UInt32(writer.count - start))
    }

    // MARK: JSON

    /// `{"key":value,…}`
    mutating func addObject(_ range: AttributeRange, of batch: borrowing Batch) -> TextRef {
        let start = writer.count
        write(range, batch)
        return ref(from: start)
    }

    /// An array of objects; absent where there are none.
    mutating func addEvents(of span: SpanRecord, _ batch: borrowing Batch) -> TextRef {
        guard span.eventCount > 0 else { return .absent }
        let start = writer.count
        writer.byte(UInt8(ascii: "["))
        for index in span.events {
            let event = batch.events[index]
            writer.raw("{\"time_unix_nano\":")
            writer.number(event.time)
            writer.raw(",\"name\":")
            writer.string(batch.bytes(event.name))
            end(event.attributes, dropped: event.droppedAttributes, batch)
        }
        close("]")
        return ref(from: start)
    }

    /// Likewise.
    mutating func addLinks(of span: SpanRecord, _ batch: borrowing Batch) -> TextRef {
        guard span.linkCount > 0 else { return .absent }
        let start = writer.count
        writer.byte(UInt8(ascii: "["))
        for index in span.links {
            let link = batch.links[index]
            writer.raw("{\"trace_id\":\"")
            writer.hexadecimal(link.traceIDHigh)
            writer.hexadecimal(link.traceIDLow)
            writer.raw("\",\"span_id\":\"")
            writer.hexadecimal(link.spanID)
            writer.raw("\"")
            if link.traceState.count > 0 {
                writer.raw(",\"trace_state\":")
                writer.string(batch.bytes(link.traceState))
            }
            if link.flags != 0 {
                writer.raw(",\"flags\":")
                writer.number(UInt64(link.flags))
            }
            end(link.attributes, dropped: link.droppedAttributes, batch)
        }
        close("]")
        return ref(from: start)
    }

    private mutating func end(_ attributes: AttributeRange, dropped: UInt32, _ batch: borrowing Batch) {
        if attributes.count > 0 {
            writer.raw(",\"attributes\":")
            write(attributes, batch)
        }
        if dropped != 0 {
            writer.raw(",\"dropped_attributes_count\":")
            writer.number(UInt64(dropped))
        }
        writer.raw("},")
    }

    private mutating func close(_ text: StaticString) {
        writer.dropComma()
        writer.raw(text)
    }

    private mutating func write(_ range: AttributeRange, _ batch: borrowing Batch) {
        writer.byte(UInt8(ascii: "{"))
        for index in range.indices {
            let attribute = batch.attributes[index]
            if attribute.isRemoved { continue }
            writer.string(batch.bytes(attribute.key))
            writer.byte(UInt8(ascii: ":"))
            write(batch.value(of: attribute))
            writer.byte(UInt8(ascii: ","))
        }
        close("}")
    }

    /// As a person would write it: OTLP/JSON's wrappers for types would only be in the way of SQL.
    private mutating func write(_ value: AnyValue) {
        switch value {
        case .empty: writer.raw("null")
        case .string(let text): writer.string(text)
        case .bool(let flag): flag ? writer.raw("true") : writer.raw("false")
        case .int(let number): writer.int(number)
        case .double(let number): writer.double(number)
        case .bytes(let bytes): writer.base64(bytes)
        case .array(let values):
            writer.byte(UInt8(ascii: "["))
            for element in values {
                write(element)
                writer.byte(UInt8(ascii: ","))
            }
            close("]")
        case .kvlist(let pairs):
            writer.byte(UInt8(ascii: "{"))
            for pair in pairs {
                writer.string(pair.key)
                writer.byte(UInt8(ascii: ":"))
                write(pair.value)
                writer.byte(UInt8(ascii: ","))
            }
            close("}")
        }
    }
}
