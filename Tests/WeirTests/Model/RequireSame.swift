import Testing

@testable import Weir

/// Fails with the first place where two traces differ, and with the seed that made them.
func requireSame(
    _ found: Trace, _ wanted: Trace, seed: UInt64 = 0, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    guard found != wanted else { return }
    let place = difference(found, wanted, at: "trace") ?? "nowhere"
    Issue.record("seed \(seed): \(place)", sourceLocation: sourceLocation)
    throw Difference()
}

private struct Difference: Error {}

private func difference(_ found: Any, _ wanted: Any, at path: String) -> String? {
    let (left, right) = (Mirror(reflecting: found), Mirror(reflecting: wanted))
    let isLeaf = left.children.isEmpty || left.children.count != right.children.count || found is [UInt8]
    guard !isLeaf else {
        let same = String(describing: found) == String(describing: wanted)
        return same ? nil : "\(path): found \(found), wanted \(wanted)"
    }
    for (index, (one, other)) in zip(left.children, right.children).enumerated() {
        let step = one.label.map { ".\($0)" } ?? "[\(index)]"
        if let place = difference(one.value, other.value, at: path + step) { return place }
    }
    return nil
}
