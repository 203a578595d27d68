// What the processor is given by the parts of Weir that read a configuration and count, as small as it can be.

struct ConfigError: Error {
    init(found: String, wanted: String) {}
}

extension String {
    var quotedForMessage: String { self }
}

struct Context {}

protocol Processor {
    associatedtype Configuration
    static var type: String { get }
    static var help: String { get }
    mutating func process(_ batch: inout Batch)
}

struct CostConfiguration {
    let table: PriceTable
    var mappings: [AttributeMapping] = []
    var estimates = false
    var alsoWrites: Set<OtherCostNames> = []
}

struct AttributeMapping {
    func apply(to index: Int, of batch: inout Batch) {}
}

struct PriceFile {
    let models: [ModelPrice]
}

struct CostTelemetry {
    private let statuses = CostStatus.allCases.map { _ in Counter() }
    private var counts: [String: Int] = [:]

    init(_ context: Context) {}

    func add(_ status: CostStatus) { statuses[status.index].add() }
    func counters(of price: ModelPrice) -> Counters { Counters() }
    mutating func addUnpriced(_ model: String) { counts[model, default: 0] += 1 }

    struct Counters: Sendable {
        private let input = Counter()
        private let output = Counter()
        private let cacheRead = Counter()
        private let nanodollars = Counter()

        func add(_ usage: Usage, _ cost: Cost) {
            input.add(Int(usage.inputTokens))
            output.add(Int(usage.outputTokens))
            cacheRead.add(Int(usage[.cacheRead]))
            nanodollars.add(Int(cost.total / 1_000))
        }
    }
}
