import Testing

@testable import Weir

/// Whether all was met that another processor wants encrypted.
@Suite struct EncryptedPathsTests {
    /// The same, path by path.
    private func left(_ paths: Set<String>, without met: [String]) -> Set<String> {
        paths.filter { path in !met.contains { path == $0 || path.hasPrefix("\($0).") } }
    }

    @Test func aPathIsMetWithAllThatStandsBelowIt() {
        // What stands before and behind a dot in the order of bytes.
        let letters = ["a", "b", ".", ".", "-", "/"]
        var random = SplitMix64(seed: 17)
        var metByOuter = 0
        func path() -> String {
            let count = Int.random(in: 1...8, using: &random)
            return (0..<count).map { _ in letters.randomElement(using: &random) ?? "" }.joined()
        }
        for round in 0..<2_000 {
            // Some are alike for longer than what is compared at once.
            let start = (round % 2 == 0 ? "" : "app.a.long.way.down.") + path()
            let paths = Set((0..<Int.random(in: 0...5, using: &random)).map { _ in start + path() })
            var members = EncryptedMembers()
            members.begin(attribute: Set(paths.map { Array($0.utf8) }))
            var met: [String] = []
            for _ in 0..<20 {
                let isComplete = left(paths, without: met).isEmpty
                #expect(members.isComplete == isComplete, "\(paths), \(met)")
                if isComplete, !paths.isSubset(of: met) { metByOuter += 1 }
                let end = (paths.sorted().randomElement(using: &random) ?? path()) + path()
                met.append(String(end.prefix(Int.random(in: 1...end.count, using: &random))))
                members.meet(Array((met.last ?? "").utf8))
            }
            for path in paths.sorted().shuffled(using: &random) { members.meet(Array(path.utf8)) }
            #expect(members.isComplete, "\(paths)")
        }
        #expect(metByOuter > 1_000)
    }

    @Test func veryManyLongPathsAreMetWithoutALookAtAllOfThem() {
        let start = "app." + String(repeating: "n", count: 3_900)
        let paths = (0..<1_000).map { Array("\(start).a\($0).ssn".utf8) }
        for _ in 0..<3 {
            var members = EncryptedMembers()
            members.begin(attribute: Set(paths))
            for path in paths { members.meet(path) }
            #expect(members.isComplete)
        }
    }
}
