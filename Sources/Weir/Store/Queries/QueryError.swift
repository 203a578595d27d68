/// Why there is no answer.
enum QueryError: Error, Equatable, CustomStringConvertible {
    /// The question is wrong: what was found and what was wanted.
    case invalid(String)
    /// More than the store is willing to collect for one answer.
    case tooMuch(String)
    /// Its rows have more bytes than whoever asks has room for.
    case tooLarge(ByteCount)
    case timedOut(Duration)
    /// The database cannot be asked now.
    case unavailable(String)
    /// The database answered with something that Weir does not write.
    case unreadable(String)

    var description: String {
        switch self {
        case .invalid(let reason), .tooMuch(let reason), .unavailable(let reason): reason
        case .tooLarge(let limit): "the answer has more than \(limit), wanted a smaller limit"
        case .timedOut(let limit):
            "found no answer in \(limit.text), wanted a shorter window, more conditions or a longer time-out"
        case .unreadable(let reason): "the database answered with \(reason)"
        }
    }
}
