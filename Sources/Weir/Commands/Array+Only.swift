import ArgumentParser

extension [String] {
    /// The value of an option that may be given once. Without this the last of several would count, and the others
    /// would be left out in silence.
    /// - Returns: nil where it was not given.
    func only(of option: String) throws -> String? {
        guard count < 2 else {
            throw ValidationError("found --\(option) \(count) times, wanted it once: the command is about one")
        }
        return first
    }
}
