import Testing

@testable import Weir

@Suite struct EndpointTests {
    @Test(arguments: ["127.0.0.1:4318", "localhost:0", "[::1]:4318", "[::]:65535", "otel-collector.svc_1:80"])
    func readsAndWritesHostAndPort(text: String) throws {
        #expect(try Endpoint(parsing: text).description == text)
    }

    @Test func takesTheBracketsOff() throws {
        #expect(try Endpoint(parsing: "[2001:db8::1]:443") == Endpoint(host: "2001:db8::1", port: 443))
    }

    @Test func anAddressIsWhatTheSystemMakesOfIt() throws {
        for text in ["127.1:1", "127.0.0.01:1", "0177.0.0.1:1", "[0:0::1]:1", "localhost:1"] {
            #expect(try Endpoint(parsing: text).isLoopback, "\(text)")
        }
        for text in ["128.1:1", "127.0.0.08:1", "127.0.0.1.example:1", "[::2]:1", "[::ffff:7f00:1]:1"] {
            #expect(try !Endpoint(parsing: text).isLoopback, "\(text)")
        }
    }

    @Test(arguments: [
        "", "localhost", ":4318", "::1:4318", "[::1]", "[::g]:1", "[]:1", "a b:1", "h:", "h:65536", "h:-1", "h:+1",
        "h:1x", "http://h:1", "h:000001",
    ])
    func refusesEverythingElse(text: String) {
        #expect(throws: ConfigError.self) { try Endpoint(parsing: text) }
    }
}
