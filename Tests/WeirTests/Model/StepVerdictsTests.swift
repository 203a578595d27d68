import Testing

@testable import Weir

struct StepVerdictsTests {
    /// A request can have a million elements below one long name.
    @Test func aStepIsDecidedAboutOnceHoweverMuchStandsBelowIt() {
        var asked: [String] = []
        Array("a".utf8).withUnsafeBytes { key in
            var place = MemberPlace(key)
            var verdicts = StepVerdicts()
            let outer = place.mark
            enter("x", &place)
            let list = place.mark
            for index in 0..<100 {
                place.enter(element: index)
                #expect(!isWanted(place, &verdicts, &asked))
                // Every other element is a map.
                if index % 2 == 0 {
                    enter("y", &place)
                    #expect(isWanted(place, &verdicts, &asked))
                    enter("z", &place)
                    #expect(isWanted(place, &verdicts, &asked))
                }
                place.goBack(to: list)
            }
            // The attribute and the list once, and each map's members.
            #expect(asked.count == 2 + 2 * 50 && asked.prefix(4) == ["a", "a.x", "a.x.y", "a.x.y.z"])
            // Another member of the same name is another.
            place.goBack(to: outer)
            enter("x", &place)
            #expect(!isWanted(place, &verdicts, &asked))
            #expect(asked.count == 2 + 2 * 50 + 1)
        }
    }

    private func enter(_ name: String, _ place: inout MemberPlace) {
        Array(name.utf8).withUnsafeBytes { place.enter($0) }
    }

    /// Members called y are, with what stands in them.
    private func isWanted(
        _ place: borrowing MemberPlace, _ verdicts: inout StepVerdicts, _ asked: inout [String]
    ) -> Bool {
        verdicts.last(of: place) { place, step, isOuterWanted in
            asked.append(String(decoding: place.path[..<place.steps[step].end], as: UTF8.self))
            return isOuterWanted || place.path.last == UInt8(ascii: "y")
        }
    }
}
