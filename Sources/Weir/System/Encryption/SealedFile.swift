import Glibc

/// A file that ``FileSeal`` has written, and any part of it in clear. One that was cut, added to or put together from
/// others does not open.
final class SealedFile {
    /// Bytes in clear.
    let length: Int
    private let path: String
    /// Somebody else closes it.
    private let descriptor: Int32
    private let cipher: Cipher
    private let count: Int
    /// Bytes of the last chunk, as it stands in the file.
    private let lastSize: Int
    /// The one that was looked at last.
    private var chunk: (place: Int, bytes: [UInt8])

    /// - Returns: nil where the file is not sealed.
    init?(_ descriptor: Int32, _ path: String, _ keys: (any FileKeys)?) throws(FileError) {
        let header = try Self.read(descriptor, path, at: 0, FileSeal.headerSize)
        // The last bytes of the magic number are those of a version.
        guard header.starts(with: FileSeal.magic.prefix(5)) else { return nil }
        guard let id = FileSeal.keyID(of: header) else { throw .unreadable(path, .notAuthentic) }
        guard let keys else { throw .unreadable(path, .unavailable, key: id) }
        let key: SecretKey
        switch keys.secret(id, of: path) {
        case .success(let found): key = found
        case .failure(let reason): throw .unreadable(path, reason, key: id)
        }
        guard let cipher = FileSeal.cipher(of: header, key, .decrypt) else { throw .noMemory(path) }
        let whole = FileSeal.chunkSize + FileSeal.overhead
        let size = try Self.size(descriptor, path) - FileSeal.headerSize
        count = (size + whole - 1) / whole
        lastSize = size - (count - 1) * whole
        guard count > 0, lastSize >= FileSeal.overhead else { throw .unreadable(path, .notAuthentic, key: id) }
        length = size - count * FileSeal.overhead
        self.path = path
        self.descriptor = descriptor
        self.cipher = cipher
        chunk = (-1, [])
        // That it is the last one says that no other follows, and that none is missing.
        _ = try bytes(ofChunk: count - 1)
    }

    /// Exactly those.
    func bytes(_ range: Range<Int>) throws(FileError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= length else { throw .damaged(path) }
        var found: [UInt8] = []
        found.reserveCapacity(range.count)
        while found.count < range.count {
            let next = range.lowerBound + found.count
            let start = next % FileSeal.chunkSize
            let chunk = try bytes(ofChunk: next / FileSeal.chunkSize)
            found += chunk[start..<min(chunk.count, start + range.count - found.count)]
        }
        return found
    }

    private func bytes(ofChunk place: Int) throws(FileError) -> [UInt8] {
        if chunk.place == place { return chunk.bytes }
        let isLast = place == count - 1
        let whole = FileSeal.chunkSize + FileSeal.overhead
        let sealed = try Self.read(
            descriptor, path, at: FileSeal.headerSize + place * whole, isLast ? lastSize : whole)
        let nonce = FileSeal.nonce(Array(sealed.prefix(FileSeal.numberSize)))
        var isSound = false
        let bytes = [UInt8](unsafeUninitializedCapacity: sealed.count) { room, count in
            guard let room = room.baseAddress, sealed.count >= FileSeal.overhead else { return }
            isSound = sealed.withUnsafeBytes { sealed in
                FileSeal.additional(place, isLast).withUnsafeBytes {
                    cipher.open(
                        UnsafeRawBufferPointer(rebasing: sealed[FileSeal.numberSize...]), nonce: nonce, additional: $0,
                        to: room)
                }
            }
            count = isSound ? sealed.count - FileSeal.overhead : 0
        }
        guard isSound else { throw .unreadable(path, .notAuthentic) }
        chunk = (place, bytes)
        return bytes
    }

    private static func size(_ descriptor: Int32, _ path: String) throws(FileError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError("fstat", path) }
        return Int(status.st_size)
    }

    /// At most so many: a file that ends before has fewer.
    private static func read(
        _ descriptor: Int32, _ path: String, at offset: Int, _ count: Int
    ) throws(FileError) -> [UInt8] {
        var failure: FileError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            while filled < count {
                let read = pread(descriptor, room.baseAddress.map { $0 + filled }, count - filled, offset + filled)
                if read < 0, errno == EINTR { continue }
                if read < 0 { failure = FileError("read", path) }
                guard read > 0 else { return }
                filled += read
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
