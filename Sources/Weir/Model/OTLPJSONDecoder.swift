/// Reads an ExportTraceServiceRequest in OTLP/JSON into a batch, in one pass.
///
/// Names are lowerCamelCase, enums are integers, ids are hexadecimal, numbers of 64 bits are exact, unknown fields are
/// ignored, null is the default (OTLP specification, "JSON Protobuf Encoding"). What is wrong inside a span rejects
/// that span; text that is not JSON, and a frame that is wrong, refuse the request.
struct OTLPJSONDecoder {
    /// How deep arrays and kvlists may be nested in one attribute value.
    let maxValueDepth: Int

    init(maxValueDepth: Int = 64) {
        self.maxValueDepth = maxValueDepth
    }

    /// Replaces what the batch held.
    func decode(_ payload: Payload, into batch: inout Batch) throws(DecodeError) {
        batch.reset(to: payload)
        var scanner = JSONScanner(batch.arena)
        // Unescaping relies on the room that the scanner reserved.
        if batch.isOverfull { throw .tooLarge }
        do {
            try JSONRequestReader(batch.arena, maxValueDepth).readRequest(&scanner)
        } catch {
            if batch.isOverfull { throw .tooLarge }
            let (what, offset) =
                switch error {
                case .malformed(let what, let offset): ("\(what)", offset)
                case .defect(let defect): (defect.message, scanner.position)
                }
            let place = JSONPlace.path(of: offset, in: payload.bytes)
            throw .malformed(place.isEmpty ? what : "\(what), in \(place)", offset: offset)
        }
        if batch.isOverfull { throw .tooLarge }
    }
}

/// Reads the frame of a request, down to the spans.
struct JSONRequestReader {
    private let arena: UnsafeMutablePointer<Batch.Arena>
    private let attributes: JSONAttributeReader
    private let spans: JSONSpanReader

    init(_ arena: UnsafeMutablePointer<Batch.Arena>, _ maxValueDepth: Int) {
        self.arena = arena
        attributes = JSONAttributeReader(arena, maxDepth: maxValueDepth)
        spans = JSONSpanReader(arena, attributes)
    }

    func readRequest(_ scanner: inout JSONScanner) throws(JSONProblem) {
        guard scanner.peek() == UInt8(ascii: "{") else { throw scanner.malformed("an object was wanted") }
        try scanner.eachMember { (scanner, key) throws(JSONProblem) in
            guard key.equals("resourceSpans") else { return try skipUnknown(&scanner, key) }
            try scanner.eachElement(readResourceSpans)
        }
        guard scanner.peek() == 0, scanner.position >= scanner.end else {
            throw scanner.malformed("something stands behind the request")
        }
    }

    /// A field that Weir does not know is ignored; a name that only protobuf knows is not a field that Weir does not
    /// know.
    private func skipUnknown(_ scanner: inout JSONScanner, _ key: JSONKey) throws(JSONProblem) {
        if key.isOriginalName { throw scanner.malformed("a key is in snake_case; OTLP/JSON keys are lowerCamelCase") }
        try scanner.skipValue()
    }

    private func readResourceSpans(_ scanner: inout JSONScanner) throws(JSONProblem) {
        let index = arena.pointee.resources.count
        var record = ResourceRecord()
        var defect: SpanDefect?
        var hasSpans = false
        record.scopeStart = UInt32(arena.pointee.scopes.count)
        record.state = .dirty
        arena.pointee.resources.append(record)
        if arena.pointee.resources.isOverfull { throw scanner.malformed("too many resources") }
        try scanner.eachMember { (scanner, key) throws(JSONProblem) in
            if key.equals("resource") {
                if record.state.contains(.present) { throw scanner.malformed("resource stands twice") }
                record.state.insert(.present)
                defect =
                    try tolerating(&scanner) { (scanner) throws(JSONProblem) in
                        try readResource(&scanner, &record)
                    } ?? defect
            } else if key.equals("scopeSpans") {
                if hasSpans { throw scanner.malformed("scopeSpans stands twice") }
                hasSpans = true
                try scanner.eachElement { (scanner) throws(JSONProblem) in
                    try readScopeSpans(&scanner, resource: UInt32(index))
                }
            } else if key.equals("schemaUrl") {
                defect =
                    try tolerating(&scanner) { (scanner) throws(JSONProblem) in
                        record.schemaURL = try readText(&scanner)
                    } ?? defect
            } else {
                try skipUnknown(&scanner, key)
            }
        }
        record.scopeCount = UInt32(arena.pointee.scopes.count) - record.scopeStart
        arena.pointee.resources[index] = record
        if let defect { arena.pointee.reject(resource: index, because: defect) }
    }

