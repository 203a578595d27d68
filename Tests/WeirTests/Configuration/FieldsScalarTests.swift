import Testing

@testable import Weir

@Suite struct FieldsScalarTests {
    private enum Colour: String, CaseIterable {
        case red, green, blue
    }

    @Test func stringTakesPlainAndQuotedText() {
        check("a: x y", { $0.string("a", "") }, gives: "x y")
        check("a: \"x: y\"", { $0.string("a", "") }, gives: "x: y")
        check("a: 5", { $0.string("a", "") }, gives: "5")
        check("a: true", { $0.string("a", "") }, gives: "true")
        check("a: off", { $0.string("a", "") }, gives: "off")
        check("a: |\n  one\n  two\n", { $0.string("a", "") }, gives: "one\ntwo\n")
        check(
            "b: 1",
            { fields in
                _ = fields.int("b", default: 0, in: 0...1, ""); return fields.string("a", default: "z", "")
            }, gives: "z")
        check("a: ''", { $0.string("a", default: "z", "") }, gives: "")
    }

    @Test func requiredStringMustBeThereAndHoldSomething() {
        check("{}", { $0.string("a", "") }, fails: "1: a: is missing, wanted a string")
        check("a: ''", { $0.string("a", "") }, fails: "1: a: found an empty string, wanted a string that is not empty")
        check("a:", { $0.string("a", "") }, fails: "1: a: found nothing, wanted a string")
        check("\na: [x]", { $0.string("a", "") }, fails: "2: a: found a list, wanted a string")
        check("a: {b: c}", { $0.string("a", default: "", "") }, fails: "1: a: found a mapping, wanted a string")
        check("a: ~", { $0.optionalString("a", "") }, fails: "1: a: found nothing, wanted a string")
        check("{}", { $0.optionalString("a", "") }, gives: nil)
    }

    @Test func intTakesDecimalDigitsInItsRange() {
        let read = { (fields: inout Fields) in fields.int("a", default: 7, in: -10...10, "") }
        check("{}", read, gives: 7)
        check("a: -10", read, gives: -10)
        check("a: +3", read, gives: 3)
        check("a: 11", read, fails: "1: a: found 11, wanted an integer in -10...10")
        check("a: 1.0", read, fails: "1: a: found 1.0, wanted an integer in -10...10")
        check("a: '5'", read, fails: "1: a: found the string \"5\", wanted an integer in -10...10")
        check("a: five", read, fails: "1: a: found the string \"five\", wanted an integer in -10...10")
        check("a: 007", read, fails: "1: a: found the string \"007\", wanted an integer in -10...10")
        check("a: true", read, fails: "1: a: found true, wanted an integer in -10...10")
        check(
            "a: 99999999999999999999", read,
            fails: "1: a: found the string \"99999999999999999999\", wanted an integer in -10...10")
        check(
            "a: 0", { $0.int("a", default: 1, in: 1 ... .max, "") },
            fails: "1: a: found 0, wanted an integer in 1 or more")
    }

    @Test func quotedIntIsTakenWhereItCameFromTheEnvironment() {
        let read = { (fields: inout Fields) in fields.int("a", default: 7, in: 0...10, "") }
        check("a: \"${env:N}\"", read, gives: 5, environment: ["N": "5"])
        check("a: ${env:N:-6}", read, gives: 6)
        check(
            "a: ${env:N}", read, fails: "1: a: found the string \"x\", wanted an integer in 0...10",
            environment: ["N": "x"])
    }

    @Test func numberTakesIntegersAndFractions() {
        let read = { (fields: inout Fields) in fields.number("a", default: 7, in: 0...100, "") }
        check("a: 20", read, gives: 20)
        check("a: 0.5", read, gives: 0.5)
        check("a: 1e1", read, gives: 10)
        check("a: 100.1", read, fails: "1: a: found 100.1, wanted a number in 0.0...100.0")
        check("a: .nan", read, fails: "1: a: found the string \".nan\", wanted a number in 0.0...100.0")
        check("a: infinity", read, fails: "1: a: found the string \"infinity\", wanted a number in 0.0...100.0")
        check("a: '1'", read, fails: "1: a: found the string \"1\", wanted a number in 0.0...100.0")
    }

    @Test func boolTakesTrueAndFalseOnly() {
        let read = { (fields: inout Fields) in fields.bool("a", default: false, "") }
        check("a: true", read, gives: true)
        check("a: \"${env:B}\"", read, gives: true, environment: ["B": "true"])
        check("a: yes", read, fails: "1: a: found the string \"yes\", wanted true or false")
        check("a: 'true'", read, fails: "1: a: found the string \"true\", wanted true or false")
        check("a: 1", read, fails: "1: a: found 1, wanted true or false")
    }

