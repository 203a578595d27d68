/// What the entries of a register say of each request. It grows with them: whoever asks does not go through all again.
struct ErasureRequests: Sendable {
    /// In the order in which they came.
    private(set) var all: [ErasureRequest] = []
    /// Where each is, by its id.
    private var places: [String: Int] = [:]

    init(_ entries: [ErasureEntry] = []) {
        for entry in entries { add(entry) }
    }

    mutating func add(_ entry: ErasureEntry) {
        switch entry.kind {
        case .request:
            guard let request = ErasureRequest(entry) else { return }
            // The lines of an id are the first one's.
            if places[request.id] == nil { places[request.id] = all.count }
            all.append(request)
        case .clear, .keys, .step, .complete, .reopen:
            if let place = places[entry.id] { all[place].add(entry) }
        case .hold, .release, .restore, .confirm, .backup, .forget: break
        }
    }
}
