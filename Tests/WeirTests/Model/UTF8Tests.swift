import Testing

@testable import Weir

/// The check of UTF-8 against the standard library's.
struct UTF8Tests {
    /// Bytes at which the tables of Unicode 3.9, "Well-Formed UTF-8 Byte Sequences", change, and their neighbours.
    private static let boundaries: [UInt8] = [
        0x00, 0x41, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED,
        0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ]

    @Test func agreesOnEverySequenceOfOneOrTwoBytes() {
        var bytes = [UInt8](repeating: 0, count: 64)
        for first in 0...255 as ClosedRange<UInt8> {
            bytes[0] = first
            expectAgreement(&bytes, 1)
            for second in 0...255 as ClosedRange<UInt8> {
                bytes[1] = second
                expectAgreement(&bytes, 2)
            }
            bytes[1] = 0
        }
    }

    @Test func agreesOnEverySequenceOfThreeOrFourBytesAtBoundaries() {
        var bytes = [UInt8](repeating: 0, count: 64)
        // Of a longer sequence, ASCII at the front says nothing new.
        for first in Self.boundaries where first >= 0x7F {
            for second in Self.boundaries {
                for third in Self.boundaries {
                    (bytes[0], bytes[1], bytes[2], bytes[3]) = (first, second, third, 0)
                    expectAgreement(&bytes, 3)
                    for fourth in Self.boundaries where first >= 0xE0 {
                        bytes[3] = fourth
                        expectAgreement(&bytes, 4)
                    }
                }
            }
        }
    }

    @Test(.enabled(if: Torture.isOn)) func agreesOnEverySequenceOfThreeBytes() {
        var bytes = [UInt8](repeating: 0, count: 64)
        for number in 0x7F_0000..<0x100_0000 {
            (bytes[0], bytes[1], bytes[2]) = (UInt8(number >> 16), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF))
            expectAgreement(&bytes, 3)
        }
    }

    @Test func agreesOnEveryLeadAndSecondOfFourBytes() {
        var bytes = [UInt8](repeating: 0, count: 64)
        for first in 0xE0...255 {
            for second in 0...255 {
                for (third, fourth) in [
                    (0x80, 0x80), (0xBF, 0xBF), (0x80, 0x7F), (0xC0, 0x80), (0x41, 0x41), (0xBF, 0xC0),
                ] {
                    (bytes[0], bytes[1]) = (UInt8(first), UInt8(second))
                    (bytes[2], bytes[3]) = (UInt8(third), UInt8(fourth))
                    expectAgreement(&bytes, 4)
                }
            }
        }
    }

    /// The check takes 8, 16 and 64 bytes at a time, so what it finds must not depend on where it stands.
    @Test func agreesWhereverASequenceStands() {
        let sequences: [[UInt8]] = [
            [0xC3, 0xA9], [0xE2, 0x82, 0xAC], [0xF0, 0x9F, 0x98, 0x80], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98],
            [0x80],
            [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF4, 0x90, 0x80, 0x80],
        ]
        for length in 0...200 {
            for position in 0...length {
                let sequence = sequences[(length + position) % sequences.count]
                var bytes = [UInt8](repeating: 0x61, count: length + sequence.count + 64)
                bytes.replaceSubrange(position..<position + sequence.count, with: sequence)
                expectAgreement(&bytes, length + sequence.count)
                // Cut inside the sequence: what stands behind the end must not count.
                expectAgreement(&bytes, position + 1)
            }
        }
    }

    /// The check takes several characters of a script at a time.
    @Test func agreesOnTextsOfOneScript() {
        for text in [
            "\u{4f60}\u{597d}\u{6211}\u{4eec}\u{4e00}\u{8d77}", "\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}\u{44e}",
            "\u{3b1}\u{3b2}\u{3c9}\u{3b4}\u{e9}\u{fc}", "\u{5e9}\u{5dc}\u{5d5}\u{5dd}", "\u{645}\u{631}\u{62d}\u{628}",
            "\u{d55c}\u{ad6d}\u{c5b4}\u{d7a3}", "\u{e44}\u{e17}\u{e22}\u{800}", "\u{1F642}\u{1F600}",
        ] {
            let whole = Array((text + text + text).utf8)
            for position in whole.indices {
                for value in Self.boundaries {
                    var bytes = whole + [UInt8](repeating: value, count: 64)
                    // Cut inside a character: what stands behind the end must not count.
                    expectAgreement(&bytes, position)
                    bytes[position] = value
                    expectAgreement(&bytes, whole.count)
                }
            }
        }
    }

    private func expectAgreement(_ bytes: inout [UInt8], _ count: Int) {
        bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let ours = isValidUTF8(base, count)
            let theirs = String(validating: UnsafeBufferPointer(start: base, count: count), as: UTF8.self) != nil
            if ours != theirs { Issue.record("\(Array(buffer[..<count])): ours \(ours), theirs \(theirs)") }
        }
    }
}
