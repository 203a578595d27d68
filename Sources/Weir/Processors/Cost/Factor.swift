/// How many times as much, exactly.
struct Factor: Equatable {
    static let one = Factor(millionths: RateChange.one)

    let millionths: Int64
}

extension Factor {
    /// - Parameter text: a number that is not negative, with at most six decimals.
    init(parsing text: String) throws(ConfigError) {
        do throws(ConfigError) {
            millionths = try Rates.parse(text)
        } catch {
            throw ConfigError(
                found: text.quotedForMessage, wanted: "a number with at most six decimals, such as 1.5")
        }
    }
}

extension Factor: CustomStringConvertible {
    /// As ``init(parsing:)`` reads it.
    var description: String {
        let (whole, rest) = millionths.quotientAndRemainder(dividingBy: RateChange.one)
        guard rest > 0 else { return "\(whole)" }
        var digits = String(rest + RateChange.one).dropFirst()
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(whole).\(digits)"
    }
}
