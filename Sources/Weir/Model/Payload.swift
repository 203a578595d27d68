/// The bytes of one request or one journal record: immutable, shared, freed with the last reference.
///
/// Behind the last byte stand ``slack`` zero bytes, so that the decoders can load eight or sixteen bytes at once
/// without asking how many are left.
// Sendable: the bytes are written before `init` and never again; only `deinit` frees them.
final class Payload: @unchecked Sendable {
    static let slack = 64

    let base: UnsafeRawPointer
    /// Bytes, without the slack.
    let count: Int
    /// Whose memory it is; nil where it is the payload's own.
    private let whole: Payload?

    /// Takes over memory that was allocated, of which ``slack`` zeros behind the bytes are a part.
    init(taking base: UnsafeMutableRawPointer, count: Int) {
        self.base = UnsafeRawPointer(base)
        self.count = count
        whole = nil
    }

    /// The bytes of `whole` from `start` on, where they lie.
    init(_ whole: Payload, from start: Int) {
        precondition((0...whole.count).contains(start), "a part of a payload that is not in it")
        base = whole.base + start
        count = whole.count - start
        self.whole = whole
    }

    static let empty = PayloadBuilder(capacity: 0).finish()

    static func copying(_ bytes: UnsafeRawBufferPointer) -> Payload {
        var builder = PayloadBuilder(capacity: bytes.count)
        builder.append(bytes)
        return builder.finish()
    }

    deinit {
        if whole == nil { base.deallocate() }
    }

    /// Valid as long as the payload is.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base, count: count)
    }
}

/// Collects the bytes of a payload whose size is not known for sure.
struct PayloadBuilder: ~Copyable {
    private var base: UnsafeMutableRawPointer
    private(set) var capacity: Int
    /// Bytes written so far. Whoever writes through ``unused`` adds to it.
    var count = 0

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(byteCount: capacity + Payload.slack, alignment: 16)
    }

    deinit {
        base.deallocate()
    }

    /// The room between `count` and `capacity`.
    var unused: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base + count, count: capacity - count)
    }

    /// Makes room for `capacity` bytes in all.
    mutating func reserve(_ capacity: Int) {
        if capacity > self.capacity { move(to: capacity) }
    }

    private mutating func move(to capacity: Int) {
        let moved = UnsafeMutableRawPointer.allocate(byteCount: capacity + Payload.slack, alignment: 16)
        moved.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = moved
        self.capacity = capacity
    }

    /// Grows to at least twice the capacity when the room is too small.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        if count + bytes.count > capacity { reserve(max(count + bytes.count, capacity * 2)) }
        (base + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    /// A payload may wait in a journal, where its bytes are counted and not the room that was kept for them. So room of
    /// more than twice the bytes is given back.
    consuming func finish() -> Payload {
        if capacity > count * 2 { move(to: count) }
        (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: Payload.slack)
        let payload = Payload(taking: base, count: count)
        discard self
        return payload
    }
}
