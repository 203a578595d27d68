@testable import Weir

/// A random condition that knows, without the parser and the evaluator, how it is written and whether it holds for
/// ``SpanFixture/sample``.
indirect enum ConditionSample {
    case comparison(text: String, holds: Bool)
    case not(ConditionSample)
    case and(ConditionSample, ConditionSample)
    case or(ConditionSample, ConditionSample)

    init(depth: Int, using random: inout SplitMix64) {
        guard depth > 0, Int.random(in: 0..<5, using: &random) > 0 else {
            self = Self.randomComparison(using: &random)
            return
        }
        let left = ConditionSample(depth: depth - 1, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: self = .not(left)
        case 1: self = .and(left, ConditionSample(depth: depth - 1, using: &random))
        default: self = .or(left, ConditionSample(depth: depth - 1, using: &random))
        }
    }

    var holds: Bool {
        switch self {
        case .comparison(_, let holds): holds
        case .not(let negated): !negated.holds
        case .and(let left, let right): left.holds && right.holds
        case .or(let left, let right): left.holds || right.holds
        }
    }

    /// With no more parentheses than are needed, the signs and spaces at random.
    func text(using random: inout SplitMix64) -> String {
        switch self {
        case .comparison(let text, _): return text
        case .not(let negated):
            let sign = Bool.random(using: &random) ? "not " : "! "
            return sign + negated.text(inside: 3, using: &random)
        case .and(let left, let right):
            let sign = Bool.random(using: &random) ? " and " : "&&"
            return left.text(inside: 2, using: &random) + sign + right.text(inside: 2, using: &random)
        case .or(let left, let right):
            let sign = Bool.random(using: &random) ? "\n or " : " || "
            return left.text(inside: 1, using: &random) + sign + right.text(inside: 1, using: &random)
        }
    }

    private var strength: Int {
        switch self {
        case .comparison: 4
        case .not: 3
        case .and: 2
        case .or: 1
        }
    }

    private func text(inside strength: Int, using random: inout SplitMix64) -> String {
        let text = text(using: &random)
        return self.strength < strength || Int.random(in: 0..<8, using: &random) == 0 ? "(\(text))" : text
    }

    /// `int` is 5 and `text` is "abc" in the sample; `none` is missing.
    private static func randomComparison(using random: inout SplitMix64) -> ConditionSample {
        let number = Int.random(in: 3...7, using: &random)
        let word = ["", "a", "abb", "abc", "abcd", "b", "c"].randomElement(using: &random) ?? ""
        let orders: [(String, (Int, Int) -> Bool, (String, String) -> Bool)] = [
            ("==", { $0 == $1 }, { $0 == $1 }), ("!=", { $0 != $1 }, { $0 != $1 }), ("<", { $0 < $1 }, { $0 < $1 }),
            ("<=", { $0 <= $1 }, { $0 <= $1 }), (">", { $0 > $1 }, { $0 > $1 }), (">=", { $0 >= $1 }, { $0 >= $1 }),
        ]
        let (sign, ofNumbers, ofTexts) = orders[Int.random(in: 0..<orders.count, using: &random)]
        let suffix = Bool.random(using: &random) ? ".0" : ""
        return [
            comparison(text: "attributes[\"int\"] \(sign) \(number)\(suffix)", holds: ofNumbers(5, number)),
            comparison(text: "attributes['text']\(sign)'\(word)'", holds: ofTexts("abc", word)),
            comparison(text: "attributes['none'] \(sign) \(number)", holds: sign == "!="),
            comparison(text: "attributes['text'] \(sign) \(number)", holds: sign == "!="),
            comparison(text: "duration \(sign) \(number * 100)ms", holds: ofNumbers(5, number)),
            comparison(text: "attributes[\"text\"] starts_with \"\(word)\"", holds: "abc".hasPrefix(word)),
            comparison(text: "attributes[\"text\"] ends_with \"\(word)\"", holds: "abc".hasSuffix(word)),
            comparison(text: "attributes['text'] in ['x', \(number), '\(word)']", holds: word == "abc"),
            comparison(text: "attributes['int'] in ['5', nil, \(number)]", holds: number == 5),
            comparison(text: "attributes['text'] =~ '^\(word)$'", holds: word == "abc"),
            comparison(text: "is_root", holds: false),
            comparison(text: "attributes['true']", holds: true),
            comparison(text: "true", holds: true),
        ][Int.random(in: 0..<13, using: &random)]
    }
}
