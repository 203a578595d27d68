/// Reads the spans of one scope. The hot loop: everything it needs stands in local values, and nothing in it allocates.
struct SpanReader {
    private let arena: UnsafeMutablePointer<Batch.Arena>
    private let base: UnsafePointer<UInt8>
    private let maxValueDepth: Int
    private let scope: UInt32

    init(_ arena: UnsafeMutablePointer<Batch.Arena>, _ base: UnsafePointer<UInt8>, maxValueDepth: Int, scope: UInt32) {
        self.arena = arena
        self.base = base
        self.maxValueDepth = maxValueDepth
        self.scope = scope
    }

    /// Adds a span, or counts why it was rejected.
    mutating func read(_ message: ByteRef) {
        let marks = (arena.pointee.attributes.count, arena.pointee.events.count, arena.pointee.links.count)
        var span = SpanRecord()
        if let defect = readFields(message, into: &span) {
            (arena.pointee.attributes.count, arena.pointee.events.count, arena.pointee.links.count) = marks
            arena.pointee.rejected.add(defect)
            return
        }
        arena.pointee.spans.append(span)
    }

    @inline(__always)
    private func readFields(_ message: ByteRef, into span: inout SpanRecord) -> SpanDefect? {
        let base = base
        var position = message.position
        let end = position + Int(message.count)
        var attributes = AttributeReader(arena, base, 0, maxValueDepth)
        /// Where the first event or link stands. They are read in a second pass, so that each owner's attributes stand
        /// together.
        var firstChild = Int.max
        var hasIDs = 0
        span.wire = message
        span.scope = scope
        span.attributeStart = UInt32(truncatingIfNeeded: arena.pointee.attributes.count)

        while position < end {
            let start = position
            let (tag, afterTag) = readVarint(base, position, end)
            guard afterTag < end else { return .encoding }
            position = afterTag
            if tag & 7 == 2 {
                let (count, body) = readVarint(base, position, end)
                guard body <= end, count <= UInt64(truncatingIfNeeded: end &- body) else { return .encoding }
                let length = Int(truncatingIfNeeded: count)
                position = body &+ length
                switch tag {
                case Tag.attributes:
                    attributes.read(body, position, wireOffset: afterTag)
                    if attributes.defect != nil { return attributes.defect }
                case Tag.traceID:
                    guard length == 16 else { return .traceID }
                    span.traceIDHigh = loadBig64(base + body)
                    span.traceIDLow = loadBig64(base + body + 8)
                    hasIDs |= 1
                case Tag.spanID:
                    guard length == 8 else { return .spanID }
                    span.spanID = loadBig64(base + body)
                    hasIDs |= 2
                case Tag.parentSpanID:
                    guard length == 8 || length == 0 else { return .parentSpanID }
                    span.parentSpanID = length == 8 ? loadBig64(base + body) : 0
                    if length == 8 { span.state.insert(.hasParent) } else { span.state.remove(.hasParent) }
                case Tag.name:
                    guard isValidUTF8(base + body, length) else { return .text }
                    span.name = ByteRef(body, length)
                case Tag.traceState:
                    guard isValidUTF8(base + body, length) else { return .text }
                    span.traceState = ByteRef(body, length)
                case Tag.events, Tag.links:
                    firstChild = min(firstChild, start)
                case Tag.status:
                    // Merging two would need a place to put the result; nobody sends two.
                    if span.state.contains(.hasStatus) { return .repeatedField }
                    span.state.insert(.hasStatus)
                    if let defect = readStatus(body, position, &span) { return defect }
                default:
                    guard tag >= 8, tag >> 32 == 0 else { return .encoding }
                    span.state.insert(.unknownFields)
                }
                continue
            }
            switch tag {
            case Tag.startTime:
                guard end &- position >= 8 else { return .encoding }
                span.startTime = loadLittle64(base + position)
                position &+= 8
            case Tag.endTime:
                guard end &- position >= 8 else { return .encoding }
                span.endTime = loadLittle64(base + position)
                position &+= 8
            case Tag.flags:
                guard end &- position >= 4 else { return .encoding }
                span.flags = loadLittle32(base + position)
                position &+= 4
            default:
                position = readRare(tag, position, end, &span)
                guard position <= end else { return .encoding }
            }
        }
        span.attributeCount = UInt32(truncatingIfNeeded: arena.pointee.attributes.count) &- span.attributeStart
        guard hasIDs & 1 != 0, span.traceIDHigh | span.traceIDLow != 0 else { return .traceID }
        guard hasIDs & 2 != 0, span.spanID != 0 else { return .spanID }
        return firstChild == Int.max ? nil : readChildren(firstChild, end, &span)
    }

    /// Numbers other than the times. - Returns: where the next field stands.
    @inline(__always)
    private func readRare(_ tag: UInt64, _ position: Int, _ end: Int, _ span: inout SpanRecord) -> Int {
        let (_, next) = fieldBody(base, tag, position, end)
        guard next <= end else { return next }
        switch tag {
        case Tag.kind:
            let value = UInt32(truncatingIfNeeded: readVarint(base, position, end).value)
            // proto3 enums are open: a value without a name is kept. One that does not fit is kept as an unknown field.
            span.kind = UInt8(exactly: value) ?? 0
            if value > 255 { span.state.insert(.unknownFields) }
        case Tag.droppedAttributes:
            span.droppedAttributes = UInt32(truncatingIfNeeded: readVarint(base, position, end).value)
        case Tag.droppedEvents: span.droppedEvents = UInt32(truncatingIfNeeded: readVarint(base, position, end).value)
        case Tag.droppedLinks: span.droppedLinks = UInt32(truncatingIfNeeded: readVarint(base, position, end).value)
        default: span.state.insert(.unknownFields)
        }
        return next
    }

