extension BinaryInteger {
    /// `1 span`, `2 spans`.
    func of(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
