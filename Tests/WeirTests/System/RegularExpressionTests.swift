import Testing

@testable import Weir

@Suite struct RegularExpressionTests {
    func matches(_ pattern: String, _ subject: [UInt8]) throws -> Bool {
        let expression = try RegularExpression(pattern)
        return subject.withUnsafeBytes { expression.matches($0) }
    }

    func matches(_ pattern: String, _ subject: String) throws -> Bool {
        try matches(pattern, Array(subject.utf8))
    }

    /// The named groups as `name=text`.
    func groups(_ pattern: String, _ subject: String) throws -> [String] {
        let expression = try RegularExpression(pattern)
        return Array(subject.utf8).withUnsafeBytes { bytes in
            expression.groups(in: bytes).map { "\($0.name)=\(String(decoding: bytes[$0.range], as: UTF8.self))" }
        }
    }

    @Test func findsAPatternAnywhereInItsSubject() throws {
        #expect(try matches("users", "/api/users/7"))
        #expect(try !matches("^users", "/api/users/7"))
        #expect(try matches("^/api/(users|teams)/[0-9]+$", "/api/users/7"))
        #expect(try matches("", ""))
        #expect(try matches("^$", ""))
        #expect(try !matches("a", ""))
        #expect(try matches("é.ü", "xéßü"))
        #expect(try matches("(?i)ÄPFEL", "äpfel"))
    }

    @Test func readsSyntaxAsTheCollectorDoes() throws {
        #expect(try !matches("\\d", "\u{663}"), "an Arabic digit is not \\d")
        #expect(try !matches("a$", "a\n"), "$ is the very end")
        #expect(try groups("(?P<name>.+)", "x") == ["name=x"])
        #expect(try matches("(?m)^b$", "a\nb\nc"))
    }

    @Test func givesTheNamedGroupsThatTookPart() throws {
        let pattern = "^/api/v(?<version>\\d+)/(?<kind>\\w+)(/(?<id>[^/?]+))?"
        #expect(try groups(pattern, "/api/v2/users/7?x=1") == ["id=7", "kind=users", "version=2"])
        #expect(try groups(pattern, "/api/v2/users") == ["kind=users", "version=2"])
        #expect(try groups(pattern, "/other") == [])
        #expect(try groups("a(b)c", "abc") == [])
        #expect(try groups("(?<empty>)x", "x") == ["empty="])
        #expect(try groups("(?<letter>.)$", "grün: ü") == ["letter=ü"])
    }

