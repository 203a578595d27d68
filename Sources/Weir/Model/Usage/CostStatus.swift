/// What became of the price of a span: `weir.cost.status`.
enum CostStatus: String, CaseIterable, Sendable {
    /// It is known to the pico-dollar.
    case priced
    /// Its model is in no list, or it does not say what it used. Never 0.
    case unpriced
    /// It sums up what the calls below it used, and costs nothing of its own.
    case aggregate
    /// Its counts contradict each other.
    case inconsistent

    /// Its place among ``allCases``.
    var index: Int {
        switch self {
        case .priced: 0
        case .unpriced: 1
        case .aggregate: 2
        case .inconsistent: 3
        }
    }

    var name: StaticString {
        switch self {
        case .priced: "priced"
        case .unpriced: "unpriced"
        case .aggregate: "aggregate"
        case .inconsistent: "inconsistent"
        }
    }
}
