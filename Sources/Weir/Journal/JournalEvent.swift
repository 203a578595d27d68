/// What a journal has to say, for the log, the metrics and `/healthz`.
enum JournalEvent: Sendable {
    case gap(JournalGap)
    /// A write that never ended was cut off at the start. Nobody had been told that it had.
    case torn
    /// Bytes that are not what was written were copied to this file.
    case quarantined(file: String, bytes: Int)
    /// A group of records is durable, so many after they were taken from the queue.
    case committed(records: Int, bytes: Int, after: Duration)
    /// Nothing can be written; what is there is delivered.
    case failed(DiskError)
    /// The same, and by now for another reason.
    case failsStill(DiskError)
    /// Writing works again.
    case recovered
    /// Something that can wait did not work.
    case trouble(DiskError)
    /// Some records are encrypted and no keystore is configured: they stay.
    case sealed
    /// The key of a record is away, and a reader waits for it. Said again each time that it was looked for.
    case awaitsKey(AwaitedKey)
    /// It is there, or nobody waits for it any more.
    case awaitsNoMore(AwaitedKey)
    /// An exporter whose cursor was found and that is not configured any more: its records are not kept for it.
    case leftBehind(exporter: String, spans: Int)
}
