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

    @Test func aKeyThatARecordWaitsForIsAComplaintAndSaidAgainNowAndThen() {
        let log = LogCapture()
        let telemetry = JournalTelemetry(ComponentID(type: "traces"), log.logger, MetricRegistry())
        let key = AwaitedKey(id: 0xAB, sequence: 7, tenant: "acme", reason: "unknown key")
        let start = ContinuousClock.now
        for seconds in [0, 1, 299, 300, 301] {
            telemetry.note(.awaitsKey(key), at: start.advanced(by: .seconds(seconds)))
        }
        #expect(
            telemetry.complaints == [
                "pipeline traces: record 7 of tenant acme waits for data key 00000000000000ab: unknown key"
            ])
        let what = "key=00000000000000ab reason=unknown key sequence=7 tenant=acme"
        let line = "error: cannot read a record, and waits for its data key \(what)"
        #expect(log.lines == [line, line])
        // Two readers may have waited for it.
        for _ in 1...2 { telemetry.note(.awaitsNoMore(key)) }
        #expect(telemetry.complaints == [])
        #expect(log.lines == [line, line, "notice: waits for a data key no longer \(what)"])
    }

    @Test func whyNothingCanBeWrittenIsThePresentReason() async throws {
        let log = LogCapture()
        let telemetry = JournalTelemetry(ComponentID(type: "traces"), log.logger, MetricRegistry())
        let sample = try JournalSample()
        // From here on the writer has nothing to say.
        await sample.stop()
        let full = DiskError(description: "no room", isFull: true)
        let broken = DiskError(description: "broken", isFull: false)
        let complaints = [full, full, broken, nil].map { failure in
            let known = sample.events.all.count
            sample.journal.note(failure)
            sample.events.all.dropFirst(known).forEach { telemetry.note($0) }
            return telemetry.complaints.joined()
        }
        let what = "pipeline traces: the journal cannot write: "
        #expect(complaints == [what + "no room", what + "no room", what + "broken", ""])
        #expect(log.lines.filter { $0.hasPrefix("error") }.count == 1, "\(log.lines)")
    }
}
