import Testing

@testable import Weir

@Suite struct HTTPURLTests {
    @Test(arguments: [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318"), ("https://host", "https://host:443"),
        ("HTTP://host/", "http://host:80/"), ("https://[::1]/a/b%20c", "https://[::1]:443/a/b%20c"),
        ("http://[::1]:4318", "http://[::1]:4318"), ("http://host:1/a=b;c,d", "http://host:1/a=b;c,d"),
    ])
    func readsWhatItMay(text: String, meaning: String) throws {
        #expect(try HTTPURL(parsing: text).description == meaning)
        #expect(try HTTPURL(parsing: meaning) == HTTPURL(parsing: text))
    }

    @Test(arguments: [
        "", "host", "host:4318", "ftp://host", "http:/host", "http://", "http:///path", "http://host/ path",
        "http://host/\u{e9}", "http://ho st", "http://host:port", "http://host:0", "http://host:65536", "http://[::1",
        "http://::1", "http://host/<b>",
    ])
    func refusesTheRest(text: String) {
        #expect(throws: ConfigError.self) { try HTTPURL(parsing: text) }
    }

    @Test(arguments: ["https://user:swordfish@host", "https://host/?key=swordfish", "https://host/#swordfish"])
    func doesNotRepeatWhatMayBeASecret(text: String) {
        let error = #expect(throws: ConfigError.self) { try HTTPURL(parsing: text) }
        #expect(
            error?.message == "found a URL with a user, query or fragment, wanted one without; keys belong into headers"
        )
    }

    @Test func appendsAPath() throws {
        #expect(try HTTPURL(parsing: "http://h:1").appending("/v1/traces").path == "/v1/traces")
        #expect(try HTTPURL(parsing: "http://h:1/").appending("/v1/traces").path == "/v1/traces")
        #expect(try HTTPURL(parsing: "http://h:1/otlp").appending("/v1/traces").path == "/otlp/v1/traces")
    }
}
