/// A row of `spans`, whichever database it goes to. Texts and JSON stand in the ``HotRows`` that hold it.
struct SpanRow: BitwiseCopyable {
    /// The columns, in the order of the tables.
    static let columns = [
        "start_time", "start_ns", "duration_ns", "trace_id", "span_id", "parent_span_id", "resource_id", "scope_id",
        "journal", "sequence", "tenant_id", "flags", "dropped_attributes", "dropped_events", "dropped_links", "kind",
        "status", "operation", "clock_suspect", "service", "name", "status_message", "trace_state", "session_id",
        "conversation_id", "user_id", "call_id", "attributes", "events", "links", "adjusted_count",
    ]

    /// The start as OTLP has it, in nanoseconds since 1970.
    var startTime: UInt64
    /// The start inside the ``ClockWindow``, in microseconds since 1970: what the row is partitioned by.
    var clampedStart: Int64
    /// Nanoseconds; negative where the span ends before it starts, nil where it has no end.
    var duration: Int64?
    var traceIDHigh: UInt64
    var traceIDLow: UInt64
    var spanID: UInt64
    var parentSpanID: UInt64?
    var resourceID: Int64
    var scopeID: Int64
    /// The journal's record that brought the span.
    var sequence: UInt64
    /// Which of the record's spans it is.
    var place: Int32
    var tenantID: Int32
    var flags: UInt32
    var droppedAttributes: UInt32
    var droppedEvents: UInt32
    var droppedLinks: UInt32
    var kind: UInt8
    var status: UInt8
    var operation: OperationKind
    /// `clampedStart` is not the start, or the end is before the start or after the year 2262.
    var isClockSuspect: Bool
    var service: TextRef
    var name: TextRef
    var statusMessage: TextRef
    var traceState: TextRef
    var sessionID: TextRef
    var conversationID: TextRef
    var userID: TextRef
    var callID: TextRef
    /// A JSON object.
    var attributes: TextRef
    /// JSON arrays of objects; absent where there are none.
    var events: TextRef
    var links: TextRef
    /// How many spans it stands for; nil where nobody says.
    var adjustedCount: Double?
    /// Sampling left the span out: it is here for the usage of its call, and goes into no table itself.
    var isSampledOut = false

    var trace: TraceID { TraceID(high: traceIDHigh, low: traceIDLow) }

    var day: Day { Day(number: Int(clampedStart / Day.microseconds)) }
}
