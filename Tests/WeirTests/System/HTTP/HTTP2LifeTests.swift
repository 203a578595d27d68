import NIOCore
import Testing

@testable import Weir

/// A connection's life, a second at a time.
@Suite struct HTTP2LifeTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private let limits: HTTPLimits

    init() {
        var limits = HTTPLimits()
        limits.readHeaderTimeout = .seconds(10)
        limits.readTimeout = .seconds(5)
        limits.idleTimeout = .seconds(300)
        limits.http2.pingInterval = .seconds(60)
        limits.http2.pingTimeout = .seconds(20)
        self.limits = limits
    }

    private func at(_ seconds: Int64) -> NIODeadline { Self.start + .seconds(seconds) }

    private func open() -> HTTP2Life {
        var life = HTTP2Life(limits, at: at(0))
        life.read(at: at(0))
        return life
    }

    @Test func isCutWhenItDoesNotBegin() {
        var life = HTTP2Life(limits, at: at(0))
        #expect(life.look(at: at(9)) == nil)
        #expect(life.look(at: at(10)) == .cut)
        #expect(life.look(at: at(1_000)) == nil)
        var told = HTTP2Life(limits, at: at(0))
        #expect(told.leave(at: at(1)) == .cut, "who says nothing understands no GOAWAY")
    }

    @Test func isAskedWhetherItIsThere() {
        var life = open()
        #expect(life.look(at: at(59)) == nil)
        #expect(life.look(at: at(60)) == .ping)
        #expect(life.look(at: at(79)) == nil)
        life.read(at: at(79))
        #expect(life.look(at: at(80)) == nil)
        #expect(life.look(at: at(139)) == .ping)
        #expect(life.look(at: at(159)) == .cut)
    }

    @Test func isAskedEvenWhileItWaitsForAnAnswer() {
        var life = open()
        life.streamBegan()
        #expect(life.look(at: at(60)) == .ping)
        #expect(life.look(at: at(80)) == .cut)
    }

    @Test func isToldToGoWhenItIsIdle() {
        var life = open()
        life.streamBegan()
        for second in stride(from: Int64(50), through: 500, by: 50) { life.read(at: at(second)) }
        #expect(life.look(at: at(500)) == nil, "it has a request")
        #expect(life.streamEnded(at: at(500)) == nil)
        for second in stride(from: Int64(550), through: 790, by: 30) {
            life.read(at: at(second))
            #expect(life.look(at: at(second)) == nil)
        }
        #expect(life.look(at: at(800)) == .goAway)
        #expect(life.acknowledged(at: at(801)) == .closeOutput)
        #expect(life.look(at: at(805)) == nil)
        #expect(life.look(at: at(806)) == .cut, "it does not close its side")
    }

    @Test func finishesWhatItHasBegun() {
        var life = open()
        life.streamBegan()
        life.streamBegan()
        #expect(life.leave(at: at(1)) == .goAway)
        #expect(life.leave(at: at(1)) == nil, "once is enough")
        #expect(life.acknowledged(at: at(2)) == nil)
        #expect(life.streamEnded(at: at(3)) == nil)
        #expect(life.look(at: at(100_000)) == nil)
        #expect(life.streamEnded(at: at(100_001)) == .closeOutput)
    }

    @Test func waitsForTheAcknowledgementOfGoAway() {
        var life = open()
        #expect(life.leave(at: at(1)) == .goAway)
        life.streamBegan()
        #expect(life.streamEnded(at: at(2)) == nil, "more may be on the way")
        #expect(life.acknowledged(at: at(3)) == .closeOutput)
        var dead = open()
        #expect(dead.leave(at: at(1)) == .goAway)
        #expect(dead.look(at: at(20)) == nil)
        #expect(dead.look(at: at(21)) == .cut)
        #expect(dead.acknowledged(at: at(22)) == nil)
    }

    @Test func goesWhenItIsOld() {
        var limits = limits
        limits.http2.maxAge = .seconds(30)
        limits.http2.maxAgeGrace = .seconds(7)
        var life = HTTP2Life(limits, at: at(0))
        life.read(at: at(0))
        life.streamBegan()
        #expect(life.look(at: at(29)) == nil)
        #expect(life.look(at: at(30)) == .goAway)
        #expect(life.acknowledged(at: at(31)) == nil)
        #expect(life.look(at: at(36)) == nil)
        #expect(life.look(at: at(37)) == .cut)
    }
}