    @Test func saysWhereAPatternIsWrong() {
        func check(_ pattern: String, _ offset: Int, _ message: String) {
            #expect(throws: RegularExpressionError(offset: offset, message: message)) {
                try RegularExpression(pattern)
            }
        }
        check("a(b", 3, "missing closing parenthesis")
        check("é[b", 4, "missing terminating ] for character class")
        check("*", 0, "quantifier does not follow a repeatable item")
        check("\\C", 2, "using \\C is disabled by the application")
        check("(?<n>a)(?<n>b)", 12, "two named subpatterns have the same name (PCRE2_DUPNAMES not set)")
        check(
            String(repeating: "a", count: RegularExpression.maxPattern + 1), RegularExpression.maxPattern,
            "the pattern is longer than \(RegularExpression.maxPattern) bytes")
        #expect(RegularExpressionError(offset: 3, message: "wrong").description == "wrong at offset 3")
    }

    @Test func refusesPatternsThatWouldGrowWithoutBound() {
        func check(_ pattern: String) {
            #expect(throws: RegularExpressionError.self) { try RegularExpression(pattern) }
        }
        check("((((a{1000}){1000}){1000}){1000})")
        check(String(repeating: "(", count: 5_000) + String(repeating: ")", count: 5_000))
    }

    @Test func takesAPatternOfTheLongestLength() throws {
        let pattern = String(repeating: "a", count: RegularExpression.maxPattern)
        #expect(try matches(pattern, pattern))
    }

    @Test func matchesAroundBytesThatAreNotUTF8() throws {
        #expect(try matches("key", [0xff, 0xfe] + Array("key".utf8) + [0x80]))
        #expect(try !matches("a.b", [UInt8(ascii: "a"), 0xff, UInt8(ascii: "b")]))
        #expect(try !matches(".", [0xc3]))
    }

    /// Each of these would take years, or gigabytes, if nothing bounded it.
    @Test(.hangLimit, arguments: ["", "(*NO_JIT)"])
    func givesUpAMatchThatRunsAway(_ prefix: String) throws {
        func check(_ pattern: String, _ subject: String) throws {
            let expression = try RegularExpression(prefix + pattern)
            let bytes = Array(subject.utf8)
            #expect(bytes.withUnsafeBytes { expression.outcome(in: $0) } == .abandoned, "\(pattern)")
            #expect(expression.abandoned == 1)
            #expect(bytes.withUnsafeBytes { !expression.matches($0) })
            #expect(bytes.withUnsafeBytes { expression.groups(in: $0).isEmpty })
            #expect(expression.abandoned == 3)
        }
        try check("^(?<x>a+)+[bc]", String(repeating: "a", count: 50))
        try check("(?:a|aa)+[bc]", String(repeating: "a", count: 100_000))
        try check("(?:(\\w+)\\s?)*[!?]", String(repeating: "word ", count: 2_000))
    }

    /// Each match alone takes 10 million steps, and so a request of them would take minutes.
    @Test(.hangLimit, arguments: ["", "(*NO_JIT)"])
    func manyMatchesShareABudget(_ prefix: String) throws {
        let (hostile, ordinary) = (try RegularExpression("\(prefix)^(a+)+[bc]"), try RegularExpression("^a+(b|c)?"))
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 50)
        var budget = MatchBudget()
        func matches(_ expression: RegularExpression) -> Bool {
            text.withUnsafeBytes { expression.matches($0, within: &budget) }
        }
        for _ in 0..<10_000 { #expect(!matches(hostile)) }
        let (abandoned, again) = (budget.takeAbandoned(), budget.takeAbandoned())
        #expect(abandoned == 10_000 && again == 0)
        let hasLeft = budget.take(RegularExpression.stepBudget)
        #expect(!hasLeft)
        // What takes few steps is matched all the same.
        #expect(matches(ordinary))
        let abandonedLast = budget.takeAbandoned()
        #expect(abandonedLast == 0)
    }

    /// The second one takes some ten thousand.
    @Test func aMatchOfManyStepsIsTriedUntilItsEnd() throws {
        let expression = try RegularExpression("^(?:(\\w+)\\s?)*!$")
        let text = Array("some words of a text and one more!".utf8)
        var budget = MatchBudget()
        #expect(text.withUnsafeBytes { expression.matches($0, within: &budget) })
        let runaway = try RegularExpression("^(a+)+$")
        let subject = [UInt8](repeating: UInt8(ascii: "a"), count: 12) + [UInt8(ascii: "b")]
        #expect(subject.withUnsafeBytes { !runaway.matches($0, within: &budget) })
        let (abandoned, isUntouched) = (budget.takeAbandoned(), budget.take(MatchBudget.steps))
        #expect(abandoned == 0 && !isUntouched)
    }

    @Test(.hangLimit) func dividesItsStepsAmongTheStartsOfAMatch() throws {
        // PCRE2's own limit counts anew at each start: at a fixed limit of 100,000 this took the interpreter 31 s.
        let expression = try RegularExpression("(*NO_JIT)\\w*[ab][cd]")
        let subject = [UInt8](repeating: UInt8(ascii: "a"), count: 64_000)
        #expect(subject.withUnsafeBytes { expression.outcome(in: $0) } == .abandoned)
    }

    @Test func stillMatchesLongSubjectsWithOrdinaryPatterns() throws {
        let long = String(repeating: "lorem ipsum ", count: 80_000)
        #expect(try matches("\"model\": \"(?<m>[^\"]+)\"", long + "\"model\": \"gpt\""))
        #expect(try groups("^(?<first>\\w+).*(?<last>[xy])$", long + "y") == ["first=lorem", "last=y"])
        #expect(try !matches("(dolor|amet) sit", long))
    }

    @Test func goesBackFurtherThanTheStackOfTheJustInTimeCodeAllows() throws {
        #expect(try matches("^(?:(a)|(b))*$", String(repeating: "a", count: 5_000)))
    }

    @Test func lowersButNeverRaisesItsBoundsOnAPatternsWish() throws {
        let expression = try RegularExpression("(*LIMIT_MATCH=4000000000)^(a+)+[bc]")
        let subject = [UInt8](repeating: UInt8(ascii: "a"), count: 50)
        #expect(subject.withUnsafeBytes { expression.outcome(in: $0) } == .abandoned)
    }

    @Test func isSharedByThreads() async throws {
        let expression = try RegularExpression("^(?<k>[a-z]+)=(?<v>[0-9]+)$")
        let wrong = await withTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    (0..<2_000).count { number in
                        let text = "key=\(task * 10_000 + number)"
                        let value = Array(text.utf8).withUnsafeBytes { bytes in
                            expression.groups(in: bytes).last.map { String(decoding: bytes[$0.range], as: UTF8.self) }
                        }
                        return value != "\(task * 10_000 + number)"
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
        #expect(expression.abandoned == 0)
    }
}
