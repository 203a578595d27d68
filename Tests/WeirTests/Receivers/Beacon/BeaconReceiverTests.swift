import Testing

@testable import Weir

@Suite struct BeaconReceiverTests {
    private func read(_ fields: inout Fields) -> BeaconReceiver.Configuration? {
        fields.read(BeaconReceiver.Configuration.self)
    }

    @Test func whatABeaconMayBeIsBoundedByDefault() {
        let keys = { (fields: inout Fields) -> [Int?] in
            let keys = read(&fields)
            return [
                keys?.listener.endpoint.port, keys?.limits.maxBodyBytes, keys?.rateLimits.origin,
                keys?.rateLimits.address, keys?.attributes.allows("app.n") == true ? 1 : 0,
                keys?.attributes.allows("host.name") == true ? 1 : 0,
            ]
        }
        check("allowed_origins: [\"https://a.example\"]", keys, gives: [4_319, 65_536, 1_000, 20, 1, 0])
    }

    @Test func somebodyHasToSayWhichPagesMaySend() {
        check(
            "endpoint: 127.0.0.1:1", { read(&$0)?.origins.count },
            fails: "1: allowed_origins: is missing, wanted a list of 1...1000 entries")
        check(
            "{ allowed_origins: [example.com], max_request_body_size: 2MiB, on_violation: drop }",
            { read(&$0)?.origins.count },
            fails:
                "1: allowed_origins[0]: found \"example.com\", wanted an origin such as https://app.example.com, "
                + "https://*.example.com or http://localhost:*, or *",
            "1: on_violation: found the string \"drop\", wanted one of reject, strip, mark",
            "1: max_request_body_size: found 2MiB, wanted a size in 1...1MiB")
    }
}
