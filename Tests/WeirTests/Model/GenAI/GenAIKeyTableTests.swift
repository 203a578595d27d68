import Testing

@testable import Weir

struct GenAIKeyTableTests {
    private func found(_ key: String) -> GenAIKeyTable.Entry? {
        Array(key.utf8).withUnsafeBytes { GenAIKeyTable.shared.entry(of: $0) }
    }

    @Test func everyKeyIsFoundWithItsRank() {
        for attribute in GenAIAttribute.allCases {
            for (rank, key) in attribute.keys.enumerated() {
                let entry = found(key)
                #expect(entry?.attribute == attribute && entry?.rank == UInt8(rank), "\(key)")
            }
        }
    }

    @Test func nothingElseIs() {
        var others = ["", "x", "weir", String(repeating: "gen_ai.usage.input_tokens", count: 100)]
        for key in GenAIAttribute.allCases.flatMap(\.keys) {
            others += [key + "x", "x" + key, String(key.dropLast()), String(key.dropFirst()), key.uppercased()]
            let middle = key.index(key.startIndex, offsetBy: key.count / 2)
            others.append(key[..<middle] + "~" + key[key.index(after: middle)...])
        }
        let known = Set(GenAIAttribute.allCases.flatMap(\.keys))
        for key in others where !known.contains(key) { #expect(found(key) == nil, "\(key)") }
    }
}
