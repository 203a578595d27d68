@testable import Weir

extension DeliveryConfiguration {
    /// What these keys of an exporter say. Without a key it waits for nothing that a test does not ask for.
    ///
    /// - Parameters:
    ///   - retry: keys of `retry_on_failure`.
    ///   - queue: keys of `sending_queue`, but for `batch`.
    ///   - batch: keys of that.
    init(
        _ keys: String = "", retry: String = "initial_interval: 1ms, max_interval: 2ms", queue: String = "",
        batch: String = "flush_timeout: 1ms", defaults: DeliveryDefaults = DeliveryDefaults()
    ) {
        let queue = "{ batch: { \(batch) }, \(queue) }"
        let yaml = "{ retry_on_failure: { \(retry) }, sending_queue: \(queue), \(keys) }"
        var reader = YAMLReader(file: "f", environment: [:])
        let root = reader.read(yaml)
        var top = Fields([], file: "f")
        self = top.descend(into: root, path: "") { DeliveryConfiguration(&$0, defaults: defaults) }.value
        let problems = (reader.diagnostics.entries + top.diagnostics.entries).map(\.description)
        precondition(problems.isEmpty, problems.joined(separator: "; "))
    }
}
