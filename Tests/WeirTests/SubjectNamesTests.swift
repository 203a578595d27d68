import Testing

@testable import Weir

@Suite struct SubjectNamesTests {
    /// Tables have the first 256 bytes, which are somebody else's name.
    @Test func aLongNameIsNobodyElses() {
        let short = String(repeating: "y", count: 256)
        for name in [short, short + "-maria"] {
            #expect(SubjectNames(of: name, tenant: "a", []).all == [Array(name.utf8)])
        }
    }
}
