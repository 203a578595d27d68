@testable import Weir

extension JournalFile {
    /// What is read of `count` bytes at `offset`.
    func bytes(at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        let room = Self.aligned(count)
        defer { room.deallocate() }
        return Array(room.prefix(try read(into: room, at: offset)))
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(DiskError) {
        let room = Self.aligned(bytes.count)
        defer { room.deallocate() }
        room.copyBytes(from: bytes)
        try write(UnsafeRawBufferPointer(room), at: offset)
    }

    /// As disks want it.
    private static func aligned(_ count: Int) -> UnsafeMutableRawBufferPointer {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 4_096)
        room.initializeMemory(as: UInt8.self, repeating: 0xA5)
        return room
    }
}
