import Testing

@testable import Weir

@Suite struct KeyedHashTests {
    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
    }

    private func hash(_ text: String, key: String, _ algorithm: KeyedHash.Algorithm) -> String {
        let hash = KeyedHash(key: Array(key.utf8), algorithm)
        return hex(Array(text.utf8).withUnsafeBytes { hash.hash($0) })
    }

    // RFC 4231, test case 2.
    @Test func isTheStandardsHMAC() {
        let text = "what do ya want for nothing?"
        #expect(
            hash(text, key: "Jefe", .sha256)
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(hash(text, key: "Jefe", .sha512).hasPrefix("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7"))
    }

    @Test func aSessionForgetsTheTextBefore() {
        var session = KeyedHash(key: Array("Jefe".utf8)).session()
        let first = Array("a".utf8).withUnsafeBytes { session.hash($0) }
        _ = Array("b".utf8).withUnsafeBytes { session.hash($0) }
        let again = Array("a".utf8).withUnsafeBytes { session.hash($0) }
        #expect(first.count == 32 && first == again)
    }

    @Test func plainDigestsAreTheStandards() {
        let text = Array("abc".utf8)
        #expect(hex(Digest.sha256(text)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(hex(text.withUnsafeBytes { Digest.hash($0, .sha1) }) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(hex(text.withUnsafeBytes { Digest.hash($0, .md5) }) == "900150983cd24fb0d6963f7d28e17f72")
        let sha3 = text.withUnsafeBytes { Digest.hash($0, .sha3) }
        #expect(hex(sha3) == "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532")
    }
}
