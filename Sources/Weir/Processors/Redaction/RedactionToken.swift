/// Makes tokens that stand for what was found: alike for the same thing of the same tenant in the same epoch, and not
/// to be guessed without the key.
struct RedactionToken: Sendable {
    /// Characters of base 32 behind the kind: 80 bits.
    static let length = 16

    let hash: KeyedHash
    let epoch: String

    /// One that makes tokens. Each lane owns its own.
    struct Maker: ~Copyable {
        private var session: KeyedHash.Session
        private let epoch: String
        /// What is hashed before a value, and what stands before its token, of the kind and tenant of the last one.
        private var context: [UInt8] = []
        private var head: [UInt8] = []
        private var message: [UInt8] = []
        private var kind = ""
        private var tenant = ""
        /// The last value and its token: the spans of a trace most often have one user.
        private var last: (value: [UInt8], token: [UInt8]) = ([], [])

        fileprivate init(_ token: RedactionToken) {
            session = token.hash.session()
            epoch = token.epoch
        }

        /// - Parameter kind: in small letters, such as `email`.
        /// - Returns: `tok_email_` and sixteen of `a` to `z` and `2` to `7`; what is a token already stays as it is.
        mutating func token(for value: UnsafeRawBufferPointer, kind: String, tenant: String) -> [UInt8] {
            if RedactionToken.isToken(value) { return Array(value) }
            if kind != self.kind || tenant != self.tenant {
                (self.kind, self.tenant) = (kind, tenant)
                context = Array("\(tenant)\u{0}\(epoch)\u{0}\(kind)\u{0}".utf8)
                head = Array("tok_\(kind)_".utf8)
            } else if value.count == last.value.count, value.elementsEqual(last.value) {
                return last.token
            }
            message.removeAll(keepingCapacity: true)
            message += context
            message += value
            // Without a digest nobody could tell one from another, and nothing is given away.
            let letters: StaticString = "abcdefghijklmnopqrstuvwxyz234567"
            let token = message.withUnsafeBytes { message in
                session.hash(message) { digest in
                    [UInt8](unsafeUninitializedCapacity: head.count + RedactionToken.length) { token, count in
                        count = token.update(fromContentsOf: head)
                        var bits: UInt64 = 0
                        var held = 0
                        for byte in digest.prefix(10) {
                            bits = bits << 8 | UInt64(byte)
                            held += 8
                            while held >= 5 {
                                held -= 5
                                token[count] = letters.utf8Start[Int(bits >> UInt64(held) & 31)]
                                count += 1
                            }
                        }
                    }
                }
            }
            last = (Array(value), token)
            return token
        }
    }

    func maker() -> Maker { Maker(self) }

    /// What is hashed of something that was found: written in another way, it is still the same.
    /// - Parameter kind: of a detector or rule; see ``RedactionPolicy/name(of:)``.
    static func plain(_ match: UnsafeRawBufferPointer, _ kind: UInt8) -> [UInt8] {
        let match = NarrowText(match).text
        guard kind != Detector.email.rawValue else { return match.map { isLetter($0) ? $0 | 0x20 : $0 } }
        return match.withUnsafeBufferPointer { match in
            guard let base = match.baseAddress else { return [] }
            let text = TextBytes(base: base, count: match.count)
            var plain: [UInt8] = []
            var at = 0
            while at < text.count {
                let byte = base[at]
                // What is percent-encoded is none of its letters and digits.
                at += text.escapedMark(at) != 0 ? 3 : 1
                if isDigit(byte) || byte >= 0x80 { plain.append(byte) }
                if isLetter(byte) { plain.append(byte & 0xDF) }
            }
            return plain
        }
    }

    static func isToken(_ value: UnsafeRawBufferPointer) -> Bool {
        guard value.count > 5 + length, value.starts(with: "tok_".utf8), value[value.count - length - 1] == 0x5F else {
            return false
        }
        return value.suffix(length).allSatisfy { $0 &- 97 < 26 || $0 &- 50 < 6 }
            && value.dropLast(length).allSatisfy { $0 &- 97 < 26 || $0 == 0x5F || isDigit($0) }
    }
}
