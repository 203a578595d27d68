/// How long each row of a series stands for.
enum TimeStep {
    static func check(_ step: Duration, wholes: Duration) throws(QueryError) {
        guard step >= wholes, step / wholes == (step / wholes).rounded() else {
            throw .invalid("found step \(step.text), wanted a multiple of \(wholes.text)")
        }
    }

    /// The start of the step that a time lies in, in microseconds since 1970; 0 without steps.
    static func start(of step: Duration?, _ column: SQLText, _ dialect: SQLDialect) -> SQLText {
        guard let step else { return "0" }
        let length = SQLValue.integer(Int64(step / .microseconds(1)))
        return "\(dialect.microseconds(column)) / \(length) * \(length)"
    }
}
