import CLibraries
import Testing

@testable import Weir

/// Published vectors, and what must not open.
@Suite struct CipherTests {
    private struct Vector {
        let suite: CipherSuite
        let key: [UInt8]
        let nonce: [UInt8]
        let plaintext: [UInt8]
        let additional: [UInt8]
        let sealed: String
    }

    private static let vectors = [
        // C2SP, XAES-256-GCM, test vectors.
        Vector(
            suite: .xaes256gcm, key: Array(repeating: 1, count: 32), nonce: Array("ABCDEFGHIJKLMNOPQRSTUVWX".utf8),
            plaintext: Array("XAES-256-GCM".utf8), additional: [],
            sealed: "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        Vector(
            suite: .xaes256gcm, key: Array(repeating: 3, count: 32), nonce: Array("ABCDEFGHIJKLMNOPQRSTUVWX".utf8),
            plaintext: Array("XAES-256-GCM".utf8), additional: Array("c2sp.org/XAES-256-GCM".utf8),
            sealed: "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
        // The Galois/Counter Mode of Operation, appendix B, test case 16.
        Vector(
            suite: .aes256gcm, key: bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
            nonce: bytes("cafebabefacedbaddecaf888"),
            plaintext: bytes(
                "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                    + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"),
            additional: bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
            sealed: "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"),
    ]

    private static func bytes(_ text: String) -> [UInt8] { [UInt8](hexadecimal: text) ?? [] }

    private static func key(_ bytes: [UInt8]) -> SecretKey { bytes.withUnsafeBytes { SecretKey(copying: $0) } }

    private static func seal(_ cipher: Cipher, _ text: [UInt8], _ nonce: [UInt8], _ additional: [UInt8]) -> [UInt8]? {
        var sealed = [UInt8](repeating: 0, count: text.count + CipherSuite.tagSize)
        let isDone = text.withUnsafeBytes { text in
            additional.withUnsafeBytes { cipher.seal(text, nonce: nonce, additional: $0, to: &sealed) }
        }
        return isDone ? sealed : nil
    }

    private static func open(_ cipher: Cipher, _ sealed: [UInt8], _ nonce: [UInt8], _ additional: [UInt8]) -> [UInt8]? {
        var text = [UInt8](repeating: 0, count: sealed.count)
        let isDone = sealed.withUnsafeBytes { sealed in
            additional.withUnsafeBytes { cipher.open(sealed, nonce: nonce, additional: $0, to: &text) }
        }
        return isDone ? Array(text.prefix(max(0, sealed.count - CipherSuite.tagSize))) : nil
    }

    @Test func makesWhatThePublishedVectorsSay() throws {
        for vector in Self.vectors {
            let key = Self.key(vector.key)
            let sealing = try #require(Cipher(vector.suite, key: key, .encrypt))
            let opening = try #require(Cipher(vector.suite, key: key, .decrypt))
            // Twice, since what is kept from one message must not change the next.
            for _ in 0..<2 {
                let sealed = Self.seal(sealing, vector.plaintext, vector.nonce, vector.additional)
                #expect(sealed?.hexadecimal == vector.sealed)
                let opened = Self.open(opening, Self.bytes(vector.sealed), vector.nonce, vector.additional)
                #expect(opened == vector.plaintext)
            }
        }
    }

    /// C2SP, XAES-256-GCM: ten thousand messages that a stream of SHAKE-128 gives, and the hash of what they become.
    @Test func makesWhatTheAccumulatedVectorSays() throws {
        var stream = [UInt8](repeating: 0, count: 10_000 * (32 + 24 + 1 + 255 + 1 + 255))
        Self.shake([], &stream)
        var rest = stream[...]
        func take(_ count: Int) -> [UInt8] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        var all: [UInt8] = []
        for _ in 0..<10_000 {
            let key = take(32)
            let nonce = take(24)
            let text = take(Int(take(1)[0]))
            let additional = take(Int(take(1)[0]))
            let cipher = try #require(Cipher(.xaes256gcm, key: Self.key(key), .encrypt))
            all += try #require(Self.seal(cipher, text, nonce, additional))
        }
        var hash = [UInt8](repeating: 0, count: 32)
        Self.shake(all, &hash)
        #expect(hash.hexadecimal == "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939")
    }

    private static func shake(_ message: [UInt8], _ output: inout [UInt8]) {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        #expect(EVP_DigestInit_ex(context, EVP_shake128(), nil) == 1)
        #expect(EVP_DigestUpdate(context, message, message.count) == 1)
        #expect(EVP_DigestFinalXOF(context, &output, output.count) == 1)
    }

    @Test func nothingOpensThatWasChanged() throws {
        for vector in Self.vectors {
            let cipher = try #require(Cipher(vector.suite, key: Self.key(vector.key), .decrypt))
            let sealed = Self.bytes(vector.sealed)
            for index in sealed.indices {
                var changed = sealed
                changed[index] ^= 1
                #expect(Self.open(cipher, changed, vector.nonce, vector.additional) == nil)
            }
            for index in vector.nonce.indices {
                var nonce = vector.nonce
                nonce[index] ^= 0x80
                #expect(Self.open(cipher, sealed, nonce, vector.additional) == nil)
            }
            #expect(Self.open(cipher, sealed, vector.nonce, vector.additional + [0]) == nil)
            #expect(Self.open(cipher, Array(sealed.dropLast()), vector.nonce, vector.additional) == nil)
            #expect(Self.open(cipher, [], vector.nonce, vector.additional) == nil)
            // And after all of that it still opens what is right.
            #expect(Self.open(cipher, sealed, vector.nonce, vector.additional) == vector.plaintext)
        }
    }

    @Test func wrapsAKeyAsTheStandardDoes() throws {
        // RFC 3394, 4.6: wrap 256 bits of key data with a 256-bit KEK.
        let outer = Self.key((0..<32).map { UInt8($0) })
        let inner = Self.key(Self.bytes("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f"))
        let wrapped = try #require(KeyWrap.wrap(inner, with: outer))
        #expect(
            wrapped.hexadecimal.uppercased()
                == "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21")
        let unwrapped = try #require(KeyWrap.unwrap(wrapped, with: outer))
        #expect(unwrapped.authenticate([1]) == inner.authenticate([1]))
        #expect(KeyWrap.unwrap(wrapped, with: inner) == nil)
        #expect(KeyWrap.unwrap(Array(wrapped.dropLast()), with: outer) == nil)
    }

