import Testing

@testable import Weir

@Suite struct ArchiveRotationTests {
    private let limits = ArchiveRotation.Limits(age: .seconds(60), size: 1_000, files: 3)

    @Test func keepsAFileOpenUntilTheNextBytesWouldMakeItTooLarge() {
        var rotation = ArchiveRotation(limits)
        #expect(rotation.write(partition: a, bytes: 600, at: second(0)) == [.open(a)])
        #expect(rotation.write(partition: a, bytes: 400, at: second(1)) == [])
        #expect(rotation.write(partition: a, bytes: 1, at: second(2)) == [.close(a), .open(a)])
    }

    @Test func givesAMessageThatIsTooLargeAFileOfItsOwn() {
        var rotation = ArchiveRotation(limits)
        #expect(rotation.write(partition: a, bytes: 5_000, at: second(0)) == [.open(a)])
        #expect(rotation.write(partition: a, bytes: 5_000, at: second(0)) == [.close(a), .open(a)])
    }

    @Test func closesByAge() {
        var rotation = ArchiveRotation(limits)
        _ = rotation.write(partition: a, bytes: 1, at: second(0))
        _ = rotation.write(partition: b, bytes: 1, at: second(30))
        #expect(rotation.tick(at: second(59)) == [])
        #expect(rotation.tick(at: second(60)) == [.close(a)])
        #expect(rotation.tick(at: second(61)) == [])
        #expect(rotation.write(partition: b, bytes: 1, at: second(90)) == [.close(b), .open(b)])
    }

    @Test func evictsTheFileThatWasNotWrittenForLongest() {
        var rotation = ArchiveRotation(limits)
        for partition in [a, b, c, a] { _ = rotation.write(partition: partition, bytes: 1, at: second(0)) }
        #expect(rotation.write(partition: d, bytes: 1, at: second(0)) == [.evict(b), .open(d)])
        #expect(rotation.openCount == 3)
    }

    @Test func closesEverythingAtTheEnd() {
        var rotation = ArchiveRotation(limits)
        for partition in [c, a, b] { _ = rotation.write(partition: partition, bytes: 1, at: second(0)) }
        #expect(rotation.finish() == [.close(c), .close(a), .close(b)])
        #expect(rotation.finish() == [])
    }

    @Test func takesBytesBack() {
        var rotation = ArchiveRotation(limits)
        _ = rotation.write(partition: a, bytes: 500, at: second(0))
        _ = rotation.write(partition: a, bytes: 500, at: second(0))
        rotation.undo(partition: a, bytes: 500)
        #expect(rotation.write(partition: a, bytes: 500, at: second(0)) == [])
    }

    @Test func opensALostFileAnew() {
        var rotation = ArchiveRotation(limits)
        _ = rotation.write(partition: a, bytes: 1, at: second(0))
        rotation.lose(partition: a)
        #expect(rotation.openCount == 0)
        #expect(rotation.write(partition: a, bytes: 1, at: second(0)) == [.open(a)])
    }

    @Test func countsTheAgeAnewAfterTheClockWasSetBack() {
        var rotation = ArchiveRotation(limits)
        _ = rotation.write(partition: a, bytes: 1, at: second(1_000_000))
        #expect(rotation.tick(at: second(10)) == [])
        #expect(rotation.tick(at: second(69)) == [])
        #expect(rotation.tick(at: second(70)) == [.close(a)])
    }

    @Test(arguments: [UInt64.random(in: 0 ... .max), 1, 2, 3])
    func keepsItsLimitsWhateverComes(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var rotation = ArchiveRotation(limits)
        var model: [ArchivePartition: (openedAt: UInt64, size: Int)] = [:]
        var now: UInt64 = 0
        func carryOut(_ actions: [ArchiveRotation.Action]) {
            for action in actions {
                switch action {
                case .open(let partition):
                    #expect(model[partition] == nil, "seed \(seed): opened twice")
                    model[partition] = (now, 0)
                case .close(let partition), .evict(let partition):
                    #expect(model.removeValue(forKey: partition) != nil, "seed \(seed): closed what was not open")
                }
                #expect(model.count <= limits.files, "seed \(seed): too many files")
            }
        }
        for _ in 0..<5_000 {
            now += UInt64.random(in: 0...10, using: &random)
            if Int.random(in: 0..<4, using: &random) == 0 {
                carryOut(rotation.tick(at: second(now)))
                #expect(model.values.allSatisfy { now - $0.openedAt < 60 }, "seed \(seed): too old")
                continue
            }
            let partition = [a, b, c, d, e].randomElement(using: &random) ?? a
            let bytes = Int.random(in: 1...400, using: &random)
            carryOut(rotation.write(partition: partition, bytes: bytes, at: second(now)))
            model[partition]?.size += bytes
            #expect((model[partition]?.size).map { $0 <= limits.size } == true, "seed \(seed): too large, or not open")
            #expect(rotation.openCount == model.count, "seed \(seed)")
        }
        carryOut(rotation.finish())
        #expect(model.isEmpty, "seed \(seed): left open")
    }

    private let a = ArchivePartition(tenant: "a", hour: 1)
    private let b = ArchivePartition(tenant: "b", hour: 1)
    private let c = ArchivePartition(tenant: "c", hour: 1)
    private let d = ArchivePartition(tenant: "a", hour: 2)
    private let e = ArchivePartition(tenant: "a", hour: 3)

    private func second(_ number: UInt64) -> Timestamp {
        Timestamp(nanoseconds: number * 1_000_000_000)
    }
}
