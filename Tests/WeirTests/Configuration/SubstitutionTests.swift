import Testing

@testable import Weir

@Suite struct SubstitutionTests {
    private let substitution = Substitution(environment: ["A": "one", "EMPTY": "", "_x9": "nine", "D": "$${env:A}"])

    @Test func putsVariablesIn() throws {
        try check("x ${env:A} y ${env:_x9}", gives: "x one y nine")
        try check("${env:NONE:-dev}", gives: "dev")
        try check("${env:NONE:-}", gives: "")
        try check("${env:NONE:-a:-b}", gives: "a:-b")
        try check("${env:A:-dev}", gives: "one")
    }

    @Test func aDefaultMayBeAnotherVariable() throws {
        try check("[${env:NONE:-${env:A}}]", gives: "[one]")
        try check("${env:NONE:-${env:NADA:-${env:_x9}}/x}", gives: "nine/x")
        try check("${env:A:-${env:NONE}}", gives: "one")
        check(
            "${env:B:-${env:C}}",
            fails: "environment variable C is not set, wanted a value for it or a default: "
                + "${env:C:-default}")
    }

    @Test func defaultsAreWithinEachOtherToADepth() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "${env:NONE:-", count: depth) + "x" + String(repeating: "}", count: depth)
        }
        try check(nested(Substitution.maximumDepth), gives: "x")
        let wrong = "found more than 8 references, each in the default of the one before, wanted at most as many"
        check(nested(Substitution.maximumDepth + 1), fails: wrong)
        check(nested(30_000), fails: wrong)
    }

    @Test func takesAnEmptyVariableForSet() throws {
        try check("[${env:EMPTY:-dev}]", gives: "[]")
    }

    @Test func doesNotReadAVariableTwice() throws {
        try check("${env:D}", gives: "$${env:A}")
    }

    @Test func keepsDollarSigns() throws {
        try check("$$", gives: "$", isExpanded: false)
        try check("$${env:A}", gives: "${env:A}", isExpanded: false)
        try check("$1 costs 5$", gives: "$1 costs 5$", isExpanded: false)
        try check("$$${env:A}", gives: "$one")
    }

    @Test func refusesWhatIsNoReference() {
        let wanted = "wanted ${env:NAME} or ${env:NAME:-default}, or $${ for the text ${"
        check("${A}", fails: "found ${A}, \(wanted)")
        check("${file:x}", fails: "found ${file:x}, \(wanted)")
        check("${env:9}", fails: "found ${env:9}, \(wanted)")
        check("${env:}", fails: "found ${env:}, \(wanted)")
        check("${env:A B}", fails: "found ${env:A B}, \(wanted)")
        check("${env:B:-${x}}", fails: "found ${x}, \(wanted)")
        check("${env:A:-${env:B}", fails: "found \"${\" without \"}\", wanted ${env:NAME}, or $${ for the text ${")
        check("x ${env:A", fails: "found \"${\" without \"}\", wanted ${env:NAME}, or $${ for the text ${")
    }

    @Test func refusesAnUnsetVariableWithoutDefault() {
        check(
            "${env:B}",
            fails: "environment variable B is not set, wanted a value for it or a default: ${env:B:-default}")
    }

    @Test func stopsAtItsLimit() {
        #expect(throws: ConfigError("is too long after substitution, wanted at most 5 bytes")) {
            try substitution.expand("${env:A}${env:A}", limit: 5)
        }
    }

    private func check(
        _ text: String, gives expected: String, isExpanded: Bool = true, at location: SourceLocation = #_sourceLocation
    ) throws {
        let result = try substitution.expand(text, limit: 1_000)
        #expect(result.text == expected, sourceLocation: location)
        #expect(result.isExpanded == isExpanded, sourceLocation: location)
    }

    private func check(_ text: String, fails message: String, at location: SourceLocation = #_sourceLocation) {
        #expect(throws: ConfigError(message), sourceLocation: location) { try substitution.expand(text, limit: 1_000) }
    }
}
