/// The directory of one journal, as far as the journal sees it: a protocol, so that a test can break it at any
/// operation. The real one is in System. Everything here blocks.
protocol JournalDisk: Sendable {
    /// Bytes that every offset, length and address of a segment's reads and writes is a multiple of. A power of two.
    var blockSize: Int { get }
    /// The names of files directly in the directory, unsorted.
    func names() throws(DiskError) -> [String]
    /// Creates a file of `size` bytes whose room on the disk is taken, and reads as zeros.
    func create(_ name: String, size: Int) throws(DiskError) -> any JournalFile
    /// - Parameter isReadOnly: for one who only looks.
    func open(_ name: String, isReadOnly: Bool) throws(DiskError) -> any JournalFile
    /// Takes the place of a file called `newName`.
    func rename(_ name: String, to newName: String) throws(DiskError)
    func remove(_ name: String) throws(DiskError)
    /// Returns when the names are where a power cut leaves them.
    func sync() throws(DiskError)
    /// Bytes that the file system has left for us.
    func freeBytes() throws(DiskError) -> Int
    /// CRC-32C (RFC 3720, appendix B.4) of the bytes, going on from that of what stands before them.
    func checksum(_ bytes: UnsafeRawBufferPointer, after checksum: UInt32) -> UInt32
}

/// A file of a journal. Used by one thread at a time; closed with the last reference.
protocol JournalFile: AnyObject, Sendable {
    /// Bytes.
    var size: Int { get }
    /// Fills the buffer as far as the file goes. - Returns: how many bytes that was.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int
    /// Like ``sync()``, throws where the file has lost its name since.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError)
    /// Returns when what was written is where a power cut leaves it. After an error nobody knows what is.
    func sync() throws(DiskError)
}

/// A disk refused something.
struct DiskError: Error, Equatable, CustomStringConvertible {
    /// `write data/journal/traces/…: no space left on device`
    let description: String
    /// There is no room; there may be some again later.
    let isFull: Bool
    /// The medium does not give back what was asked for.
    var isUnreadable = false
    /// Nothing has that name.
    var isMissing = false
}

extension JournalFile {
    /// As ``read(into:at:)``, with zeros for blocks that the medium does not give back: so a bad sector is damage like
    /// any other, and costs no more than what stood in it. Where no block can be had, it is the disk that is gone, and
    /// what is on it may come back.
    func readAround(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int, blockSize: Int
    ) throws(DiskError) -> Int {
        do throws(DiskError) {
            return try read(into: buffer, at: offset)
        } catch {
            guard error.isUnreadable else { throw error }
        }
        let count = min(buffer.count, max(0, size - offset))
        var isAnyRead = false
        for start in stride(from: 0, to: count, by: blockSize) {
            let block = UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + blockSize])
            do throws(DiskError) {
                _ = try read(into: block, at: offset + start)
                isAnyRead = true
            } catch {
                guard error.isUnreadable else { throw error }
                block.initializeMemory(as: UInt8.self, repeating: 0)
            }
        }
        if !isAnyRead {
            let probe = AlignedBuffer(capacity: blockSize)
            _ = try read(into: probe.memory, at: 0)
        }
        return count
    }
}
