import Testing

@testable import Weir

@Suite struct ListenerConfigurationTests {
    private func read(_ fields: inout Fields) -> ListenerConfiguration {
        ListenerConfiguration(&fields, default: Endpoint(host: "127.0.0.1", port: 4318), "Where it is.")
    }

    @Test(arguments: ["127.0.0.1:1", "127.1.2.3:1", "localhost:1", "\"[::1]:1\""])
    func everybodyMayAskOnALoopbackAddress(endpoint: String) {
        check("endpoint: \(endpoint)", { read(&$0).authenticator }, gives: nil)
    }

    @Test(arguments: ["0.0.0.0:1", "10.0.0.1:1", "[::]:1", "example.com:1", "127.evil.example:1"])
    func elsewhereNobodyMayWithoutAKeyOrConsent(endpoint: String) {
        check(
            "endpoint: \"\(endpoint)\"", read(_:),
            fails: "1: endpoint: found \(endpoint) without authentication, wanted auth, tls.client_ca_file, "
                + "or insecure: true where the network is trusted")
        check(
            "endpoint: \"\(endpoint)\"\ninsecure: true", read(_:),
            fails: "2: warning: insecure: everybody who reaches \(endpoint) is let in")
        check(
            "{ endpoint: \"\(endpoint)\", auth: { authenticator: api_keys/a } }", { read(&$0).authenticator },
            gives: ComponentID(type: "api_keys", name: "a"))
    }

    @Test func twoListenersDoNotShareAPort() {
        func errors(_ metrics: String, _ receivers: String) -> [String] {
            let text = """
                receivers:
                  otlp: { protocols: { http: { endpoint: 127.0.0.1:4318 } } }
                  otlp/two: { protocols: { http: { endpoint: 127.0.0.1:4318 } } }
                exporters: { debug: }
                service:
                  telemetry: { metrics: { endpoint: "\(metrics)", insecure: true } }
                  pipelines: { traces: { receivers: [\(receivers)], exporters: [debug] } }
                """
            let checked = CheckedConfiguration(text, file: "c", environment: [:], catalogue: Registry.catalogue)
            return checked.diagnostics.lines(of: .error)
        }
        #expect(errors("127.0.0.1:8888", "otlp") == [])
        #expect(errors("127.0.0.2:4318", "otlp") == [])
        #expect(
            errors("127.0.0.1:8888", "otlp, otlp/two") == [
                "c:3: receivers.otlp/two.protocols.http.endpoint: found 127.0.0.1:4318, which "
                    + "receivers.otlp.protocols.http.endpoint has too, in line 2; wanted another port"
            ])
        for taken in ["0.0.0.0:4318", "localhost:4318", "127.0.0.01:4318", "0:4318", "[0::0]:4318"] {
            #expect(errors(taken, "otlp/two").count == 1, "\(taken)")
        }
        #expect(errors("[::1]:4318", "otlp/two") == [])
    }

    @Test func whatChangesWeirIsNeverOpenToANetwork() {
        check(
            "{ endpoint: 0.0.0.0:1, insecure: true }", { OperationsConfiguration(&$0).listener.endpoint },
            fails: "1: endpoint: found 0.0.0.0:1 without authentication, wanted auth, tls.client_ca_file, "
                + "or a loopback address",
            "1: insecure: is not a known key, wanted one of endpoint, auth, tls")
    }
}