    @Test func durationNeedsAUnit() {
        let read = { (fields: inout Fields) in
            fields.duration("a", default: .seconds(1), in: .zero ... .seconds(86_400), "")
        }
        check("a: 1h30m", read, gives: .seconds(5400))
        check("a: 0s", read, gives: .zero)
        let wanted = "wanted a duration such as 200ms, 10s or 1h30m, in 0s...1d"
        check("a: 10", read, fails: "1: a: found 10, \(wanted)")
        check("a: ten", read, fails: "1: a: found the string \"ten\", \(wanted)")
        check("a: 2d", read, fails: "1: a: found 2d, wanted a duration in 0s...1d")
        check("a: []", read, fails: "1: a: found a list, wanted a duration")
    }

    @Test func bytesTakesUnitsAndPlainBytes() {
        let read = { (fields: inout Fields) in
            fields.bytes("a", default: ByteCount(1), in: ByteCount(0) ... .mebibytes(64), "")
        }
        check("a: 4096", read, gives: ByteCount(4096))
        check("a: 64MiB", read, gives: .mebibytes(64))
        check("a: 65MiB", read, fails: "1: a: found 65MiB, wanted a size in 0...64MiB")
        check(
            "a: 1.5MiB", read,
            fails: "1: a: found the string \"1.5MiB\", wanted a size such as 4096, 128KiB or 64MiB, in 0...64MiB")
        check("a: -1", read, fails: "1: a: found -1, wanted a size such as 4096, 128KiB or 64MiB, in 0...64MiB")
    }

    @Test func choiceNamesItsWords() {
        check("a: green", { $0.choice("a", default: Colour.red, "") }, gives: .green)
        check("{}", { $0.choice("a", default: Colour.blue, "") }, gives: .blue)
        check(
            "{}", { (fields: inout Fields) -> Colour in fields.choice("a", default: nil, "") },
            fails: "1: a: is missing, wanted one of red, green, blue")
        check(
            "a: gren", { $0.choice("a", default: Colour.red, "") },
            fails: "1: a: found the string \"gren\", wanted one of red, green, blue (did you mean \"green\"?)")
        check(
            "a: 5", { $0.choice("a", default: Colour.red, "") }, fails: "1: a: found 5, wanted one of red, green, blue")
    }

    @Test func scalarKeepsTheTypeOfTheFile() {
        let read = { (fields: inout Fields) in fields.scalar("a", "") }
        check("{}", read, gives: nil)
        check("a: text", read, gives: .string("text"))
        check("a: '5'", read, gives: .string("5"))
        check("a: 5", read, gives: .int(5))
        check("a: 5.0", read, gives: .double(5))
        check("a: false", read, gives: .bool(false))
        check("a: no", read, gives: .string("no"))
        check("a: 01234", read, gives: .string("01234"))
        check("a: 0x10", read, gives: .string("0x10"))
        check("a: [x, 5]", read, gives: .strings(["x", "5"]))
        check("a: ${env:N}", read, gives: .int(5), environment: ["N": "5"])
        check("a: \"${env:N}\"", read, gives: .string("5"), environment: ["N": "5"])
        check("a:", read, fails: "1: a: found nothing, wanted a value")
        check(
            "a: {b: c}", read,
            fails: "1: a: found a mapping, wanted a string, boolean, integer, number or list of strings")
        check("a: [x, [y]]", read, fails: "1: a[1]: found a list, wanted a string")
    }

    @Test func parsedReportsWhatItsGrammarFound() {
        func even(_ text: String) throws(ConfigError) -> Int? {
            guard let number = Int(text), number.isMultiple(of: 2) else {
                throw ConfigError(found: text, wanted: "an even number")
            }
            return number
        }
        check("a: 4", { $0.parsed("a", default: nil, "", even) }, gives: 4)
        check("{}", { $0.parsed("a", default: nil, "", even) }, gives: nil)
        check("a: 3", { $0.parsed("a", default: nil, "", even) }, fails: "1: a: found 3, wanted an even number")
        check("a:", { $0.parsed("a", default: nil, "", even) }, fails: "1: a: found nothing, wanted a string")
        check("{}", { $0.parsed("a", standIn: nil, "", even) }, fails: "1: a: is missing, wanted a string")
    }

    @Test func endpointNeedsHostAndPort() {
        let read = { (fields: inout Fields) in fields.endpoint("a", default: Endpoint(host: "h", port: 1), "") }
        check("a: '[::1]:0'", read, gives: Endpoint(host: "::1", port: 0))
        check(
            "a: localhost:65536", read,
            fails: "1: a: found \"localhost:65536\", wanted host:port with a port in 0...65535")
    }
}
