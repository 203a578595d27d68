import Testing

@testable import Weir

/// What is said of a condition that cannot be read.
@Suite struct ConditionParserTests {
    private func check(
        _ condition: String, fails message: String, at location: SourceLocation = #_sourceLocation
    ) {
        #expect(throws: ConfigError(message), "\(condition.prefix(100))", sourceLocation: location) {
            try Condition(parsing: condition)
        }
    }

    private let textOperators = "one of == != < <= > >= =~ !~ in contains starts_with ends_with"

    @Test func wantsAField() {
        let fields =
            "name, kind, status, status.message, duration, trace_id, span_id, parent_span_id, is_root, scope.name, "
            + #"scope.version, attributes["key"] or resource["key"]"#
        check("", fails: "column 1: found the end, wanted \(fields)")
        check("  \n ", fails: "column 5: found the end, wanted \(fields)")
        check("nam == 'a'", fails: "column 1: found \"nam\", wanted \(fields) (did you mean \"name\"?)")
        check("is_root and", fails: "column 12: found the end, wanted \(fields)")
        check("is_root or or", fails: "column 12: found \"or\", wanted \(fields)")
        check("'a' == name", fails: "column 1: found the string \"a\", wanted \(fields)")
        check("5 == name", fails: "column 1: found \"5\", wanted \(fields)")
        check("@", fails: "column 1: found \"@\", wanted \(fields)")
        check("not", fails: "column 4: found the end, wanted \(fields)")
        check("()", fails: "column 2: found \")\", wanted \(fields)")
        check("Name == 'a'", fails: "column 1: found \"Name\", wanted \(fields) (did you mean \"name\"?)")
    }

    @Test func wantsAKey() {
        check("attributes == 'a'", fails: #"column 12: found "==", wanted ["key"]"#)
        check("attributes[a]", fails: #"column 12: found "a", wanted a string"#)
        check("resource['a' == 1", fails: #"column 14: found "==", wanted "]""#)
        check("attributes['a", fails: "column 12: found a string that does not end, wanted a string")
    }

    @Test func wantsAnOperatorThatSuitsTheField() {
        check("name", fails: "column 5: found the end, wanted \(textOperators)")
        check("name = 'a'", fails: "column 6: found \"=\", wanted \(textOperators)")
        check("attributes['é'] = 'a'", fails: "column 17: found \"=\", wanted \(textOperators)")
        check("name 'contains' 'a'", fails: "column 6: found the string \"contains\", wanted \(textOperators)")
        check("kind > server", fails: "column 6: found \">\", wanted one of == != in")
        check("span_id =~ 'a'", fails: "column 9: found \"=~\", wanted one of == != in")
        check("duration contains 's'", fails: "column 10: found \"contains\", wanted one of == != < <= > >= in")
        check("is_root in [true]", fails: "column 9: found \"in\", wanted one of == !=")
        check("status and true", fails: "column 8: found \"and\", wanted one of == != in")
    }

    @Test func wantsALiteralOfTheFieldsType() {
        check("name ==", fails: "column 8: found the end, wanted a string")
        check("name == 5", fails: "column 9: found \"5\", wanted a string")
        check("name == nil", fails: "column 9: found \"nil\", wanted a string")
        check("name == 'a", fails: "column 9: found a string that does not end, wanted a string")
        check("name starts_with name", fails: "column 18: found \"name\", wanted a string")
        check(
            "kind == serve",
            fails: "column 9: found \"serve\", wanted one of "
                + "unspecified, internal, server, client, producer, consumer (did you mean \"server\"?)")
        check("status == 2", fails: "column 11: found \"2\", wanted one of unset, ok, error")
        check("is_root == 1", fails: "column 12: found \"1\", wanted true or false")
        for literal in ["500", "1.5s", "-1s", "99999999999d", "1x"] {
            check(
                "duration > \(literal)",
                fails: "column 12: found \"\(literal)\", wanted a duration such as 500ms, 2s or 1m30s")
        }
        check("trace_id == 'ab'", fails: "column 13: found the string \"ab\", wanted a string of 32 hexadecimal digits")
        check(
            "span_id == '+123456789abcdef'",
            fails: "column 12: found the string \"+123456789abcdef\", wanted a string of 16 hexadecimal digits")
        check("span_id == nil", fails: "column 12: found \"nil\", wanted a string of 16 hexadecimal digits")
    }

    @Test func wantsALiteralBehindAnAttribute() {
        let any = "a string, a number, true, false or nil"
        check("attributes['a'] ==", fails: "column 19: found the end, wanted \(any)")
        for literal in ["name", "500ms", "1.2.3", "9223372036854775808", "0x10", "1e999", "-", "nan"] {
            check("attributes['a'] == \(literal)", fails: "column 20: found \"\(literal)\", wanted \(any)")
        }
        check("attributes['a'] < nil", fails: "column 19: found \"nil\", wanted a string or a number")
        check("attributes['a'] > true", fails: "column 19: found \"true\", wanted a string or a number")
        check(
            "attributes['a'] contains nil", fails: "column 26: found \"nil\", wanted a string, a number, true or false")
    }

    @Test func wantsARegularExpressionThatCompiles() {
        check("name =~ 5", fails: "column 9: found \"5\", wanted a string with a regular expression")
        check(
            "name =~ '(a'",
            fails: "column 9: found the string \"(a\", "
                + "wanted a regular expression: missing closing parenthesis at offset 2")
    }

    @Test func wantsAList() {
        check("name in 'a'", fails: #"column 9: found the string "a", wanted a list such as ["a", "b"]"#)
        check("name in []", fails: #"column 10: found "]", wanted a string"#)
        check("name in ['a' 'b']", fails: #"column 14: found the string "b", wanted "," or "]""#)
        check("name in ['a', ]", fails: #"column 15: found "]", wanted a string"#)
        check(
            "kind in [server, 'x']",
            fails: "column 18: found the string \"x\", wanted one of "
                + "unspecified, internal, server, client, producer, consumer")
    }

    @Test func wantsAnEnd() {
        check("is_root )", fails: #"column 9: found ")", wanted "and", "or" or the end"#)
        check("(is_root", fails: #"column 9: found the end, wanted "and", "or" or ")""#)
        check("true false", fails: #"column 6: found "false", wanted "and", "or" or the end"#)
        check("name == 'a' == 'b'", fails: #"column 13: found "==", wanted "and", "or" or the end"#)
    }

    // MARK: Limits

    @Test func limitsTheLength() throws {
        let longest = "name == '" + String(repeating: "a", count: Condition.maximumLength - 10) + "'"
        _ = try Condition(parsing: longest)
        check(longest + " ", fails: "found a condition of 4097 bytes, wanted at most 4096")
    }

    @Test func limitsTheDepth() throws {
        let open = String(repeating: "(", count: 63)
        _ = try Condition(parsing: open + "not true" + String(repeating: ")", count: 63))
        check(open + "not (true)", fails: "column 68: found level 65 of parentheses and nots, wanted at most 64")
        check(
            String(repeating: "!", count: 4000),
            fails: "column 65: found level 65 of parentheses and nots, wanted at most 64")
        // Levels that were closed do not count.
        _ = try Condition(parsing: Array(repeating: "(not true)", count: 100).joined(separator: " or "))
    }

    @Test func limitsLists() throws {
        func list(_ count: Int) -> String {
            "attributes['a'] in [\(Array(repeating: "1", count: count).joined(separator: ","))]"
        }
        _ = try Condition(parsing: list(256))
        check(list(257), fails: "column 533: found a list of more than 256 entries, wanted fewer")
    }

    // MARK: Anything

    @Test func neverTrapsOnAnyTokens() {
        let seed = UInt64.random(in: 0...(.max))
        var random = SplitMix64(seed: seed)
        let pieces = [
            "name", "kind", "status", "status.message", "duration", "trace_id", "parent_span_id", "is_root",
            "attributes", "resource", "[", "]", "(", ")", "\"a\"", "'b'", "\"", "'", "\\", "5", "-", "-1.5e3", "500ms",
            "1e", "==", "!=", "<", ">=", "=~", "!~", "!", "&&", "||", "|", "in", "and", "or", "not", "contains", "true",
            "nil", ",", "é", "\u{301}", "\u{0}", "\r\n", "😀", "server", "=", "0af7651916cd43dd",
        ]
        var parsed = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...12, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }
                .joined(separator: Bool.random(using: &random) ? " " : "")
            do throws(ConfigError) {
                _ = try Condition(parsing: text)
                parsed += 1
            } catch {
                #expect(error.message.hasPrefix("column "), "seed \(seed): \(text)")
            }
        }
        #expect(parsed > 0, "seed \(seed)")
    }
}
