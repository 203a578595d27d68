/// What a rule names: an attribute by its key, or what stands in its value, by the key and the names of members behind
/// it, with dots between. Elements of a list stand where their list does.
struct KeyPattern: Sendable {
    /// `.*.` that may stand for a list.
    static let maxSteps = 4

    private let pattern: GlobPattern
    /// The same, with one or more of `.*.` left out: below a list, no name stands there.
    private let shorter: [GlobPattern]
    /// It is about what stands below any attribute.
    private let isOfAny: Bool

    /// - Parameter isExact: `.*.` stands for a name, and never for a list.
    init(_ text: String, isExact: Bool = false) {
        pattern = GlobPattern(text)
        isOfAny = text.hasPrefix(".")
        shorter = isExact ? [] : Self.withoutSteps(text).map(GlobPattern.init)
    }

    /// Where `.*.` has its star.
    static func steps(in text: String) -> [Int] {
        let bytes = Array(text.utf8)
        let dot = UInt8(ascii: ".")
        return bytes.indices.dropFirst().dropLast().filter {
            bytes[$0] == UInt8(ascii: "*") && bytes[$0 - 1] == dot && bytes[$0 + 1] == dot
        }
    }

    private static func withoutSteps(_ text: String) -> [String] {
        let steps = Self.steps(in: text).prefix(maxSteps)
        let bytes = Array(text.utf8)
        return (1..<1 << steps.count).map { choice in
            let left = steps.enumerated().filter { choice >> $0.offset & 1 == 1 }
                .flatMap { [$0.element, $0.element + 1] }
            return String(decoding: bytes.indices.filter { !left.contains($0) }.map { bytes[$0] }, as: UTF8.self)
        }
    }

    // MARK: Matching

    /// The key of an attribute.
    func matches(_ key: UnsafeRawBufferPointer) -> Bool { pattern.matches(key) }

    /// - Parameters:
    ///   - path: of something that stands in the value of an attribute.
    ///   - below: where the names of members begin, with the dot in front.
    func matches(_ path: UnsafeRawBufferPointer, below: Int) -> Bool {
        let names = UnsafeRawBufferPointer(rebasing: path[below...])
        return pattern.matches(path) || pattern.matches(names)
            || shorter.contains { $0.matches(path) || $0.matches(names) }
    }

    /// Whether something can match that stands in the value of the attribute.
    func mayMatch(below key: UnsafeRawBufferPointer) -> Bool {
        guard !isOfAny else { return true }
        return (Array(key) + [UInt8(ascii: ".")]).withUnsafeBytes { key in
            pattern.mayMatch(beginningWith: key) || shorter.contains { $0.mayMatch(beginningWith: key) }
        }
    }
}
