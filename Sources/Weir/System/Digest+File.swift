import Glibc

extension Digest {
    /// Of all that a file holds.
    static func sha256(ofFile path: String) throws(FileError) -> [UInt8] {
        var reader = try FileReader(path)
        guard let running = Running() else { throw FileError("read", path, code: ENOMEM) }
        while true {
            let bytes = try reader.next(upTo: 1 << 20)
            guard !bytes.isEmpty else { return running.finish() }
            running.append(bytes)
        }
    }
}
