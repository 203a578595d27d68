/// Whose spans are erased, and are not to be stored again.
struct ErasedSubjects: Sendable {
    /// Those of a tenant that are named by the same attributes.
    struct Group: Sendable {
        let tenant: String
        let family: SubjectFamily
        let hash: SubjectHash
        /// Of what spans call them.
        var names: Set<[UInt8]> = []
        /// Traces that they have spans in.
        var traces: Set<TraceID> = []
        /// Of their data keys: what one of these makes a name unreadable with is a name of theirs.
        var keys: Set<UInt64> = []
    }

    /// By tenant.
    private(set) var groups: [String: [Group]] = [:]

    var isEmpty: Bool { groups.isEmpty }
    var all: [Group] { groups.values.flatMap(\.self) }

    func has(_ tenant: String) -> Bool { groups[tenant] != nil }

    mutating func add(_ group: Group) {
        if let index = groups[group.tenant]?.firstIndex(where: { $0.family == group.family }) {
            groups[group.tenant]?[index].names.formUnion(group.names)
            groups[group.tenant]?[index].traces.formUnion(group.traces)
            groups[group.tenant]?[index].keys.formUnion(group.keys)
        } else {
            groups[group.tenant, default: []].append(group)
        }
    }
}
