/// Says beside the register of erasures where that ends, so that lines which are cut off at its end are missed. It is
/// written behind each line, and signed with the register's key.
struct RegisterEnd {
    struct Place: Equatable {
        let lines: Int
        /// Of the last one, as hexadecimal SHA-256; a dash where there is none.
        let hash: String

        init(lines: Int, hash: String?) {
            self.lines = lines
            self.hash = hash ?? "-"
        }
    }

    private static let maximumSize = 256

    private let path: String
    /// Nil where it cannot be read: then nobody looks at the signature.
    private let key: [UInt8]?

    init(in directory: String, _ key: [UInt8]?) {
        path = "\(directory)/register.end"
        self.key = key
    }

    /// False beside a register of an older Weir, and before there is a line.
    var isThere: Bool { Directory.has(path) }

    /// - Returns: nil where there is none.
    /// - Throws: also where it is not what was written.
    func read() throws(FileError) -> Place? {
        guard isThere else { return nil }
        let text = String(decoding: try FileReader.contents(of: path, limit: Self.maximumSize), as: UTF8.self)
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count == 3, let lines = Int(words[0]), lines >= 0 else { throw .damaged(path) }
        let place = Place(lines: lines, hash: words[1])
        guard key == nil || signature(of: place) == words[2] else { throw .damaged(path) }
        return place
    }

    /// Returns when a power cut cannot take it.
    func write(_ place: Place) throws(FileError) {
        try Directory.replace(path, with: Array("\(place.lines) \(place.hash) \(signature(of: place))\n".utf8))
    }

    /// - Parameters:
    ///   - place: as it was read before the register was.
    ///   - hashes: of the register's lines.
    ///   - register: its path, for the error.
    func check(_ place: Place?, _ hashes: [String], _ register: String) throws(FileError) {
        let remedy = "`weir erase confirm-end --reason TEXT` takes it as it is"
        guard let place else {
            guard hashes.isEmpty else {
                throw .damaged(path, "no such file; \(remedy)")
            }
            return
        }
        // One more may be there: whoever wrote it was killed before it said so here.
        guard hashes.count >= place.lines else {
            throw .damaged(
                register, "found \(hashes.count) lines, wanted \(place.lines): its end was cut off; \(remedy)")
        }
        guard place.lines == 0 || hashes[place.lines - 1] == place.hash else {
            throw .damaged("\(register), line \(place.lines)")
        }
    }

    private func signature(of place: Place) -> String {
        let message = Array("weir register end \(place.lines) \(place.hash)".utf8)
        return message.withUnsafeBytes { KeyedHash(key: key ?? []).hash($0) }.hexadecimal
    }
}
