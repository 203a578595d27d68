/// Where the chain of a journal's manifests ends: in a file of its own, so that no start walks through the archive.
struct ArchiveChain {
    /// Bytes of such a file.
    private static let maximumSize = 4_096

    private let directory: String
    private let journal: JournalID
    /// That of the last manifest; 0 if there is none.
    private(set) var number = 0
    private(set) var hash: String?
    private var savedNumber = 0
    /// The file is there and says nothing; the chain begins anew.
    private(set) var isDamaged = false

    /// - Parameter directory: of the archive.
    init(in directory: String, of journal: JournalID) throws(FileError) {
        self.directory = "\(directory)/.chain"
        self.journal = journal
        do throws(FileError) {
            let bytes = try FileReader.contents(of: path, limit: Self.maximumSize)
            let words = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
            guard words.count == 2, let number = Int(words[0]), words[1].utf8.count == 64 else {
                isDamaged = true
                return
            }
            (self.number, savedNumber) = (number, number)
            hash = String(words[1])
        } catch {
            guard error.isMissing else { throw error }
        }
    }

    private var path: String { "\(directory)/\(journal.text)" }

    /// The manifest is published, or will be by whoever comes next.
    mutating func append(_ manifest: ArchiveManifest, _ bytes: [UInt8]) {
        guard manifest.number > number else { return }
        number = manifest.number
        hash = ArchiveManifest.digits(Digest.sha256(bytes))
    }

    /// Returns when a power cut cannot take what was appended.
    mutating func save() throws(FileError) {
        guard savedNumber != number, let hash else { return }
        try Directory.create(directory)
        try Directory.replace(path, with: Array("\(number) \(hash)\n".utf8))
        savedNumber = number
    }
}
