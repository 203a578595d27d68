// What the processor is given by the parts of Weir that read a configuration and count, as small as it can be.

struct ConfigError: Error {}

struct RegularExpression {
    func matches(_ text: UnsafeRawBufferPointer, within budget: inout MatchBudget) -> Bool { false }
}

/// Conditions are made, not read.
struct ConditionParser {
    init(_ text: String) throws(ConfigError) { throw ConfigError() }
    mutating func parse() throws(ConfigError) -> ConditionExpression { throw ConfigError() }
}

struct ComponentID: CustomStringConvertible {
    let description: String
}

struct Counter {
    func add(_ count: Int) {}
}

struct Metrics {
    func counter(_ name: String, help: String, labels: [String: String]) -> Counter { Counter() }
}

struct Context {
    let id = ComponentID(description: "sampling")
    let metrics = Metrics()
    let bursts = Bursts()
}

/// There is none.
struct Bursts {
    func register(_ id: ComponentID, rules: [String]) {}
    func lease(of id: ComponentID, bytes: Int, at now: Timestamp) -> Burst.Lease? { nil }
    func end(_ lease: Burst.Lease) {}
}

enum Burst {
    struct Lease {
        let id = ""
        func isFor(_ rule: String) -> Bool { false }
        mutating func take(_ bytes: Int, for rule: String) -> Bool { false }
    }
}

protocol Processor {
    associatedtype Configuration
    static var type: String { get }
    static var help: String { get }
    mutating func process(_ batch: inout Batch)
}

struct SamplingConfiguration {
    let rules: [SamplingRule]
    let hashSeed: UInt32 = 0
}

struct SamplingRule {
    let name: String
    let condition: Condition?
    let threshold: SamplingThreshold
    let key: AttributeKey?

    init(_ name: String, _ condition: ConditionExpression?, _ probability: Double, key: String? = nil) {
        self.name = name
        self.condition = condition.map { Condition($0) }
        threshold = SamplingThreshold(probability: probability)
        self.key = key.map { AttributeKey($0) }
    }
}
