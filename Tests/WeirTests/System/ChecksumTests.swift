import CLibraries
import Testing

@testable import Weir

@Suite struct ChecksumTests {
    @Test func publishedSums() {
        // RFC 3720, B.4, and the check value of the catalogue of CRC algorithms.
        let vectors: [([UInt8], UInt32)] = [
            (Array(repeating: 0, count: 32), 0x8A91_36AA),
            (Array(repeating: 0xFF, count: 32), 0x62A8_AB43),
            (Array(0..<32), 0x46DD_794E),
            (Array((0..<32).reversed()), 0x113F_DB5C),
            (readCommand, 0xD996_3A56),
            (Array("123456789".utf8), 0xE306_9283),
            ([], 0),
        ]
        for (bytes, sum) in vectors {
            #expect(Self.checksum(bytes[...]) == sum)
            #expect(Self.portable(bytes[...]) == sum)
        }
    }

    @Test func everyAlignmentAndLengthGivesTheSameAsTheBitwiseSum() {
        let bytes = Self.randomBytes(200, seed: 1)
        for start in 0..<16 {
            for end in start...bytes.count {
                let expected = Self.bitwise(bytes[start..<end])
                #expect(Self.checksum(bytes[start..<end]) == expected)
                #expect(Self.portable(bytes[start..<end]) == expected)
            }
        }
    }

    @Test func longInputGivesTheSameAsTheBitwiseSum() {
        // About the three stretches of 1,024 bytes that are summed side by side.
        let bytes = Self.randomBytes(10_000, seed: 2)
        for length in [3_071, 3_072, 3_073, 6_143, 6_144, 6_145, 9_216 + 7] {
            let expected = Self.bitwise(bytes[1...length])
            #expect(Self.checksum(bytes[1...length]) == expected)
            #expect(Self.portable(bytes[1...length]) == expected)
        }
    }

    @Test func theSumOfTheWholeGoesOnFromThatOfItsBeginning() {
        let seed: UInt64 = 3
        var random = SplitMix64(seed: seed)
        let bytes = Self.randomBytes(20_000, seed: seed)
        let whole = Self.checksum(bytes[...])
        for _ in 0..<200 {
            let (first, second) = (random.below(bytes.count), random.below(bytes.count))
            let (low, high) = (min(first, second), max(first, second))
            let start = Self.checksum(bytes[..<low])
            #expect(start == Self.portable(bytes[..<low]), "seed \(seed)")
            let middle = Self.checksum(bytes[low..<high], after: start)
            #expect(Self.checksum(bytes[high...], after: middle) == whole, "seed \(seed)")
        }
    }

    /// "An iSCSI SCSI Read (10) Command PDU".
    private let readCommand: [UInt8] = [
        0x01, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0,
        0, 0, 0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0, 0,
    ]

    private static func checksum(_ bytes: ArraySlice<UInt8>, after sum: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { Checksum.crc32c($0, after: sum) }
    }

    private static func portable(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.withUnsafeBytes { weir_crc32c_portable($0.baseAddress, $0.count, 0) }
    }

    private static func bitwise(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82F6_3B78 : sum >> 1 }
        }
        return ~sum
    }

    private static func randomBytes(_ count: Int, seed: UInt64) -> [UInt8] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }
}
