import Testing

@testable import Weir

/// What conditions mean.
@Suite struct ConditionTests {
    private func check(
        _ condition: String, is expected: Bool, _ span: SpanFixture = .sample,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let batch = try SpanFixture.batch([span])
        let result = try Condition(parsing: condition).matches(batch, span: batch.spans[0])
        #expect(result == expected, "\(condition)", sourceLocation: location)
    }

    // MARK: Fields

    @Test func asksForNameAndStatusMessage() throws {
        try check(#"name == "GET /users""#, is: true)
        try check("name == 'GET /users'", is: true)
        try check(#"name == "get /users""#, is: false)
        try check(#"status.message == "timed out""#, is: true)
        try check(#"status.message == """#, is: true, SpanFixture())
    }

    @Test func asksForKindAndStatusByTheirWords() throws {
        let kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"]
        for (number, word) in kinds.enumerated() {
            var span = SpanFixture()
            span.kind = UInt64(number)
            for other in kinds { try check("kind == \(other)", is: other == word, span) }
        }
        for (number, word) in ["unset", "ok", "error"].enumerated() {
            var span = SpanFixture()
            span.status = UInt64(number)
            for other in ["unset", "ok", "error"] { try check("status == \(other)", is: other == word, span) }
        }
        try check(#"kind == "server""#, is: true)
        try check("kind != client", is: true)
        try check("kind in [client, server]", is: true)
        try check("status in [unset, ok]", is: false)
    }

    @Test func asksForTheDuration() throws {
        try check("duration == 500ms", is: true)
        try check("duration > 499ms", is: true)
        try check("duration > 500ms", is: false)
        try check("duration >= 500000us and duration <= 0s500ms", is: true)
        try check("duration < 1m30s", is: true)
        try check("duration in [1s, 500ms]", is: true)
        var reversed = SpanFixture()
        reversed.endTime = reversed.startTime - 1
        try check("duration == 0s", is: true, reversed)
        reversed.endTime = .max
        reversed.startTime = 0
        try check("duration > 1h", is: true, reversed)
    }

    @Test func asksForIDs() throws {
        try check(#"trace_id == "0af7651916cd43dd8448eb211c80319c""#, is: true)
        try check(#"trace_id == "0AF7651916CD43DD8448EB211C80319C""#, is: true)
        try check(#"trace_id == "0af7651916cd43dd8448eb211c80319d""#, is: false)
        try check(#"trace_id != "1af7651916cd43dd8448eb211c80319c""#, is: true)
        try check(
            #"trace_id in ["00000000000000000000000000000001", "0af7651916cd43dd8448eb211c80319c"]"#, is: true)
        try check(#"span_id == "b7ad6b7169203331""#, is: true)
        try check(#"span_id in ["b7ad6b7169203330"]"#, is: false)
        try check(#"parent_span_id == "00f067aa0ba902b7""#, is: true)
        try check(#"parent_span_id in [nil, "00f067aa0ba902b7"]"#, is: true)
        try check("parent_span_id == nil", is: false)
        try check("parent_span_id == nil", is: true, SpanFixture())
    }

    @Test func asksWhetherASpanIsRoot() throws {
        try check("is_root", is: false)
        try check("is_root == false", is: true)
        try check("not is_root", is: true)
        try check("is_root", is: true, SpanFixture())
    }

    @Test func asksForScopeAndResource() throws {
        try check(#"scope.name == "io.shop.http" and scope.version starts_with "1.""#, is: true)
        try check(#"resource["service.name"] == "shop""#, is: true)
        try check(#"resource.attributes["service.name"] == "shop""#, is: true)
        try check(#"resource["service.version"] == nil"#, is: true)
        try check(#"attributes["service.name"] == nil"#, is: true)
    }

    // MARK: Types

    @Test func treatsWhatIsMissingAsNil() throws {
        try check(#"attributes["x"] == nil"#, is: true)
        try check(#"attributes["x"] != nil"#, is: false)
        try check(#"attributes["empty"] == nil"#, is: true)
        try check(#"attributes["text"] == nil"#, is: false)
        try check(#"attributes["text"] != nil"#, is: true)
        try check(#"attributes["x"] == "a""#, is: false)
        try check(#"attributes["x"] != "a""#, is: true)
        for sign in ["<", "<=", ">", ">="] {
            try check("attributes[\"x\"] \(sign) 0", is: false)
            try check("attributes[\"x\"] \(sign) \"\"", is: false)
        }
        try check(#"attributes["x"] =~ ".*""#, is: false)
        try check(#"attributes["x"] !~ ".*""#, is: true)
        try check(#"attributes["x"] contains """#, is: false)
        try check(#"attributes["x"] in ["a", nil]"#, is: true)
        try check(#"attributes["x"]"#, is: false)
    }

    @Test func comparesNoValuesOfDifferentTypes() throws {
        try check(#"attributes["int"] == "5""#, is: false)
        try check(#"attributes["int"] != "5""#, is: true)
        try check(#"attributes["digits"] == 5"#, is: false)
        try check(#"attributes["digits"] < 6"#, is: false)
        try check(#"attributes["digits"] >= 5"#, is: false)
        try check(#"attributes["true"] == true"#, is: true)
        try check(#"attributes["true"] == 1"#, is: false)
        try check(#"attributes["true"] == "true""#, is: false)
        try check(#"attributes["int"] > "4""#, is: false)
        try check(#"attributes["int"] =~ "5""#, is: false)
        try check(#"attributes["int"] starts_with "5""#, is: false)
        try check(#"attributes["list"] == "a""#, is: false)
    }

    @Test func comparesIntegersWithDoubles() throws {
        try check(#"attributes["int"] == 5.0"#, is: true)
        try check(#"attributes["int"] < 5.5 and attributes["int"] > 4.5"#, is: true)
        try check(#"attributes["double"] > 2"#, is: true)
        try check(#"attributes["double"] <= 2"#, is: false)
        try check(#"attributes["double"] == 2.5e0"#, is: true)
        try check(#"attributes["negative"] < -2"#, is: true)
        try check(#"attributes["negative"] > -3"#, is: true)
    }

    @Test func comparesBigIntegersExactly() throws {
        let span = SpanFixture(
            ("odd", .int(9_007_199_254_740_993)), ("even", .double(9_007_199_254_740_992)), ("max", .int(.max)),
            ("min", .int(.min)), ("huge", .double(0x1p63)), ("lowest", .double(-0x1p63)), ("inf", .double(.infinity)))
        try check(#"attributes["odd"] == 9007199254740992.0"#, is: false, span)
        try check(#"attributes["odd"] > 9007199254740992.0"#, is: true, span)
        try check(#"attributes["even"] == 9007199254740993"#, is: false, span)
        try check(#"attributes["even"] < 9007199254740993"#, is: true, span)
        try check(#"attributes["even"] == 9007199254740992"#, is: true, span)
        try check(#"attributes["max"] < 9223372036854775808.0"#, is: true, span)
        try check(#"attributes["huge"] > 9223372036854775807"#, is: true, span)
        try check(#"attributes["min"] == -9223372036854775808.0"#, is: true, span)
        try check(#"attributes["lowest"] == -9223372036854775808"#, is: true, span)
        try check(#"attributes["inf"] > 9223372036854775807"#, is: true, span)
    }

    @Test func findsNoOrderInWhatIsNotANumber() throws {
        let span = SpanFixture(("nan", .double(.nan)))
        for sign in ["==", "<", "<=", ">", ">="] {
            try check("attributes[\"nan\"] \(sign) 0.0 or attributes[\"nan\"] \(sign) 0", is: false, span)
        }
        try check(#"attributes["nan"] != 0"#, is: true, span)
    }

    // MARK: Operators

    @Test func comparesTextByItsBytes() throws {
        try check(#"name < "GET /v""#, is: true)
        try check(#"name <= "GET /users""#, is: true)
        try check(#"name > "GET /user""#, is: true)
        try check(#"name >= "GET /users/""#, is: false)
        try check(#"attributes["é"] > "z""#, is: true, SpanFixture(("é", .string("é"))))
        try check(#"name < "😀""#, is: true, SpanFixture())
    }

    @Test func searchesInText() throws {
        try check(#"name contains "T /u""#, is: true)
        try check(#"name contains "users!""#, is: false)
        try check(#"name contains """#, is: true)
        try check(#"name starts_with "GET""#, is: true)
        try check(#"name starts_with "GET /users and more""#, is: false)
        try check(#"name ends_with "/users""#, is: true)
        try check(#"name ends_with "/user""#, is: false)
        try check(#"attributes["text"] contains "b""#, is: true)
    }

    @Test func searchesInArrays() throws {
        try check(#"attributes["list"] contains "a""#, is: true)
        try check(#"attributes["list"] contains 2"#, is: true)
        try check(#"attributes["list"] contains 2.0"#, is: true)
        try check(#"attributes["list"] contains "2""#, is: false)
        try check(#"attributes["list"] contains true"#, is: true)
        try check(#"attributes["list"] contains false"#, is: false)
    }

    @Test func matchesRegularExpressionsAnywhereInTheText() throws {
        try check(#"name =~ "us.rs""#, is: true)
        try check(#"name =~ "^us.rs""#, is: false)
        try check(#"name !~ "^us.rs""#, is: true)
        try check(#"name =~ "\w+ /\w+$""#, is: true)
        try check(#"name =~ "\\w+ /\\w+$""#, is: true)
        try check(#"attributes["text"] =~ '^a.c$'"#, is: true)
    }

    @Test func looksUpLists() throws {
        try check(#"name in ["a", "GET /users"]"#, is: true)
        try check(#"attributes["int"] in ["5", 6]"#, is: false)
        try check(#"attributes["int"] in ["5", 5.0]"#, is: true)
        try check(#"not attributes["int"] in [5]"#, is: false)
    }

    // MARK: Logic

    @Test func bindsNotBeforeAndBeforeOr() throws {
        for (left, other, right) in eachThree() {
            try check("\(left) or \(other) and \(right)", is: left || (other && right))
            try check("\(left) and \(other) or \(right)", is: (left && other) || right)
            try check("not \(left) and \(other)", is: !left && other)
            try check("not \(left) or not \(other) and not \(right)", is: !left || (!other && !right))
            try check("(\(left) or \(other)) and \(right)", is: (left || other) && right)
            try check("!(\(left) || \(other)) && !\(right)", is: !(left || other) && !right)
            try check("not not \(left)", is: left)
        }
    }

    private func eachThree() -> [(Bool, Bool, Bool)] {
        (0..<8).map { ($0 & 1 != 0, $0 & 2 != 0, $0 & 4 != 0) }
    }

    @Test func readsAFieldOnItsOwnAsItsTruth() throws {
        try check(#"attributes["true"]"#, is: true)
        try check(#"attributes["true"] and not attributes["int"]"#, is: true)
        try check(#"(attributes["true"])"#, is: true)
    }

    @Test func readsQuotesAndBackslashes() throws {
        let span = SpanFixture(("a", .string(#"say "hi" \n"#)), (#"k"]"#, .int(1)))
        try check(#"attributes["a"] == "say \"hi\" \n""#, is: true, span)
        try check(#"attributes['a'] == 'say "hi" \\n'"#, is: true, span)
        try check(#"attributes["k\"]"] == 1"#, is: true, span)
    }
}

extension SpanFixture {
    /// With something in every field.
    static var sample: SpanFixture {
        var span = SpanFixture(
            ("text", .string("abc")), ("digits", .string("5")), ("int", .int(5)), ("double", .double(2.5)),
            ("negative", .double(-2.5)), ("true", .bool(true)),
            ("list", .array([.string("a"), .int(2), .bool(true)])))
        span.parentSpanID = 0x00f0_67aa_0ba9_02b7
        span.status = 2
        span.statusMessage = "timed out"
        return span
    }
}
