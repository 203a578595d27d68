/// Bytes that are zero where none were put. Moves blocks and not bytes, for the sake of debug builds.
struct SimulatedBytes {
    private var bytes: [UInt8] = []

    init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    mutating func put(_ new: UnsafeRawBufferPointer, at offset: Int) {
        let end = offset + new.count
        // Twice as many, so that a file that is written piece by piece is not copied with each.
        if end > bytes.count { bytes = copy(from: 0, count: max(end, bytes.count * 2)) }
        bytes.withUnsafeMutableBytes { UnsafeMutableRawBufferPointer(rebasing: $0[offset..<end]).copyMemory(from: new) }
    }

    func copy(from offset: Int, count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            copy(from: offset, to: UnsafeMutableRawBufferPointer(room))
            filled = count
        }
    }

    /// Fills the room.
    func copy(from offset: Int, to room: UnsafeMutableRawBufferPointer) {
        let count = min(room.count, max(0, bytes.count - offset))
        guard count > 0 else {
            _ = room.initializeMemory(as: UInt8.self, repeating: 0)
            return
        }
        bytes.withUnsafeBytes { room.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count])) }
        let rest = UnsafeMutableRawBufferPointer(rebasing: room[count...])
        _ = rest.initializeMemory(as: UInt8.self, repeating: 0)
    }
}