    private func readResource(_ scanner: inout JSONScanner, _ record: inout ResourceRecord) throws(JSONProblem) {
        try scanner.eachMember { (scanner, key) throws(JSONProblem) in
            if key.equals("attributes") {
                record.attributes = try attributes.readList(&scanner, after: record.attributes)
            } else if key.equals("droppedAttributesCount") {
                record.droppedAttributes = try scanner.takeNull() ? 0 : scanner.readUInt32()
            } else if key.equals("entityRefs") {
                if record.extra.count > 0 { throw .defect(.repeatedField) }
                record.extra = try attributes.readEntityRefs(&scanner)
            } else {
                try skipUnknown(&scanner, key)
            }
        }
    }

    private func readScopeSpans(_ scanner: inout JSONScanner, resource: UInt32) throws(JSONProblem) {
        let index = arena.pointee.scopes.count
        var record = ScopeRecord()
        var defect: SpanDefect?
        var hasSpans = false
        record.resource = resource
        record.spanStart = UInt32(arena.pointee.spans.count)
        record.state = .dirty
        arena.pointee.scopes.append(record)
        if arena.pointee.scopes.isOverfull { throw scanner.malformed("too many scopes") }
        try scanner.eachMember { (scanner, key) throws(JSONProblem) in
            if key.equals("spans") {
                if hasSpans { throw scanner.malformed("spans stands twice") }
                hasSpans = true
                try scanner.eachElement { (scanner) throws(JSONProblem) in
                    try spans.read(&scanner, scope: UInt32(index))
                }
            } else if key.equals("scope") {
                if record.state.contains(.present) { throw scanner.malformed("scope stands twice") }
                record.state.insert(.present)
                defect =
                    try tolerating(&scanner) { (scanner) throws(JSONProblem) in
                        try readScope(&scanner, &record)
                    } ?? defect
            } else if key.equals("schemaUrl") {
                defect =
                    try tolerating(&scanner) { (scanner) throws(JSONProblem) in
                        record.schemaURL = try readText(&scanner)
                    } ?? defect
            } else {
                try skipUnknown(&scanner, key)
            }
        }
        record.spanCount = UInt32(arena.pointee.spans.count) - record.spanStart
        arena.pointee.scopes[index] = record
        if let defect { arena.pointee.reject(scope: index, because: defect) }
    }

    private func readScope(_ scanner: inout JSONScanner, _ record: inout ScopeRecord) throws(JSONProblem) {
        try scanner.eachMember { (scanner, key) throws(JSONProblem) in
            if key.equals("name") {
                record.name = try readText(&scanner)
            } else if key.equals("version") {
                record.version = try readText(&scanner)
            } else if key.equals("attributes") {
                record.attributes = try attributes.readList(&scanner, after: record.attributes)
            } else if key.equals("droppedAttributesCount") {
                record.droppedAttributes = try scanner.takeNull() ? 0 : scanner.readUInt32()
            } else {
                try skipUnknown(&scanner, key)
            }
        }
    }

    private func readText(_ scanner: inout JSONScanner) throws(JSONProblem) -> ByteRef {
        try scanner.takeNull() ? .empty : scanner.readString()
    }

    /// Reads a value whose defect costs the spans below it and not the request.
    private func tolerating(
        _ scanner: inout JSONScanner, _ read: (inout JSONScanner) throws(JSONProblem) -> Void
    ) throws(JSONProblem) -> SpanDefect? {
        let start = scanner.position
        let sideCount = arena.pointee.side.count
        do {
            try read(&scanner)
            return nil
        } catch {
            guard case .defect(let defect) = error else { throw error }
            arena.pointee.side.count = sideCount
            scanner.position = start
            try scanner.skipValue()
            return defect
        }
    }
}
