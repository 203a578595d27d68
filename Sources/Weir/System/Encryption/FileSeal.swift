import CLibraries

/// Seals a file as a whole while it is written: chunks of one size, each encrypted by itself with a key that is the
/// file's alone. docs/encryption.md has the format.
///
/// What stands at the end of a file may be cut off and be followed by something else, so a chunk's place makes no
/// nonce. The uses of the key are counted, and each chunk says which one it is.
final class FileSeal {
    /// The magic byte, `weir`, the version, the suite, and the size of a chunk as a power of two.
    static let magic: [UInt8] = [Envelope.magic] + Array("weir".utf8) + [1, 3, 16]
    /// Bytes of what a file's key is made from, beside the data key.
    private static let idSize = 16
    static let headerSize = magic.count + 8 + idSize
    /// Bytes of plaintext; the last chunk may have fewer.
    static let chunkSize = 1 << 16
    /// Bytes of the number of a use.
    static let numberSize = 8
    /// What a chunk is longer than its plaintext.
    static let overhead = numberSize + CipherSuite.tagSize

    /// What the file begins with.
    let header: [UInt8]
    /// Of the data key.
    let keyID: UInt64
    private let cipher: Cipher
    private var uses: UInt64 = 0

    /// For a new file.
    /// - Returns: nil where OpenSSL refuses.
    init?(_ keyID: UInt64, _ key: SecretKey) {
        var header = Self.magic
        withUnsafeBytes(of: keyID.bigEndian) { header += $0 }
        var id = [UInt8](repeating: 0, count: Self.idSize)
        guard RAND_bytes(&id, Int32(Self.idSize)) == 1 else { return nil }
        header += id
        guard let cipher = Self.cipher(of: header, key, .encrypt) else { return nil }
        self.header = header
        self.keyID = keyID
        self.cipher = cipher
    }

    static func cipher(of header: [UInt8], _ key: SecretKey, _ direction: Cipher.Direction) -> Cipher? {
        key.expanded(Array("weir1 file".utf8) + header).flatMap { Cipher(.aes256gcm, key: $0, direction) }
    }

    /// The id of the data key; nil where it is no header of this format.
    static func keyID(of header: [UInt8]) -> UInt64? {
        guard header.count == headerSize, header.starts(with: magic) else { return nil }
        return header[magic.count..<magic.count + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// - Parameter place: how many chunks stand before it.
    /// - Returns: nil where OpenSSL refuses.
    func seal(_ chunk: [UInt8], at place: Int, isLast: Bool) -> [UInt8]? {
        let number = Self.number(uses)
        let nonce = Self.nonce(number)
        uses += 1
        NonceCheck.note(header.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }, nonce, nonce.count)
        var isDone = false
        let sealed = [UInt8](unsafeUninitializedCapacity: chunk.count + Self.overhead) { room, count in
            guard let start = room.baseAddress else { return }
            start.update(from: number, count: Self.numberSize)
            isDone = chunk.withUnsafeBytes { plaintext in
                Self.additional(place, isLast).withUnsafeBytes {
                    cipher.seal(plaintext, nonce: nonce, additional: $0, to: start + Self.numberSize)
                }
            }
            count = room.count
        }
        return isDone ? sealed : nil
    }

    private static func number(_ number: UInt64) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }

    /// - Parameter number: as it stands in front of the chunk.
    static func nonce(_ number: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 0, count: CipherSuite.aes256gcm.nonceSize - number.count) + number
    }

    /// Where the chunk stands, and whether one follows.
    static func additional(_ place: Int, _ isLast: Bool) -> [UInt8] { number(UInt64(place)) + [isLast ? 1 : 0] }
}