    private func readStatus(_ start: Int, _ end: Int, _ span: inout SpanRecord) -> SpanDefect? {
        var position = start
        while position < end {
            let (tag, afterTag) = readVarint(base, position, end)
            guard afterTag < end else { return .encoding }
            let (body, next) = fieldBody(base, tag, afterTag, end)
            guard next <= end else { return .encoding }
            position = next
            switch tag {
            case Tag.statusMessage:
                guard isValidUTF8(base + body, next - body) else { return .text }
                span.statusMessage = ByteRef(body, next - body)
            case Tag.statusCode:
                let value = UInt32(truncatingIfNeeded: readVarint(base, body, end).value)
                span.status = UInt8(exactly: value) ?? 0
                if value > 255 { span.state.insert(.unknownStatusFields) }
            default: span.state.insert(.unknownStatusFields)
            }
        }
        return nil
    }

    @inline(never)
    private func readChildren(_ start: Int, _ end: Int, _ span: inout SpanRecord) -> SpanDefect? {
        span.eventStart = UInt32(arena.pointee.events.count)
        span.linkStart = UInt32(arena.pointee.links.count)
        var position = start
        while position < end {
            // The first pass has walked these fields: none is broken.
            let (tag, afterTag) = readVarint(base, position, end)
            let (body, next) = fieldBody(base, tag, afterTag, end)
            position = next
            if tag == Tag.events, let defect = readEvent(ByteRef(body, next - body)) { return defect }
            if tag == Tag.links, let defect = readLink(ByteRef(body, next - body)) { return defect }
        }
        span.eventCount = UInt32(arena.pointee.events.count) - span.eventStart
        span.linkCount = UInt32(arena.pointee.links.count) - span.linkStart
        return nil
    }

    private func readEvent(_ message: ByteRef) -> SpanDefect? {
        var event = EventRecord()
        event.wire = message
        event.attributes.start = UInt32(arena.pointee.attributes.count)
        var attributes = AttributeReader(arena, base, 0, maxValueDepth)
        var position = message.position
        let end = position + Int(message.count)
        while position < end {
            let (tag, afterTag) = readVarint(base, position, end)
            guard afterTag < end else { return .encoding }
            let (body, next) = fieldBody(base, tag, afterTag, end)
            guard next <= end else { return .encoding }
            position = next
            switch tag {
            case Tag.eventTime: event.time = loadLittle64(base + body)
            case Tag.eventName:
                guard isValidUTF8(base + body, next - body) else { return .text }
                event.name = ByteRef(body, next - body)
            case Tag.eventAttributes:
                attributes.read(body, next, wireOffset: afterTag)
                if attributes.defect != nil { return attributes.defect }
            case Tag.eventDropped:
                event.droppedAttributes = UInt32(truncatingIfNeeded: readVarint(base, body, end).value)
            default: event.state.insert(.unknownFields)
            }
        }
        event.attributes.count = UInt32(arena.pointee.attributes.count) - event.attributes.start
        arena.pointee.events.append(event)
        return nil
    }

    private func readLink(_ message: ByteRef) -> SpanDefect? {
        var link = LinkRecord()
        link.wire = message
        link.attributes.start = UInt32(arena.pointee.attributes.count)
        var attributes = AttributeReader(arena, base, 0, maxValueDepth)
        var position = message.position
        let end = position + Int(message.count)
        while position < end {
            let (tag, afterTag) = readVarint(base, position, end)
            guard afterTag < end else { return .encoding }
            let (body, next) = fieldBody(base, tag, afterTag, end)
            guard next <= end else { return .encoding }
            position = next
            switch tag {
            // The API lets a span be linked to an invalid context, so an empty id is as good as a whole one.
            case Tag.linkTraceID:
                guard next - body == 16 || next == body else { return .linkID }
                link.traceIDHigh = next == body ? 0 : loadBig64(base + body)
                link.traceIDLow = next == body ? 0 : loadBig64(base + body + 8)
            case Tag.linkSpanID:
                guard next - body == 8 || next == body else { return .linkID }
                link.spanID = next == body ? 0 : loadBig64(base + body)
            case Tag.linkTraceState:
                guard isValidUTF8(base + body, next - body) else { return .text }
                link.traceState = ByteRef(body, next - body)
            case Tag.linkAttributes:
                attributes.read(body, next, wireOffset: afterTag)
                if attributes.defect != nil { return attributes.defect }
            case Tag.linkDropped: link.droppedAttributes = UInt32(truncatingIfNeeded: readVarint(base, body, end).value)
            case Tag.linkFlags: link.flags = loadLittle32(base + body)
            default: link.state.insert(.unknownFields)
            }
        }
        link.attributes.count = UInt32(arena.pointee.attributes.count) - link.attributes.start
        arena.pointee.links.append(link)
        return nil
    }
}
