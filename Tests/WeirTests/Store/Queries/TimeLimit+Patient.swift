@testable import Weir

extension TimeLimit {
    /// For a machine that is busy with two thousand other tests.
    static let patient = TimeLimit(duration: .seconds(300))
}
