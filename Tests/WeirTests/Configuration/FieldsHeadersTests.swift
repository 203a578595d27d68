import Testing

@testable import Weir

@Suite struct FieldsHeadersTests {
    @Test func readsNamesAndValues() {
        check("{}", read, gives: [])
        check(
            "headers: { Authorization: \"Bearer x\", X-Tenant: 007, a!b: y }", read,
            gives: ["Authorization=Bearer x", "X-Tenant=007", "a!b=y"])
        check("headers: { a: \"${env:KEY}\" }", read, gives: ["a=swordfish"], environment: ["KEY": "swordfish"])
    }

    @Test func saysWhatIsWrongWithoutAValue() {
        let wanted = "is not a name that can be set, wanted a header field other than host"
        let noName = "found a name that no header field has, wanted NAME: VALUE with a name such as X-Api-Key"
        check(
            "headers:\n  Host: swordfish\n  \"a b\": swordfish\n  c: \"sword\\nfish\"\n  d: ~\n  e: \"\"\n  f: [swordfish]",
            read, fails: "2: headers.Host: \(wanted)", "3: headers: \(noName)",
            "4: headers.c: found a character that is not printable ASCII, wanted none",
            "5: headers.d: found nothing, wanted a string",
            "6: headers.e: found an empty string, wanted a string that is not empty",
            "7: headers.f: found a list, wanted a string")
        check(
            "headers:\n  a: x\n  A: y", read,
            fails: "3: headers.A: is there a second time, wanted each header field once")
        check("headers: [a]", read, fails: "1: headers: found a list, wanted a mapping")
        // As OTEL_EXPORTER_OTLP_HEADERS has them: what they say is a secret.
        check("headers: Authorization=Bearer 5", read, fails: "1: headers: found a single value, wanted a mapping")
        // The value within the quotes of the name.
        check(
            "a: x\nheaders: { \"Authorization: Bearer swordfish\", b: [y] }",
            { fields in
                _ = fields.string("a", "")
                return read(&fields)
            }, fails: "2: headers: \(noName)", "2: headers.b: found a list, wanted a string")
        let many = (0...64).map { "h\($0): x" }.joined(separator: ", ")
        check("headers: { \(many) }", read, fails: "1: headers: found 65 entries, wanted 0...64")
    }

    private func read(_ fields: inout Fields) -> [String] {
        fields.headers("headers", reserved: ["host"], "").map { "\($0.name)=\($0.value)" }
    }
}
