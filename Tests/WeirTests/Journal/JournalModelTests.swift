import Testing

@testable import Weir

extension JournalSimulation {
    @Suite struct JournalModelTests {
        /// Everything that is kept is given to each exporter, or it is told that it does not get it; whatever the disk
        /// does.
        @Test(arguments: 0..<8)
        func aJournalHoldsWhatItShould(part: Int) async throws {
            let count: UInt64 = Torture.isOn ? 2_500 : 80
            for seed in UInt64(part) * count..<UInt64(part + 1) * count {
                var model = try JournalModel(seed: seed)
                for _ in 0..<80 { try model.step() }
                try model.finish()
                await Task.yield()
            }
        }
    }
}
