import Testing

@testable import Weir

@Suite struct JournalTelemetryTests {
    @Test func recordsThatNobodyCanDecryptAreAComplaintAndSaidOnce() {
        let log = LogCapture()
        let telemetry = JournalTelemetry(ComponentID(type: "traces"), log.logger, MetricRegistry())
        #expect(telemetry.complaints == [])
        for _ in 1...3 { telemetry.note(.sealed) }
        let what = "records are encrypted and no keystore is configured: they stay"
        #expect(telemetry.complaints == ["pipeline traces: \(what)"])
        #expect(log.lines.count == 1 && log.lines[0].contains(what), "\(log.lines)")
    }
}
