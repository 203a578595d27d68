/// What a reading of the configuration has found in each file that it looked at.
struct ConfigSources: Equatable, Sendable {
    /// Of what could not be read.
    static let unreadable = 0

    private var fingerprints: [String: Int] = [:]

    var paths: [String] { fingerprints.keys.sorted() }

    /// - Parameter fingerprint: of the text, or of the names in a directory of pipelines. It differs from process to
    ///   process.
    mutating func note(_ path: String, _ fingerprint: Int = unreadable) {
        fingerprints[path] = fingerprint
    }

    /// Where both have a file, `later` is right.
    mutating func add(_ later: ConfigSources) {
        fingerprints.merge(later.fingerprints) { $1 }
    }

    /// The files that hold something else than they did in `other`.
    func changes(since other: ConfigSources) -> [String] {
        paths.filter { fingerprints[$0] != other.fingerprints[$0] }
    }

    /// What a reading would find at `path` now.
    static func digest(of path: String) -> Int {
        if let names = try? PipelineFile.names(in: path) { return digest(ofNames: names) }
        return (try? ConfigFile.text(of: path))?.hashValue ?? unreadable
    }

    static func digest(ofNames names: [(name: String, path: String)]) -> Int {
        names.map(\.path).hashValue
    }
}
