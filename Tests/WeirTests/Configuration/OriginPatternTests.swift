import Testing

@testable import Weir

@Suite struct OriginPatternTests {
    @Test func namesOneOriginOrThoseBelowADomain() throws {
        let one = try OriginPattern(parsing: "https://App.example.com:8443")
        #expect(one.matches("https://app.example.com:8443"))
        for other in [
            "https://app.example.com", "http://app.example.com:8443", "https://app.example.com:84430", "null",
        ] {
            #expect(!one.matches(other), "\(other)")
        }
        let many = try OriginPattern(parsing: "https://*.example.com")
        for origin in ["https://app.example.com", "https://a.b.example.com", "https://X-1.EXAMPLE.com"] {
            #expect(many.matches(origin), "\(origin)")
        }
        for other in [
            "https://example.com", "https://.example.com", "https://evilexample.com", "http://app.example.com",
            "https://evil.com/.example.com", "https://evil.com#.example.com", "https://app.example.com.evil.com",
            "https://a@b.example.com", "https://app.example.com:444", "https://evil.com:1.example.com",
            "https://*.example.com",
            "",
        ] {
            #expect(!many.matches(other), "\(other)")
        }
        let ports = try OriginPattern(parsing: "http://localhost:*")
        #expect(ports.matches("http://localhost:5173"))
        for other in ["http://localhost", "http://localhost:", "http://localhost:80@evil.com", "http://localhost:80/"] {
            #expect(!ports.matches(other), "\(other)")
        }
        let all = try OriginPattern(parsing: "*")
        #expect(all.isAll && all.matches("https://anybody.example") && all.matches("null"))
    }

    @Test(arguments: ["*", "https://*.example.com", "http://localhost:*"])
    func noOriginIsLongerThanAHostCanBe(text: String) throws {
        let pattern = try OriginPattern(parsing: text)
        let many = String(repeating: "1", count: 10_000)
        for origin in ["https://\(many).example.com", "http://localhost:\(many)"] {
            #expect(!pattern.matches(origin))
        }
    }

    @Test(arguments: [
        "https://*", "https://*.", "https://a*.example.com", "https://*.*.com", "example.com", "ftp://a", "https://",
        "https://a/b", "https://*example.com", "null", "https://a@b", "https://*:*", "http://:*", "https://a?b",
    ])
    func refusesWhatMeansMoreThanItsAuthorThinks(text: String) {
        #expect(throws: ConfigError.self) { try OriginPattern(parsing: text) }
    }
}
