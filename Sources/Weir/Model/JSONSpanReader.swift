/// Reads the spans of one scope from OTLP/JSON.
struct JSONSpanReader {
    private let arena: UnsafeMutablePointer<Batch.Arena>
    private let attributes: JSONAttributeReader

    init(_ arena: UnsafeMutablePointer<Batch.Arena>, _ attributes: JSONAttributeReader) {
        self.arena = arena
        self.attributes = attributes
    }

    /// Adds a span, or counts why it was rejected.
    func read(_ scanner: inout JSONScanner, scope: UInt32) throws(JSONProblem) {
        let start = scanner.position
        let marks = (arena.pointee.attributes.count, arena.pointee.events.count, arena.pointee.links.count)
        let sideCount = arena.pointee.side.count
        var span = SpanRecord()
        span.scope = scope
        span.state = .dirty
        do {
            try readFields(&scanner, &span)
            arena.pointee.spans.append(span)
        } catch {
            guard case .defect(let defect) = error else { throw error }
            (arena.pointee.attributes.count, arena.pointee.events.count, arena.pointee.links.count) = marks
            arena.pointee.side.count = sideCount
            scanner.position = start
            try scanner.skipValue()
            arena.pointee.rejected.add(defect)
        }
    }

    @inline(__always)
    private func readFields(_ scanner: inout JSONScanner, _ span: inout SpanRecord) throws(JSONProblem) {
        try scanner.eachMember { (scanner, key) throws(JSONProblem) in
            if try scanner.takeNull() { return }
            // Lengths first: few names share one, so nearly every comparison that is made holds.
            switch key.count {
            case 4 where key.equals("name"): span.name = try scanner.readString()
            case 4 where key.equals("kind"): span.kind = try scanner.readEnum()
            case 5 where key.equals("flags"): span.flags = try scanner.readUInt32()
            case 5 where key.equals("links"): try readLinks(&scanner, &span)
            case 6 where key.equals("spanId"): span.spanID = try readSpanID(&scanner, .spanID)
            case 6 where key.equals("status"): try readStatus(&scanner, &span)
            case 6 where key.equals("events"): try readEvents(&scanner, &span)
            case 7 where key.equals("traceId"):
                let id = try scanner.readIdentifier()
                guard id.digits == 32 else { throw .defect(.traceID) }
                (span.traceIDHigh, span.traceIDLow) = (id.high, id.low)
            case 10 where key.equals("attributes"):
                let range = try attributes.readList(&scanner, after: span.attributes)
                (span.attributeStart, span.attributeCount) = (range.start, range.count)
            case 10 where key.equals("traceState"): span.traceState = try scanner.readString()
            case 12 where key.equals("parentSpanId"): try readParent(&scanner, &span)
            case 15 where key.equals("endTimeUnixNano"): span.endTime = try scanner.readUInt64()
            case 17 where key.equals("startTimeUnixNano"): span.startTime = try scanner.readUInt64()
            case 17 where key.equals("droppedLinksCount"): span.droppedLinks = try scanner.readUInt32()
            case 18 where key.equals("droppedEventsCount"): span.droppedEvents = try scanner.readUInt32()
            case 22 where key.equals("droppedAttributesCount"): span.droppedAttributes = try scanner.readUInt32()
            default: try skipUnknown(&scanner, key)
            }
        }
        guard span.traceIDHigh | span.traceIDLow != 0 else { throw .defect(.traceID) }
        guard span.spanID != 0 else { throw .defect(.spanID) }
    }

    private func skipUnknown(_ scanner: inout JSONScanner, _ key: JSONKey) throws(JSONProblem) {
        if key.isOriginalName { throw .defect(.snakeCase) }
        try scanner.skipValue()
    }

    private func readSpanID(_ scanner: inout JSONScanner, _ defect: SpanDefect) throws(JSONProblem) -> UInt64 {
        let id = try scanner.readIdentifier()
        guard id.digits == 16 else { throw .defect(defect) }
        return id.low
    }

    private func readParent(_ scanner: inout JSONScanner, _ span: inout SpanRecord) throws(JSONProblem) {
        let id = try scanner.readIdentifier()
        guard id.digits == 16 || id.digits == 0 else { throw .defect(.parentSpanID) }
        span.parentSpanID = id.low
        if id.digits == 16 { span.state.insert(.hasParent) } else { span.state.remove(.hasParent) }
    }

    private func readStatus(_ scanner: inout JSONScanner, _ span: inout SpanRecord) throws(JSONProblem) {
        if span.state.contains(.hasStatus) { throw .defect(.repeatedField) }
        span.state.insert(.hasStatus)
        try scanner.eachMember { (scanner, key) throws(JSONProblem) in
            if try scanner.takeNull() { return }
            if key.equals("code") {
                span.status = try scanner.readEnum()
            } else if key.equals("message") {
                span.statusMessage = try scanner.readString()
            } else {
                try skipUnknown(&scanner, key)
            }
        }
    }

    private func readEvents(_ scanner: inout JSONScanner, _ span: inout SpanRecord) throws(JSONProblem) {
        if span.eventCount > 0 { throw .defect(.repeatedField) }
        span.eventStart = UInt32(arena.pointee.events.count)
        try scanner.eachElement { (scanner) throws(JSONProblem) in
            var event = EventRecord()
            event.state = .dirty
            try scanner.eachMember { (scanner, key) throws(JSONProblem) in
                if try scanner.takeNull() { return }
                if key.equals("timeUnixNano") {
                    event.time = try scanner.readUInt64()
                } else if key.equals("name") {
                    event.name = try scanner.readString()
                } else if key.equals("attributes") {
                    event.attributes = try attributes.readList(&scanner, after: event.attributes)
                } else if key.equals("droppedAttributesCount") {
                    event.droppedAttributes = try scanner.readUInt32()
                } else {
                    try skipUnknown(&scanner, key)
                }
            }
            arena.pointee.events.append(event)
        }
        span.eventCount = UInt32(arena.pointee.events.count) - span.eventStart
    }

    private func readLinks(_ scanner: inout JSONScanner, _ span: inout SpanRecord) throws(JSONProblem) {
        if span.linkCount > 0 { throw .defect(.repeatedField) }
        span.linkStart = UInt32(arena.pointee.links.count)
        try scanner.eachElement { (scanner) throws(JSONProblem) in
            var link = LinkRecord()
            link.state = .dirty
            try scanner.eachMember { (scanner, key) throws(JSONProblem) in
                if try scanner.takeNull() { return }
                if key.equals("traceId") {
                    let id = try scanner.readIdentifier()
                    guard id.digits == 32 || id.digits == 0 else { throw .defect(.linkID) }
                    (link.traceIDHigh, link.traceIDLow) = (id.high, id.low)
                } else if key.equals("spanId") {
                    let id = try scanner.readIdentifier()
                    guard id.digits == 16 || id.digits == 0 else { throw .defect(.linkID) }
                    link.spanID = id.low
                } else if key.equals("traceState") {
                    link.traceState = try scanner.readString()
                } else if key.equals("attributes") {
                    link.attributes = try attributes.readList(&scanner, after: link.attributes)
                } else if key.equals("droppedAttributesCount") {
                    link.droppedAttributes = try scanner.readUInt32()
                } else if key.equals("flags") {
                    link.flags = try scanner.readUInt32()
                } else {
                    try skipUnknown(&scanner, key)
                }
            }
            arena.pointee.links.append(link)
        }
        span.linkCount = UInt32(arena.pointee.links.count) - span.linkStart
    }
}
