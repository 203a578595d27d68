/// Who says what a call cost; the column `cost_source`.
enum CostSource: String, CaseIterable, Sendable {
    /// The price list, by way of the processor `cost`, of what the span says was used.
    case table
    /// The sender, who passes on what the provider or its library said.
    case provider
    /// The price list, of what the processor `cost` took to be used, since the span does not say it.
    case estimate

    var name: StaticString {
        switch self {
        case .table: "table"
        case .provider: "provider"
        case .estimate: "estimate"
        }
    }
}
