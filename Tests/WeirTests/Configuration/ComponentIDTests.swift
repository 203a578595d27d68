import Testing

@testable import Weir

@Suite struct ComponentIDTests {
    @Test func isATypeAndPerhapsAName() throws {
        #expect(try ComponentID(parsing: "otlp_http") == ComponentID(type: "otlp_http"))
        #expect(try ComponentID(parsing: "filter/health-2.b") == ComponentID(type: "filter", name: "health-2.b"))
        #expect(ComponentID(type: "filter", name: "health").description == "filter/health")
    }

    @Test(arguments: [
        "", "/", "a/", "/a", "A", "1a", "a b", "a/b/c", "a/b c", "ä", "a/\u{0}", String(repeating: "a", count: 129),
    ])
    func refusesEverythingElse(text: String) {
        #expect(throws: ConfigError.self) { try ComponentID(parsing: text) }
    }
}
