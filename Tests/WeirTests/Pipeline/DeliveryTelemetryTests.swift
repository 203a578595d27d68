import Testing

@testable import Weir

struct DeliveryTelemetryTests {
    @Test func whatIsWrongWithADestinationIsSaidAfterAMinute() async throws {
        let sample = try JournalSample(for: [.init("a")])
        let telemetry = DeliveryTelemetry(
            MetricRegistry(), exporter: ComponentID(type: "a"), pipeline: ComponentID(type: "traces"),
            reader: sample.journal.reader(0))
        telemetry.retrying.set(59)
        #expect(telemetry.complaints == [])
        telemetry.retrying.set(61.5)
        #expect(
            telemetry.complaints == ["exporter a of pipeline traces: the destination has taken nothing for 61 seconds"])
        telemetry.heldBatches.set(4)
        #expect(telemetry.complaints.contains { $0.contains("4 batches wait, and what comes after them") })
        telemetry.end()
        telemetry.parkedSpans.set(5)
        #expect(
            telemetry.complaints == [
                "exporter a of pipeline traces: 5 spans are parked, for tenants whose destination does not work"
            ])
        await sample.stop()
    }

    @Test func whatWaitsForAKeyHasNoSuccess() async throws {
        let sample = try JournalSample(for: [.init("a")])
        let telemetry = DeliveryTelemetry(
            MetricRegistry(), exporter: ComponentID(type: "a"), pipeline: ComponentID(type: "traces"),
            reader: sample.journal.reader(0))
        let world = DeliveryWorld(seed: 5, consumers: 1, splitsRecords: true)
        telemetry.show(world.state, awaitsKeySince: world.now, at: world.now.advanced(by: .seconds(7)))
        #expect(telemetry.retrying.value == 7)
        telemetry.show(world.state, awaitsKeySince: nil, at: world.now.advanced(by: .seconds(8)))
        #expect(telemetry.retrying.value == 0)
        await sample.stop()
    }
}
