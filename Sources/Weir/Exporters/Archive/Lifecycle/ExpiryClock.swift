/// The day on which files of an archive last ended by rule, so that a clock that is years ahead ends none: what is due
/// by it stays until somebody says that it is right.
struct ExpiryClock {
    /// Days that may pass between two runs: a Weir may have been stopped for so long.
    static let maximumPause = 31
    private static let name = "clock"

    private let directory: String

    /// - Parameter root: of the archive.
    init(in root: String) {
        directory = "\(root)/.chain"
    }

    /// Nil where it is not known.
    func last() throws(FileError) -> Day? {
        let path = "\(directory)/\(Self.name)"
        guard Directory.has(path) else { return nil }
        let text = String(decoding: try FileReader.contents(of: path, limit: 1 << 10), as: UTF8.self)
        return Day(text: text.split(separator: "\n").first.map(String.init) ?? "")
    }

    /// A run ended files by a clock that was believed. One that is behind by more than a pause is wrong, and by its day
    /// the right one would be too far ahead.
    func noteRun(on today: Day) throws(FileError) {
        guard try last().map({ $0 <= today + Self.maximumPause }) ?? true else { return }
        try note(today)
    }

    /// The clock is believed to be right today.
    func note(_ today: Day) throws(FileError) {
        if try last() == today { return }
        try Directory.create(directory)
        try Directory.replace("\(directory)/\(Self.name)", with: Array("\(today.text)\n".utf8))
    }
}
