import Testing

@testable import Weir

@Suite struct TextOrderTests {
    /// Long enough to be compared in words of eight bytes, with a difference at each place.
    @Test func findsTheFirstDifferenceWhereverItIs() {
        let text = Array("0123456789abcdefghi".utf8)
        for length in 0...text.count {
            let own = Array(text.prefix(length))
            for position in own.indices {
                var other = own
                other[position] = 0xFF
                check(own, other, isLess: true)
                other[position] = 0
                check(own, other, isLess: false)
            }
            own.withUnsafeBytes { own in
                text.withUnsafeBytes { text in
                    #expect(own.order(to: own) == 0)
                    #expect((own.order(to: text) < 0) == (length < text.count))
                    #expect(text.starts(with: own) && text.contains(part: own))
                    #expect(text.ends(with: own) == (length == 0 || length == text.count))
                }
            }
        }
    }

    @Test func findsAPartAtEachPlace() {
        Array("aaab aab".utf8).withUnsafeBytes { text in
            for start in 0...text.count {
                for end in start...text.count {
                    #expect(text.contains(part: UnsafeRawBufferPointer(rebasing: text[start..<end])))
                }
            }
            Array("abb".utf8).withUnsafeBytes { part in #expect(!text.contains(part: part)) }
        }
    }

    private func check(_ left: [UInt8], _ right: [UInt8], isLess: Bool) {
        left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                #expect((left.order(to: right) < 0) == isLess)
                #expect((right.order(to: left) > 0) == isLess)
            }
        }
    }
}
