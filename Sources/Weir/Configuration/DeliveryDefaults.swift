/// What an exporter wants of its delivery where the configuration says nothing, and what it cannot do.
struct DeliveryDefaults: Sendable {
    /// Zero is no limit.
    var timeout = Duration.seconds(30)
    var consumers = 1
    /// 1 for an exporter that relies on order, or whose `settled(through:)` is ever behind.
    var maxConsumers = 64
    /// Whether one record may be sent in parts. Not where the record is the key under which the destination knows what
    /// it has.
    var splitsRecords = true
    /// Whether an attempt may take long since it waits for what comes in a later batch. Then batches are read however
    /// many have overtaken it.
    var waitsForLater = false
    /// Spans of a batch.
    var maxSpans = 8_192
    var maxBytes = ByteCount.mebibytes(4)
}
