/// What stands in front of each record in a segment: 80 bytes, little-endian, with a checksum of its own, so that a
/// record whose body is damaged can still be skipped by its length and named by its sequence.
///
/// | offset | field |
/// |---|---|
/// | 0 | u32 magic |
/// | 4 | u8 version, u8 kind (1 spans), u8 codec (0 plain, 1 encrypted), u8 flags (0) |
/// | 8 | u32 bytes of the body as stored, u32 bytes of the body when decoded |
/// | 16 | u64 sequence |
/// | 24 | u64 received, nanoseconds since 1970 |
/// | 32 | 2 × u64 request key, 0 for none |
/// | 48 | u64 the first sequence that was not durable yet when this was written |
/// | 56 | u32 spans, u32 key id of the codec (0 none) |
/// | 64 | u16 bytes of the tenant's name, u16 bytes of the answer |
/// | 68 | u32 bytes of the section |
/// | 72 | u32 CRC-32C of the body, u32 CRC-32C of the 76 bytes before, which go on from the segment's id |
///
/// The body is the tenant's name, what the client was answered about rejected spans, the ``RecordSection`` and the OTLP
/// protobuf. The next header stands at the next multiple of 16. Because the header's checksum goes on from the
/// segment's id, what an earlier use of the same file has left behind can never pass for a record.
struct RecordHeader: Equatable {
    static let size = 80
    static let alignment = 16
    private static let magic: UInt32 = 0x5257_4557
    private static let version: UInt8 = 1
    private static let spans: UInt8 = 1

    var codec: UInt8 = 0
    var storedLength: Int
    var decodedLength: Int
    var sequence: UInt64
    var receivedAt: Timestamp
    var key: RequestKey
    var durableBelow: UInt64
    var spanCount: Int
    var keyID: UInt32 = 0
    var tenantLength: Int
    var answerLength: Int
    var sectionLength = 0
    var bodyChecksum: UInt32

    /// Bytes from this header to the next.
    var stride: Int { Self.stride(of: storedLength) }

    static func stride(of storedLength: Int) -> Int {
        (size + storedLength + alignment - 1) & ~(alignment - 1)
    }
}

extension RecordHeader {
    /// - Parameters:
    ///   - start: of at least 80 bytes.
    ///   - seed: the checksum of the segment's id.
    func write(to start: UnsafeMutableRawPointer, seed: UInt32, _ disk: any JournalDisk) {
        start.put(Self.magic, at: 0)
        start.put(Self.version, at: 4)
        start.put(Self.spans, at: 5)
        start.put(codec, at: 6)
        start.put(UInt8(0), at: 7)
        start.put(UInt32(storedLength), at: 8)
        start.put(UInt32(decodedLength), at: 12)
        start.put(sequence, at: 16)
        start.put(receivedAt.nanoseconds, at: 24)
        start.put(key.high, at: 32)
        start.put(key.low, at: 40)
        start.put(durableBelow, at: 48)
        start.put(UInt32(spanCount), at: 56)
        start.put(keyID, at: 60)
        start.put(UInt16(tenantLength), at: 64)
        start.put(UInt16(answerLength), at: 66)
        start.put(UInt32(sectionLength), at: 68)
        start.put(bodyChecksum, at: 72)
        start.put(disk.checksum(UnsafeRawBufferPointer(start: start, count: 76), after: seed), at: 76)
    }

    /// False where no header stands there.
    @inline(__always)
    static func mayBegin(_ bytes: UnsafeRawBufferPointer) -> Bool { bytes.get(UInt32.self, at: 0) == magic }

    /// - Returns: nil unless a whole header of this segment stands there.
    init?(_ bytes: UnsafeRawBufferPointer, seed: UInt32, _ disk: any JournalDisk) {
        guard bytes.count >= Self.size, bytes.get(UInt32.self, at: 0) == Self.magic,
            disk.checksum(UnsafeRawBufferPointer(rebasing: bytes[0..<76]), after: seed) == bytes.get(at: 76),
            bytes[4] == Self.version, bytes[5] == Self.spans
        else { return nil }
        codec = bytes[6]
        storedLength = Int(bytes.get(UInt32.self, at: 8))
        decodedLength = Int(bytes.get(UInt32.self, at: 12))
        sequence = bytes.get(at: 16)
        receivedAt = Timestamp(nanoseconds: bytes.get(at: 24))
        key = RequestKey(high: bytes.get(at: 32), low: bytes.get(at: 40))
        durableBelow = bytes.get(at: 48)
        spanCount = Int(bytes.get(UInt32.self, at: 56))
        keyID = bytes.get(at: 60)
        tenantLength = Int(bytes.get(UInt16.self, at: 64))
        answerLength = Int(bytes.get(UInt16.self, at: 66))
        sectionLength = Int(bytes.get(UInt32.self, at: 68))
        bodyChecksum = bytes.get(at: 72)
        guard tenantLength + answerLength + sectionLength <= decodedLength else { return nil }
    }
}

/// The parts of a body.
extension RecordHeader {
    func tenant(in body: UnsafeRawBufferPointer) -> String {
        String(decoding: body[0..<tenantLength], as: UTF8.self)
    }

    func answer(in body: UnsafeRawBufferPointer) -> String {
        String(decoding: body[tenantLength..<tenantLength + answerLength], as: UTF8.self)
    }

    func section(in body: UnsafeRawBufferPointer) -> RecordSection {
        let start = tenantLength + answerLength
        return RecordSection(UnsafeRawBufferPointer(rebasing: body[start..<start + sectionLength]))
    }

    func payload(in body: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: body[(tenantLength + answerLength + sectionLength)...])
    }
}
