/// The keys that data keys are wrapped with. The first is the primary one: new data keys are wrapped with it, the
/// others only unwrap.
struct KeyEncryptionKeys: Sendable {
    struct Key: Sendable {
        /// Sixteen hexadecimal digits that follow from the key and tell nothing of it.
        let id: String
        let secret: SecretKey

        init(_ secret: SecretKey) {
            self.secret = secret
            id = secret.authenticate(Array("weir key encryption key".utf8)).prefix(8)
                .reduce(into: "") { $0 += $1.digits(2, radix: 16) }
        }
    }

    /// Of those that may be configured at once.
    static let maxCount = 100

    var keys: [Key] = []

    var primary: Key? { keys.first }

    func key(_ id: String) -> Key? {
        keys.first { $0.id == id }
    }

    init() {}

    /// Reads keys of 32 bytes in base64 or hexadecimal digits, separated by white space or commas. What follows a `#`
    /// on a line is a comment.
    init(parsing text: String) throws(KeyError) {
        let lines = text.split(whereSeparator: \.isNewline).map { $0.prefix { $0 != "#" } }
        let words = lines.flatMap { $0.split { $0 == "," || $0.isWhitespace } }
        guard (1...Self.maxCount).contains(words.count) else {
            throw .noKeyEncryptionKey("found \(words.count) keys, wanted 1 to \(Self.maxCount)")
        }
        for (index, word) in words.enumerated() {
            guard let secret = Self.secret(word) else {
                throw .noKeyEncryptionKey(
                    "found something else as key \(index + 1), wanted 32 bytes in base64 or hexadecimal digits")
            }
            let key = Key(secret)
            if self.key(key.id) == nil { keys.append(key) }
        }
    }

    /// Whether one of the keys stands in a text that should name where they are.
    static func stand(in text: String) -> Bool {
        text.split { $0.isWhitespace || ",;='\"`".contains($0) }
            .contains { secret($0) != nil && !Directory.has(String($0)) }
    }

    private static func secret(_ word: Substring) -> SecretKey? {
        var bytes: [UInt8]
        if word.utf8.count == 2 * SecretKey.size {
            let digits = word.compactMap { $0.isASCII ? $0.hexDigitValue : nil }
            guard digits.count == word.count else { return nil }
            bytes = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
        } else {
            let plain = word.utf8.filter { $0 != UInt8(ascii: "=") }.map { byte -> UInt8 in
                byte == UInt8(ascii: "+") ? UInt8(ascii: "-") : byte == UInt8(ascii: "/") ? UInt8(ascii: "_") : byte
            }
            guard let decoded = Base64URL.decode(plain) else { return nil }
            bytes = decoded
        }
        guard bytes.count == SecretKey.size else { return nil }
        return bytes.withUnsafeBytes { SecretKey(copying: $0) }
    }
}