    @Test func aKeyIsNeverText() {
        let key = Self.key(Array(repeating: 0x41, count: 32))
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] {
            #expect(!text.contains("AAAA") && !text.contains("65") && !text.contains("41"))
        }
    }

    @Test func aNonceThatIsUsedTwiceEndsADebugBuild() async {
        #if DEBUG
            await #expect(processExitsWith: .failure) {
                let nonce = [UInt8](repeating: 7, count: 24)
                for _ in 1...2 { NonceCheck.note(1, nonce, nonce.count) }
            }
            await #expect(processExitsWith: .success) {
                let nonce = [UInt8](repeating: 7, count: 24)
                for key: UInt64 in 1...2 { NonceCheck.note(key, nonce, nonce.count) }
            }
        #endif
    }

    /// More than two series of XAES-256-GCM, and many fillings of the room that others are taken from.
    @Test(arguments: CipherSuite.allCases)
    func noncesAreNotDrawnTwice(_ suite: CipherSuite) {
        var pool = NoncePool()
        var seen: Set<[UInt8]> = []
        for _ in 0..<10_000 { #expect(seen.insert(Self.draw(suite, from: &pool)).inserted) }
        if suite == .xaes256gcm {
            // Nothing of a series follows from the one before it, or from another lane's.
            var other = NoncePool()
            let firsts = Set(seen.map { Array($0.prefix(12)) } + [Array(Self.draw(suite, from: &other).prefix(12))])
            #expect(firsts.count == 4)
            #expect(Set(firsts.map { $0.prefix(4) }).count == 4)
        }
    }

    /// What a cipher keeps of one message's nonce is of use for the next, and must not become part of what it says.
    @Test func messagesOfSeveralSeriesAreThoseOfFreshCiphers() throws {
        let key = Self.key((0..<32).map { UInt8($0) })
        let sealing = try #require(Cipher(.xaes256gcm, key: key, .encrypt))
        let opening = try #require(Cipher(.xaes256gcm, key: key, .decrypt))
        var first = NoncePool()
        var second = NoncePool()
        for number in 0..<40 {
            // Two of one series, then two of the other; halves that differ in their last byte alone, too.
            var nonce =
                number & 2 == 0 ? Self.draw(.xaes256gcm, from: &first) : Self.draw(.xaes256gcm, from: &second)
            if number % 5 == 4 { nonce[11] ^= 1 }
            let text = [UInt8](repeating: UInt8(number), count: number)
            let fresh = try #require(Cipher(.xaes256gcm, key: key, .encrypt))
            let sealed = try #require(Self.seal(sealing, text, nonce, [1]))
            #expect(Self.seal(fresh, text, nonce, [1]) == sealed)
            // One that does not open in between leaves the next as it is.
            #expect(Self.open(opening, sealed, nonce, [2]) == nil)
            #expect(Self.open(opening, sealed, nonce, [1]) == text)
        }
    }

    private static func draw(_ suite: CipherSuite, from pool: inout NoncePool) -> [UInt8] {
        pool.next(suite).map { Array(UnsafeBufferPointer(start: $0, count: suite.nonceSize)) } ?? []
    }
}
