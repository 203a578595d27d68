import Testing

@testable import Weir

@Suite struct RequestHashTests {
    @Test func isTheAuthenticationCodeOfGMAC() throws {
        // What `openssl mac -cipher AES-256-GCM -macopt hexkey:… -macopt hexiv:000000000000000000000000 GMAC` says of
        // the eight bytes of 3, "abc" and sixty bytes: E013BF2C5970F3DD C8630272F608D0BD.
        let hash = try hash(key: Array(0..<32), prefix: Array("abc".utf8), body: Array(0..<60))
        #expect(hash.map(\.bigEndian) == [0xE013_BF2C_5970_F3DD, 0xC863_0272_F608_D0BD])
    }

    @Test func equalRequestsHaveOneHashWhateverWasSummedBefore() throws {
        var hasher = try RequestHash(key: Array(0..<32))
        let first = Self.sum(&hasher, [1], Array(0..<100))
        _ = Self.sum(&hasher, [], [])
        #expect(Self.sum(&hasher, [1], Array(0..<100)) == first)
        #expect(try hash(key: Array(0..<32), prefix: [1], body: Array(0..<100)) == first)
    }

    @Test func everyBitOfABodyAndOfAPrefixCounts() throws {
        var hasher = try RequestHash(key: Array(0..<32))
        var prefix: [UInt8] = Array(0..<5)
        var body: [UInt8] = Array(0..<75)
        var seen: Set = [Self.sum(&hasher, prefix, body)]
        for bit in 0..<prefix.count * 8 {
            prefix[bit / 8] ^= 1 << (bit % 8)
            #expect(seen.insert(Self.sum(&hasher, prefix, body)).inserted, "bit \(bit) of the prefix")
            prefix[bit / 8] ^= 1 << (bit % 8)
        }
        for bit in 0..<body.count * 8 {
            body[bit / 8] ^= 1 << (bit % 8)
            #expect(seen.insert(Self.sum(&hasher, prefix, body)).inserted, "bit \(bit) of the body")
            body[bit / 8] ^= 1 << (bit % 8)
        }
    }

    @Test func lengthsCountAlsoWhereOnlyZerosAreAdded() throws {
        var hasher = try RequestHash(key: Array(0..<32))
        var seen: Set<[UInt64]> = []
        for length in 0..<200 {
            #expect(seen.insert(Self.sum(&hasher, [], Array(repeating: 0, count: length))).inserted, "\(length) zeros")
        }
    }

    @Test func whereThePrefixEndsCounts() throws {
        var hasher = try RequestHash(key: Array(0..<32))
        let bytes: [UInt8] = Array(0..<40)
        let hashes = (0...40).map { Self.sum(&hasher, Array(bytes[..<$0]), Array(bytes[$0...])) }
        #expect(Set(hashes).count == 41)
    }

    @Test func anotherKeyGivesAnotherHash() throws {
        var key: [UInt8] = Array(0..<32)
        var seen: Set<[UInt64]> = []
        for index in key.indices {
            key[index] ^= 0x80
            #expect(seen.insert(try hash(key: key, prefix: [], body: [1, 2, 3])).inserted, "byte \(index)")
        }
    }

    private func hash(key: [UInt8], prefix: [UInt8], body: [UInt8]) throws -> [UInt64] {
        var hasher = try RequestHash(key: key)
        return Self.sum(&hasher, prefix, body)
    }

    private static func sum(_ hasher: inout RequestHash, _ prefix: [UInt8], _ body: [UInt8]) -> [UInt64] {
        let (first, second) = prefix.withUnsafeBytes { prefix in
            body.withUnsafeBytes { hasher.hash(prefix: prefix, body: $0) }
        }
        return [first, second]
    }
}
