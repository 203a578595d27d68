import CLibraries
import Testing

@Suite struct FindTests {
    @Test func findsWhatALoopOverAllPlacesFinds() {
        var generator = SplitMix64(seed: 3)
        for count in 0...120 {
            for length in 1...8 {
                // Few letters, so that much looks like it and is not.
                let text = (0..<count).map { _ in UInt8.random(in: 97...98, using: &generator) }
                let word = (0..<length).map { _ in UInt8.random(in: 97...98, using: &generator) }
                let first = text.indices.first { text[$0...].starts(with: word) }
                #expect(weir_find(text, count, word, length) == first ?? -1)
            }
        }
    }

    @Test func findsAWordAtEachPlace() {
        let word = Array("weir1.".utf8)
        for place in 0...100 {
            var text = [UInt8](repeating: UInt8(ascii: "w"), count: 106)
            text.replaceSubrange(place..<place + 6, with: word)
            #expect(weir_find(text, text.count, word, 6) == place)
            #expect(weir_find(text, place + 5, word, 6) == -1, "not behind the end")
        }
    }
}
