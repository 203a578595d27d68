/// Compares an archive with its manifests, and those with each other.
struct ArchiveVerification {
    private struct Link {
        let previous: String?
        /// Its own, and of those that it is in place of.
        let hashes: [String]
        let path: String
    }

    private struct Holding {
        let journal: String
        let sequences: ClosedRange<UInt64>
        let path: String
    }

    private let catalog: ArchiveCatalog
    private(set) var files = 0
    private(set) var spans = 0
    private(set) var bytes = 0
    /// By journal and number.
    private var chains: [String: [Int: Link]] = [:]
    /// Of the partition that is being looked at.
    private var partition: Substring = ""
    private var holdings: [Holding] = []

    init(_ catalog: ArchiveCatalog) {
        self.catalog = catalog
    }

    /// Reads every file that is asked for.
    /// - Parameter report: is given a line for each thing that is wrong.
    mutating func run(_ report: (String) throws -> Void) throws {
        // Before the files: Weir may add to both meanwhile, and what came later is not looked for.
        let ends = try ends()
        try catalog.visit { found in
            switch found {
            case .manifest(let manifest, let path, let bytes):
                try check(manifest, path, bytes, report)
            case .broken(let path): try report("\(path): found no manifest that can be read")
            case .unlisted(let path): try report("\(path): found no manifest beside it")
            }
        }
        try checkChains(ends, report)
    }

    private mutating func check(
        _ manifest: ArchiveManifest, _ path: String, _ text: [UInt8], _ report: (String) throws -> Void
    ) throws {
        for file in manifest.files {
            files += 1
            bytes += file.bytes
            if let problem = try problem(of: file) { try report("\(file.path): \(problem)") }
        }
        spans += manifest.spans.spans
        let directory = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        if manifest.files.first?.path.hasPrefix("\(directory)/") != true {
            try report("\(path): speaks of files of another directory")
        }
        if directory != partition {
            partition = directory
            holdings = []
        }
        let holding = Holding(journal: manifest.journal, sequences: manifest.spans.sequences, path: path)
        for other in holdings where other.journal == holding.journal && other.sequences.overlaps(holding.sequences) {
            try report("\(path): has requests that \(other.path) has")
        }
        holdings.append(holding)
        let link = Link(
            previous: manifest.previous,
            hashes: [ArchiveManifest.digits(Digest.sha256(text))] + manifest.supersedes, path: path)
        if let other = chains[manifest.journal, default: [:]].updateValue(link, forKey: manifest.number) {
            try report("\(path): has number \(manifest.number), as \(other.path) has")
        }
    }

    private func problem(of file: ArchiveManifest.File) throws -> String? {
        let path = "\(catalog.root)/\(file.path)"
        do throws(FileError) {
            let size = try Directory.size(ofFile: path)
            guard size == file.bytes else { return "found \(size) bytes, wanted \(file.bytes)" }
            let hash = ArchiveManifest.digits(try Digest.sha256(ofFile: path))
            return hash == file.sha256 ? nil : "found sha256 \(hash), wanted \(file.sha256)"
        } catch {
            return error.isMissing ? "is missing" : error.description
        }
    }

    /// Numbers may be missing in front, where old files were taken away, and everywhere, where not all were asked for.
    private func checkChains(_ ends: [String: ArchiveChain], _ report: (String) throws -> Void) throws {
        let selection = catalog.selection
        let isPart = selection.tenant != nil || selection.from != nil || selection.to != nil
        for (journal, chain) in chains.sorted(by: { $0.key < $1.key }) {
            let numbers = chain.keys.sorted()
            let end = ends[journal]
            if end?.isDamaged ?? false { try report("journal \(journal): the end of its chain cannot be read") }
            // Where the end is not known, any may be missing.
            let known = end.flatMap { $0.isDamaged ? nil : $0.number } ?? .max
            for (number, next) in zip(numbers, numbers.dropFirst()) {
                if number + 1 == next {
                    guard let link = chain[next], let before = chain[number],
                        !before.hashes.contains(link.previous ?? "")
                    else { continue }
                    try report("\(link.path): is not what followed \(before.path), or that was changed")
                } else if !isPart, number < known {
                    try report("journal \(journal): manifests \(number + 1) to \(min(next - 1, known)) are missing")
                }
            }
            guard !isPart, let end, let last = numbers.last else { continue }
            if end.number > last {
                try report("journal \(journal): manifests \(last + 1) to \(end.number) are missing")
            } else if let link = chain[end.number], !link.hashes.contains(end.hash ?? "") {
                try report("journal \(journal): manifest \(end.number) was changed")
            }
        }
    }

    /// Where the chains end, by journal.
    private func ends() throws(FileError) -> [String: ArchiveChain] {
        let names: [String]
        do throws(FileError) {
            names = try Directory.names(in: "\(catalog.root)/.chain")
        } catch {
            guard error.isMissing else { throw error }
            return [:]
        }
        var ends: [String: ArchiveChain] = [:]
        for name in names {
            // What is no journal's is a file that is about to take the place of one.
            guard let id = UInt64(name, radix: 16) else { continue }
            ends[name] = try ArchiveChain(in: catalog.root, of: JournalID(value: id))
        }
        return ends
    }
}
