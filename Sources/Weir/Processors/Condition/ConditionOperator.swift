/// What stands between a field and a literal.
enum ConditionOperator: String, CaseIterable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case matches = "=~"
    case doesNotMatch = "!~"
    case isOneOf = "in"
    case contains = "contains"
    case startsWith = "starts_with"
    case endsWith = "ends_with"

    var order: ValueTest.Order? {
        switch self {
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .greater: .greater
        case .greaterOrEqual: .greaterOrEqual
        default: nil
        }
    }
}

extension ConditionField.ValueType {
    /// Those that make sense for a value of this type.
    var operators: [ConditionOperator] {
        switch self {
        case .text, .any: ConditionOperator.allCases
        case .word, .identifier: [.equal, .notEqual, .isOneOf]
        case .duration: [.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .isOneOf]
        case .bool: [.equal, .notEqual]
        }
    }
}
