@testable import Weir

extension RegularExpression {
    /// The groups of one text, of which nothing else is asked.
    func groups(in subject: UnsafeRawBufferPointer) -> [(name: String, range: Range<Int>)] {
        var budget = MatchBudget()
        return groups(in: subject, within: &budget)
    }
}
