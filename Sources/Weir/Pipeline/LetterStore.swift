/// Keeps what a destination did not take, on disk. Each verb returns when a power cut cannot undo it; after an error it
/// has changed nothing.
protocol LetterStore: Sendable {
    /// Spans that an earlier process has set aside, by tenant.
    var parkedAtStart: [String: Int] { get }
    /// Puts what nobody tries again, until somebody replays it, into the dead letters: all of it, or nothing.
    func bury(_ letters: [Letter]) async throws(LetterError)
    /// Sets records of one tenant aside, behind those that are.
    func park(_ letters: [Letter], of tenant: String) async throws(LetterError)
    /// The oldest records of one tenant that are set aside. They stay so until they are forgotten.
    func parked(of tenant: String, maxSpans: Int, maxBytes: Int) async throws(LetterError) -> [KeptRecord]
    /// The oldest `count` of them are somebody else's.
    func forget(_ count: Int, of tenant: String) async throws(LetterError)
}

/// Why letters cannot be kept or had.
struct LetterError: Error, Equatable, CustomStringConvertible {
    let description: String
    /// There are as many as there may be of one tenant, or, of those that are set aside, of all.
    let isLimit: Bool

    init(_ description: String, isLimit: Bool = false) {
        self.description = description
        self.isLimit = isLimit
    }
}
