/// Reads the rows of a Parquet file of the archive as OTLP again, as far as they have it: bytes stay texts in base64,
/// and what is not in the columns is gone.
struct ParquetMessages {
    /// What of a row is in a span.
    private enum Column: String, CaseIterable {
        case trace = "trace_id"
        case span = "span_id"
        case parent = "parent_span_id"
        case start = "start_unix_nano"
        case moved = "start_time"
        case duration = "duration_ns"
        case name, kind, status, flags, links, events, resource
        case statusMessage = "status_message"
        case traceState = "trace_state"
        case attributes = "attrs"
        case scopeName = "scope_name"
        case scopeVersion = "scope_version"
        case sequence = "seq"
    }

    /// A row group.
    private struct Rows {
        private let columns: [ParquetReader.Values]

        init(_ group: ParquetReader.Group, _ reader: ParquetReader) throws {
            columns = try Column.allCases.map { try reader.values(of: $0.rawValue, in: group) }
        }

        private func values(_ column: Column) -> ParquetReader.Values {
            columns[Column.allCases.firstIndex(of: column) ?? 0]
        }

        func text(_ column: Column, _ row: Int) -> [UInt8] { values(column).text(row) ?? [] }
        func number(_ column: Column, _ row: Int) -> Int64? { values(column).number(row) }
    }

    /// What spans stand in.
    private struct Owner: Equatable {
        let resource: [UInt8]
        let name: [UInt8]
        let version: [UInt8]
    }

    /// Spans of a request that started in an hour, as OTLP/JSON that is not complete.
    private struct Message {
        let hour: Int
        let received: Timestamp
        var owner: Owner
        var json: [UInt8]
    }

    /// Bytes of a request's spans as OTLP/JSON: many times what a receiver takes. A few bytes of a file that was not
    /// written here can say as many rows as they like.
    private static let maxMessage = 1 << 30

    private let reader: ParquetReader

    init(_ path: String, _ keys: ArchiveKeys? = nil) throws(FileError) {
        reader = try ParquetReader(path, keys)
    }

    /// Calls `body` with the spans of each request, those of each hour in which they started by themselves, decoded
    /// into `batch`, and a time at which they may have been received. Memory is bounded by a row group, and by a
    /// request.
    /// - Throws: a `FileError` also where the file is not whole.
    func read(
        into batch: inout Batch,
        _ body: (inout Batch, _ hour: Int, _ sequence: UInt64, _ received: Timestamp) throws -> Void
    ) throws {
        var sequence: UInt64?
        var messages: [Message] = []
        for group in reader.groups {
            let rows = try Rows(group, reader)
            for row in 0..<group.rows {
                // A request's rows stand together, if not in one row group.
                let next = rows.number(.sequence, row).map { UInt64(bitPattern: $0) }
                if next != sequence {
                    try flush(&messages, of: sequence, into: &batch, body)
                    sequence = next
                }
                try add(row, of: rows, to: &messages)
                guard messages.reduce(0, { $0 + $1.json.count }) <= Self.maxMessage else {
                    throw FileError.damaged(reader.path)
                }
            }
        }
        try flush(&messages, of: sequence, into: &batch, body)
    }

