import Testing

@testable import Weir

@Suite struct AddressRangeTests {
    private func has(_ range: String, _ address: String) throws -> Bool {
        let range = try #require(try AddressRange(range))
        return Array(address.utf8).withUnsafeBytes { range.contains($0) }
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false), ("192.0.2.17/32", "192.0.2.17", true),
        ("192.0.2.17/32", "192.0.2.16", false), ("192.0.2.77/26", "192.0.2.127", true), ("0.0.0.0/0", "8.8.8.8", true),
        ("0.0.0.0/0", "2001:db8::1", false), ("2001:db8::/32", "2001:DB8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::1", false), ("::/0", "2001:db9::1", true), ("::/0", "10.0.0.1", false),
        ("2001:db8:1:2:3:4:5:6/127", "2001:db8:1:2:3:4:5:7", true), ("::ffff:192.0.2.0/120", "::ffff:192.0.2.9", true),
        ("1::/16", "1::", true), ("fe80::1/128", "fe80:0:0:0:0:0:0:1", true),
    ])
    func holdsTheAddressesThatBeginLikeIt(range: String, address: String, isIn: Bool) throws {
        #expect(try has(range, address) == isIn)
    }

    @Test(arguments: [
        "", "10.0.0", "10.0.0.0.0", "10.0.0.256", "10.0.0.1/8", "10..0.1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
        "1::2::3", ":1::", "1:", "12345::", "g::", "::1.2.3", "1:2:3:4:5:6:7::8:9",
    ])
    func holdsNothingThatIsNoAddress(text: String) throws {
        #expect(try !has("0.0.0.0/0", text))
        #expect(try !has("::/0", text))
    }

    @Test func isNoneWithoutAnAddressAndASlash() throws {
        for text in ["*@example.com", "a/b", "10.0.0.0", "10.0.0/8", "K-1/2", "/8"] {
            #expect(try AddressRange(text) == nil, "\(text)")
        }
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8"])
    func refusesAPrefixThatIsNone(text: String) {
        #expect(throws: AddressRange.BadPrefix.self) { try AddressRange(text) }
    }

    @Test func refusesAPrefixThatIsTooLong() {
        #expect(throws: AddressRange.BadPrefix.self) { try AddressRange("::/129") }
    }
}
