import Testing

@testable import Weir

@Suite struct ReloadTelemetryTests {
    private static let prefix = "the configuration on disk is not the one that runs: "

    @Test func whatIsWrongIsSaidInTheLogAndWhereItIsToEverybody() {
        let log = LogCapture()
        let telemetry = ReloadTelemetry(MetricRegistry(), log.logger)
        func complaints(after problem: String) -> [String] {
            telemetry.note(.rejected(.configuration, [problem, "c.yaml:9: b: is wrong"]))
            return telemetry.complaints
        }
        #expect(
            complaints(after: "c.yaml:3: exporters.a.hunter2: is not a known key")
                == [Self.prefix + "c.yaml:3: the log says why"])
        #expect(log.lines.contains { $0.contains("hunter2") })
        #expect(
            complaints(after: "service.journal: has changed, which takes a restart")
                == [Self.prefix + "service.journal: the log says why"])
        #expect(complaints(after: "hunter2") == [Self.prefix + "it cannot be applied: the log says why"])
        telemetry.note(.applied(kept: ["teams/a.yaml:1: processors.hunter2: is not a known type"]))
        #expect(telemetry.complaints == [Self.prefix + "teams/a.yaml:1: the log says why"])
        telemetry.note(.applied(kept: []))
        #expect(telemetry.complaints == [])
        telemetry.began(without: ["a.yaml:2: hunter2"], [])
        #expect(telemetry.complaints == [Self.prefix + "a.yaml:2: the log says why"])
    }
}
