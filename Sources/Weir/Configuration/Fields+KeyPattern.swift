extension Fields {
    /// Records where the pattern has more `.*.` than can be told apart.
    /// - Parameter key: where it stands.
    mutating func keyPattern(_ text: String, _ key: String, isExact: Bool = false) -> KeyPattern {
        let steps = KeyPattern.steps(in: text).count
        if steps > KeyPattern.maxSteps {
            reject(
                key, "found \(text.quotedForMessage) with \(steps) times .*., wanted at most \(KeyPattern.maxSteps)")
        }
        return KeyPattern(text, isExact: isExact)
    }
}