    private func flush(
        _ messages: inout [Message], of sequence: UInt64?, into batch: inout Batch,
        _ body: (inout Batch, _ hour: Int, _ sequence: UInt64, _ received: Timestamp) throws -> Void
    ) throws {
        for message in messages {
            let json = Array(#"{"resourceSpans":["#.utf8) + message.json + Self.ownerEnd + Array("]}".utf8)
            do {
                let payload = json.withUnsafeBytes { Payload.copying($0) }
                try OTLPJSONDecoder(maxValueDepth: ArchiveFileReader.maxValueDepth).decode(payload, into: &batch)
            } catch {
                throw FileError.damaged(reader.path)
            }
            guard let sequence, batch.spanCount > 0, batch.rejected.count == 0 else {
                throw FileError.damaged(reader.path)
            }
            try body(&batch, message.hour, sequence, message.received)
        }
        messages = []
    }

    // MARK: A row

    private static let ownerEnd = Array("]}]}".utf8)

    private func add(_ row: Int, of rows: Rows, to messages: inout [Message]) throws {
        let start = UInt64(bitPattern: rows.number(.start, row) ?? 0)
        let hour = ArchivePartition.hour(of: start)
        let owner = Owner(
            resource: rows.text(.resource, row), name: rows.text(.scopeName, row),
            version: rows.text(.scopeVersion, row))
        let span = try json { writer throws(FileError) in try write(row, of: rows, to: &writer) }
        guard let index = messages.firstIndex(where: { $0.hour == hour }) else {
            let moved = Day(number: Int(max(rows.number(.moved, row) ?? 0, 0) / Day.microseconds))
            let received = ClockWindow.receipt(of: start, on: moved)
            return messages.append(
                Message(hour: hour, received: received, owner: owner, json: try begin(owner) + span))
        }
        if messages[index].owner == owner {
            messages[index].json += [UInt8(ascii: ",")] + span
        } else {
            messages[index].json += Self.ownerEnd + [UInt8(ascii: ",")] + (try begin(owner)) + span
            messages[index].owner = owner
        }
    }

    private func json(_ write: (inout JSONWriter) throws(FileError) -> Void) throws(FileError) -> [UInt8] {
        var writer = JSONWriter(capacity: 1 << 10)
        try write(&writer)
        return Array(writer.written)
    }

    private func begin(_ owner: Owner) throws(FileError) -> [UInt8] {
        try json { writer throws(FileError) in
            writer.raw(#"{"resource":{"attributes":"#)
            try write(owner.resource, to: &writer) { Self.pairs(of: $0) }
            writer.raw(#"},"scopeSpans":[{"scope":{"name":"#)
            writer.string(owner.name)
            writer.raw(#","version":"#)
            writer.string(owner.version)
            writer.raw(#"},"spans":["#)
        }
    }

    private func write(_ row: Int, of rows: Rows, to writer: inout JSONWriter) throws(FileError) {
        func text(_ name: StaticString, _ column: Column) {
            writer.raw(name)
            writer.string(rows.text(column, row))
        }
        func number(_ name: StaticString, _ value: UInt64) {
            writer.raw(name)
            writer.number(value)
        }
        let start = UInt64(bitPattern: rows.number(.start, row) ?? 0)
        text(#"{"traceId":"#, .trace)
        text(#","spanId":"#, .span)
        text(#","parentSpanId":"#, .parent)
        text(#","traceState":"#, .traceState)
        text(#","name":"#, .name)
        number(#","flags":"#, UInt64(UInt32(truncatingIfNeeded: rows.number(.flags, row) ?? 0)))
        number(#","kind":"#, UInt64(bitPattern: rows.number(.kind, row) ?? 0))
        number(#","startTimeUnixNano":"#, start)
        if let duration = rows.number(.duration, row) {
            number(#","endTimeUnixNano":"#, start &+ UInt64(bitPattern: duration))
        }
        number(#","status":{"code":"#, UInt64(bitPattern: rows.number(.status, row) ?? 0))
        text(#","message":"#, .statusMessage)
        writer.raw(#"},"attributes":"#)
        try write(rows.text(.attributes, row), to: &writer) { Self.pairs(of: $0) }
        for (name, column) in [(#","events":"# as StaticString, Column.events), (#","links":"#, .links)] {
            let list = rows.text(column, row)
            guard !list.isEmpty else { continue }
            writer.raw(name)
            try write(list, to: &writer) { .array($0.elements.map(Self.named)) }
        }
        writer.raw("}")
    }

    /// Writes what a column's JSON is in OTLP.
    private func write(
        _ text: [UInt8], to writer: inout JSONWriter, as shape: (JSONTree) -> JSONTree
    ) throws(FileError) {
        let isJSON = text.withUnsafeBytes { bytes in
            guard let tree = JSONTreeReader.value(bytes) else { return false }
            writer.value(shape(tree))
            return true
        }
        guard isJSON else { throw .damaged(reader.path) }
    }

    // MARK: Shapes

    /// OTLP's names for what ``RowText`` writes of an event or link.
    private static let names: KeyValuePairs<StaticString, StaticString> = [
        "time_unix_nano": "timeUnixNano", "name": "name", "trace_id": "traceId", "span_id": "spanId",
        "trace_state": "traceState", "flags": "flags", "dropped_attributes_count": "droppedAttributesCount",
    ]

    private static func named(_ tree: JSONTree) -> JSONTree {
        var fields = names.compactMap { own, theirs in tree[own].map { (theirs, $0) } }
        if let attributes = tree["attributes"] { fields.append(("attributes", pairs(of: attributes))) }
        return .fields(fields)
    }

    private static func pairs(of object: JSONTree) -> JSONTree {
        .array(object.members.map { .fields(["key": .string($0.key), "value": value($0.value)]) })
    }

    private static func value(_ tree: JSONTree) -> JSONTree {
        switch tree {
        case .null: .object([])
        case .bool: .fields(["boolValue": tree])
        case .int: .fields(["intValue": tree])
        case .double: .fields(["doubleValue": tree])
        // A double has a dot or an exponent, by ``JSONWriter``.
        case .number(let text):
            text.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") }
                ? .fields(["doubleValue": tree]) : .fields(["intValue": tree])
        case .string, .bytes: .fields(["stringValue": tree])
        case .array, .object, .whole:
            tree.isObject
                ? .fields(["kvlistValue": .fields(["values": pairs(of: tree)])])
                : .fields(["arrayValue": .fields(["values": .array(tree.elements.map(value))])])
        }
    }
}

extension JSONWriter {
    fileprivate mutating func string(_ text: [UInt8]) {
        text.withUnsafeBytes { string($0) }
    }
}
