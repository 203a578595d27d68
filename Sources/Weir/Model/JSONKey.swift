/// A key of an object. Points into the batch.
struct JSONKey {
    let base: UnsafePointer<UInt8>
    let count: Int

    /// Short names are compared eight bytes at a time; behind both stand bytes that may be read.
    @inline(__always)
    func equals(_ name: StaticString) -> Bool {
        guard count == name.utf8CodeUnitCount else { return false }
        var index = 0
        while index &+ 8 <= count {
            if loadLittle64(base + index) != loadLittle64(name.utf8Start + index) { return false }
            index &+= 8
        }
        while index < count {
            if base[index] != name.utf8Start[index] { return false }
            index &+= 1
        }
        return true
    }

    /// Whether this is a field of OTLP by its name in protobuf. "The original field names … are not valid" in
    /// OTLP/JSON, so it is not a field that Weir does not know, and ignoring it would lose what it holds.
    var isOriginalName: Bool {
        var hasUnderscore = false
        for index in 0..<count where base[index] == UInt8(ascii: "_") { hasUnderscore = true }
        return hasUnderscore && JSONKey.originalNames.contains { equals($0) }
    }

    private static let originalNames: [StaticString] = [
        "resource_spans", "scope_spans", "schema_url", "entity_refs", "id_keys", "description_keys", "trace_id",
        "span_id",
        "parent_span_id", "trace_state", "start_time_unix_nano", "end_time_unix_nano", "time_unix_nano",
        "dropped_attributes_count", "dropped_events_count", "dropped_links_count", "string_value", "bool_value",
        "int_value",
        "double_value", "array_value", "kvlist_value", "bytes_value",
    ]
}
