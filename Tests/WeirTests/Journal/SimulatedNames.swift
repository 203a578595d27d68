@testable import Weir

/// The names in a ``SimulatedDisk``: for those who look, and after a power cut.
struct SimulatedNames {
    private enum Change {
        case create(String, Int)
        case rename(Int, String)
        case remove(String, Int)
    }

    /// The number of each file.
    private(set) var current: [String: Int] = [:]
    private var durable: [String: Int] = [:]
    private var unsynced: [Change] = []

    /// Durable from the beginning.
    init(_ names: [String: Int] = [:]) {
        current = names
        durable = names
    }

    func file(_ call: String, _ name: String) throws(DiskError) -> Int {
        guard let file = current[name] else {
            throw DiskError(description: "\(call) \(name): no such file or directory", isFull: false, isMissing: true)
        }
        return file
    }

    /// - Parameter name: that the file had when it was opened.
    func check(_ file: Int, _ name: String) throws(DiskError) {
        guard !current.values.contains(file) else { return }
        throw DiskError(description: "\(name) was removed while it was open", isFull: false, isMissing: true)
    }

    mutating func create(_ name: String, file: Int) throws(DiskError) {
        guard current[name] == nil else {
            throw DiskError(description: "open \(name): file exists", isFull: false)
        }
        change(.create(name, file))
    }

    mutating func rename(_ name: String, to newName: String) throws(DiskError) {
        change(.rename(try file("rename", name), newName))
    }

    mutating func remove(_ name: String) throws(DiskError) {
        change(.remove(name, try file("unlink", name)))
    }

    mutating func sync() {
        durable = current
        unsynced = []
    }

    /// - Parameter percent: how many of the changes not synced survive, each of them for itself.
    func afterCrash(percent: Int, random: inout SplitMix64) -> [String: Int] {
        var names = durable
        for change in unsynced where random.chance(percent) { Self.apply(change, to: &names) }
        return names
    }

    private mutating func change(_ change: Change) {
        Self.apply(change, to: &current)
        unsynced.append(change)
    }

    private static func apply(_ change: Change, to names: inout [String: Int]) {
        switch change {
        case .create(let name, let file): names[name] = file
        case .rename(let file, let name):
            // Whatever it was called: where one rename was lost and the next was not, it has one name still.
            names = names.filter { $0.value != file }
            names[name] = file
        case .remove(let name, let file):
            if names[name] == file { names[name] = nil }
        }
    }
}
