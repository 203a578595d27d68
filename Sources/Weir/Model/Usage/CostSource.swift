/// Who says what a call cost; the column `llm_usage.cost_source`.
enum CostSource: Sendable {
    /// The price list, by way of the processor `cost`.
    case table
    /// The sender.
    case span

    var name: StaticString {
        switch self {
        case .table: "table"
        case .span: "span"
        }
    }
}
