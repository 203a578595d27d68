/// What was found and done since it was last emptied.
struct RedactionTally: ~Copyable {
    /// Why a value was masked without being looked through.
    enum Failure: Int, Error, CaseIterable, Sendable {
        case depth, time, match, findings, keys
    }

    private static let kinds = 256
    private let actions: Int = RedactionAction.allCases.count

    /// By kind and action.
    let counts: UnsafeMutablePointer<Int>
    /// By the action of a key.
    private(set) var keys = [Int](repeating: 0, count: KeyAction.allCases.count)
    private(set) var failures = [Int](repeating: 0, count: Failure.allCases.count)
    private(set) var allowed = 0
    var unknownFields = 0
    /// Times that something was noted, ever.
    private(set) var noted = 0
    /// Findings in the present span, and their kinds.
    private(set) var inSpan = 0
    private(set) var kindsInSpan: Set<String> = []
    private let collectsKinds: Bool
    private let names: [String]
    private(set) var isEmpty = true

    init(_ policy: RedactionPolicy) {
        counts = .allocate(capacity: Self.kinds * RedactionAction.allCases.count)
        counts.initialize(repeating: 0, count: Self.kinds * RedactionAction.allCases.count)
        collectsKinds = policy.summary != .silent || policy.isDryRun
        names = (0..<UInt8(Detector.allCases.count)).map { policy.name(of: $0) }
    }

    deinit {
        counts.deallocate()
    }

    mutating func note(_ kind: UInt8, _ action: RedactionAction) {
        counts[Int(kind) * actions + Self.index(action)] += 1
        if collects() { kindsInSpan.insert(Int(kind) < names.count ? names[Int(kind)] : "rule") }
    }

    mutating func note(_ action: KeyAction, _ reason: KeyDecision.Reason) {
        keys[KeyAction.allCases.firstIndex(of: action) ?? 0] += 1
        if collects() { kindsInSpan.insert(reason.rawValue) }
    }

    mutating func note(_ failure: Failure) {
        failures[failure.rawValue] += 1
        if collects() { kindsInSpan.insert("limit") }
    }

    mutating func noteAllowed() {
        allowed += 1
        noted += 1
    }

    /// - Returns: what an allow-list let stay since this was asked last.
    mutating func takeAllowed() -> Int {
        defer { allowed = 0 }
        return allowed
    }

    /// - Returns: whether the kinds in the span are asked for.
    @inline(__always)
    private mutating func collects() -> Bool {
        noted += 1
        isEmpty = false
        if collectsKinds { inSpan += 1 }
        return collectsKinds
    }

    mutating func beginSpan() {
        guard inSpan > 0 else { return }
        inSpan = 0
        kindsInSpan.removeAll(keepingCapacity: true)
    }

    static func index(_ action: RedactionAction) -> Int {
        switch action {
        case .mask: 0
        case .partial: 1
        case .hash: 2
        case .dropValue: 3
        case .drop: 4
        }
    }

    /// Calls `add` with each count that is not zero, and empties them.
    mutating func drain(
        _ found: (_ kind: UInt8, _ action: RedactionAction, _ count: Int) -> Void,
        _ byKey: (_ action: KeyAction, _ count: Int) -> Void, _ failed: (_ failure: Failure, _ count: Int) -> Void
    ) {
        guard !isEmpty else { return }
        isEmpty = true
        for kind in 0..<Self.kinds {
            for action in RedactionAction.allCases where counts[kind * actions + Self.index(action)] > 0 {
                found(UInt8(kind), action, counts[kind * actions + Self.index(action)])
                counts[kind * actions + Self.index(action)] = 0
            }
        }
        for (index, action) in KeyAction.allCases.enumerated() where keys[index] > 0 {
            byKey(action, keys[index])
            keys[index] = 0
        }
        for failure in Failure.allCases where failures[failure.rawValue] > 0 {
            failed(failure, failures[failure.rawValue])
            failures[failure.rawValue] = 0
        }
    }
}
