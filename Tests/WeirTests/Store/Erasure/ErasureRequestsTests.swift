import Testing

@testable import Weir

@Suite(.hangLimit) struct ErasureRequestsTests {
    private func entry(_ kind: ErasureEntry.Kind, _ id: String) -> ErasureEntry {
        var entry = ErasureEntry(kind, id: id)
        (entry.tenant, entry.attribute) = ("default", "user.id")
        return entry
    }

    /// Going through all of them for each line would take longer than a test may.
    @Test func ofManyEachLineIsTheOneRequests() {
        let ids = (0..<100_000).map { "\($0)" }
        var requests = ErasureRequests(ids.map { entry(.request, $0) })
        for id in ids {
            requests.add(entry(.step, id))
            requests.add(entry(.complete, id))
        }
        #expect(requests.all.map(\.id) == ids)
        #expect(requests.all.allSatisfy { $0.completedAt != nil && $0.steps.count == 1 })
    }

    @Test func linesOfOthersAreNobodys() {
        let requests = ErasureRequests([
            entry(.hold, "a"), entry(.step, "a"), entry(.request, "a"), entry(.step, "b"), entry(.release, "a"),
            entry(.request, "a"), entry(.complete, "a"),
        ])
        #expect(requests.all.map { $0.completedAt != nil } == [true, false])
        #expect(requests.all.allSatisfy { $0.steps.isEmpty })
    }
}
