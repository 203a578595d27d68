import Testing

@testable import Weir

@Suite struct KeySetTests {
    private func batch(_ keys: String...) throws -> Batch {
        var span = SpanFixture()
        span.attributes = keys.map { NewPair(key: $0, value: .int(1)) }
        return try SpanFixture.batch([span])
    }

    @Test func tellsWhichKeysMayBeThere() throws {
        var keys = KeySet()
        let bits = ["", "a", "abc", "abcdefgh", "abcdefghi", "abcdefghij"].map { keys.insert(AttributeKey($0)) }
        #expect(Set(bits).count == 6)
        for (index, key) in ["", "a", "abc", "abcdefgh", "abcdefghi", "abcdefghij"].enumerated() {
            let batch = try batch("other", key, "x")
            #expect(batch.mayHave(keys, in: batch.spans[0].attributes) == bits[index], "\(key)")
        }
        let none = try batch("b", "abd", "bbcdefgh", "bbcdefghij")
        #expect(none.mayHave(keys, in: none.spans[0].attributes) == 0)
        let all = try batch("abcdefghij", "a")
        #expect(all.mayHave(keys, in: all.spans[0].attributes) == bits[1] | bits[5])
    }

    @Test func keysThatAreToldApartByTheirEndsAlone() throws {
        var keys = KeySet()
        let one = keys.insert(AttributeKey("abcdefgh1"))
        #expect(keys.insert(AttributeKey("abcdefgh2")) == one)
        let batch = try batch("abcdefgh3")
        #expect(batch.mayHave(keys, in: batch.spans[0].attributes) == one)
    }

    @Test func moreThanItHoldsAreNotInIt() {
        var keys = KeySet()
        let bits = (0..<70).map { keys.insert(AttributeKey("\($0)key")) }
        #expect(bits[..<64].allSatisfy { $0 != 0 } && Set(bits[..<64]).count == 64)
        #expect(bits[64...].allSatisfy { $0 == 0 })
    }

    @Test func longKeysAreFound() throws {
        let long = String(repeating: "k", count: 64 + 5)
        var keys = KeySet()
        let bit = keys.insert(AttributeKey(long))
        let batch = try batch("kkkkk", long)
        #expect(batch.mayHave(keys, in: batch.spans[0].attributes) == bit)
        let short = try self.batch("kkkkk")
        #expect(short.mayHave(keys, in: short.spans[0].attributes) == 0)
    }
}
