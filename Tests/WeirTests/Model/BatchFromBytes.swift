@testable import Weir

extension Payload {
    static func copying(_ bytes: [UInt8]) -> Payload {
        bytes.withUnsafeBytes { Payload.copying($0) }
    }
}

extension Batch {
    /// A batch with what an OTLP request says.
    init(decoding bytes: [UInt8], maxValueDepth: Int = 64) throws(DecodeError) {
        self.init()
        try OTLPDecoder(maxValueDepth: maxValueDepth).decode(.copying(bytes), into: &self)
    }

    /// The batch as protobuf.
    var encoded: [UInt8] {
        var encoder = OTLPEncoder()
        return Array(encoder.bytes(of: self))
    }

    /// Has the encoder write every record anew instead of copying its bytes.
    mutating func markAllDirty(attributesToo: Bool = false) {
        arena.pointee.isVerbatim = false
        for index in spans.indices { arena.pointee.spans[index].state.insert(.dirty) }
        for index in events.indices { arena.pointee.events[index].state.insert(.dirty) }
        for index in links.indices { arena.pointee.links[index].state.insert(.dirty) }
        for index in scopes.indices { arena.pointee.scopes[index].state.insert(.dirty) }
        for index in resources.indices { arena.pointee.resources[index].state.insert(.dirty) }
        guard attributesToo else { return }
        for index in attributes.indices { arena.pointee.attributes[index].wireOffset = AttributeRecord.noWire }
    }
}
