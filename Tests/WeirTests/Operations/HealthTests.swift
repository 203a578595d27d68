import Testing

@testable import Weir

@Suite struct HealthTests {
    @Test func isReadyOnceEveryReceiverIs() {
        let health = Health(receivers: 2)
        #expect(health.phase == .starting)
        #expect(!health.receiverIsReady())
        #expect(health.phase == .starting)
        #expect(health.receiverIsReady())
        #expect(health.phase == .ready)
        #expect(!health.receiverIsReady())
        health.stop()
        #expect(health.phase == .stopping)
    }

    @Test func isNotReadyAgainOnceItStops() {
        let health = Health(receivers: 1)
        health.stop()
        #expect(!health.receiverIsReady())
        #expect(health.phase == .stopping)
    }
}
