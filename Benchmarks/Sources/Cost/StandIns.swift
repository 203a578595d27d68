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

/// Counts in arrays what Weir counts in atomics of its own.
final class CostTelemetry {
    private var statuses = [Int](repeating: 0, count: CostStatus.allCases.count)
    private var counts: [String: Int] = [:]

    init(_ context: Context) {}

    func add(_ status: CostStatus) { statuses[CostStatus.allCases.firstIndex(of: status) ?? 0] += 1 }
    func add(_ price: ModelPrice, _ usage: Usage, _ cost: Cost) { counts[price.id, default: 0] += 1 }
    func addUnpriced(_ model: String) { counts[model, default: 0] += 1 }
}
