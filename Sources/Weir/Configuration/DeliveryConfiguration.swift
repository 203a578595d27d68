/// What happens to an exporter's share when its journal is full.
enum FullPolicy: String, Sendable, CaseIterable {
    /// New batches are refused until the exporter has caught up.
    case refuse
    /// The exporter's oldest records are skipped, counted and reported.
    case skip
}

/// The keys that every exporter has, because they say how it is delivered to. `docs/delivery.md` explains them.
struct DeliveryConfiguration: Sendable {
    let onFull: FullPolicy
    /// What one attempt may take; zero is no limit.
    let timeout: Duration
    let retry: RetryConfiguration
    let queue: SendingQueueConfiguration
    /// Whether one record may be sent in parts.
    let splitsRecords: Bool
    /// See ``DeliveryDefaults/waitsForLater``.
    let waitsForLater: Bool
    /// Attributes that are decrypted for the exporter.
    let reveal: [KeyPattern]
    /// The keystore that has their keys; nil where nothing is decrypted.
    let revealKeystore: ComponentID?

    init(_ fields: inout Fields, defaults: DeliveryDefaults) {
        timeout = fields.duration(
            "timeout", default: defaults.timeout, in: .zero ... .seconds(3_600),
            "What one attempt may take before it is cancelled and counts as failed; 0s is no limit.")
        retry = fields.section(
            "retry_on_failure", "When a batch that the destination did not take is sent again.",
            RetryConfiguration.init)
        queue = fields.section("sending_queue", "What is sent together and side by side.") {
            SendingQueueConfiguration(&$0, defaults: defaults)
        }
        let isRequired = fields.bool(
            "required", default: true,
            "Whether the journal keeps spans until this exporter has them; false means on_full: skip.")
        onFull = fields.choice(
            "on_full", default: isRequired ? FullPolicy.refuse : .skip,
            "What happens when the journal is full because this exporter is behind: refuse new spans, or "
                + "skip its oldest.")
        splitsRecords = defaults.splitsRecords
        waitsForLater = defaults.waitsForLater
        let patterns = fields.strings(
            "reveal", default: [], count: 0...1000,
            "Encrypted attributes, or paths below them, that the exporter gets in clear; * stands for any text, "
                + "status.message for messages.")
        reveal = patterns.map { fields.keyPattern($0, "reveal") }
        revealKeystore = fields.optionalExtensionID(
            "keystore", .keystore, isWanted: !patterns.isEmpty, "The extension that has the keys of what is revealed.")
        if !isRequired, onFull == .refuse {
            fields.reject("on_full", "found refuse where required is false, wanted skip")
        }
    }
}
