import Testing

@testable import Weir

@Suite struct KeyPatternTests {
    private func matches(_ pattern: String, _ key: String, _ names: String, isExact: Bool = false) -> Bool {
        Array((key + names).utf8).withUnsafeBytes { path in
            KeyPattern(pattern, isExact: isExact).matches(path, below: key.utf8.count)
        }
    }

    private func mayMatch(_ pattern: String, below key: String) -> Bool {
        Array(key.utf8).withUnsafeBytes { KeyPattern(pattern).mayMatch(below: $0) }
    }

    @Test func aPathIsTheKeyAndTheNamesBehindIt() {
        #expect(matches("app.payload.user.ssn", "app.payload", ".user.ssn"))
        #expect(matches("app.payload.user.ssn", "app", ".payload.user.ssn"))
        #expect(matches("APP.*.ssn", "app.payload", ".user.ssn"))
        #expect(matches(".user.ssn", "app.payload", ".user.ssn"))
        #expect(!matches(".user.ssn", "app.payload.user", ".ssn"))
        #expect(!matches("ssn", "app.payload", ".ssn") && !matches("app.payload", "app.payload", ".ssn"))
    }

    @Test func aStarBetweenDotsMayStandForAList() {
        #expect(matches("m.*.content", "m", ".content") && matches("m.*.content", "m", ".parts.content"))
        #expect(!matches("m.*.content", "m", ".content", isExact: true))
        #expect(matches("m.*.*.c", "m", ".c") && matches("m.*.*.c", "m", ".x.c") && matches("m.*.*.c", "m", ".x.y.c"))
        #expect(matches("a.*.b.*.c", "a", ".b.c") && matches("a.*.b.*.c", "a", ".x.b.c"))
        #expect(matches("a.*.b.*.c", "a", ".b.y.c") && !matches("a.*.b.*.c", "a", ".c"))
        // An attribute is no list.
        let isMatch = Array("m.content".utf8).withUnsafeBytes { KeyPattern("m.*.content").matches($0) }
        #expect(!isMatch)
    }

    @Test func attributesBelowWhichNothingIsNamedAreKnown() {
        #expect(mayMatch("app.payload.ssn", below: "app.payload") && mayMatch("app.payload.ssn", below: "app"))
        #expect(!mayMatch("app.payload.ssn", below: "app.pay") && !mayMatch("app.payload", below: "app.payload"))
        #expect(mayMatch("app.*", below: "app") && mayMatch("*.ssn", below: "x") && mayMatch(".ssn", below: "x"))
        #expect(mayMatch("a.*.b.c", below: "a.b") && !mayMatch("a.*.b.c", below: "b"))
    }
}
