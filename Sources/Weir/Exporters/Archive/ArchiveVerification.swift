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

    /// What was found of a file that is elsewhere.
    struct Found {
        let bytes: Int
        /// Hexadecimal digits.
        let sha256: String
        /// What ``ArchiveRecount`` found, of the first file of a manifest.
        var problems: [String] = []
    }

    /// Files that are not where the manifests are.
    struct Elsewhere {
        /// By path.
        var files: [String: Found] = [:]
        /// By journal, the last number of which nothing before can have come since it was looked.
        var last: [String: Int] = [:]
    }

    private let catalog: ArchiveCatalog
    /// Nil where the files are where the manifests are.
    private let elsewhere: Elsewhere?
    /// Whether files are compared with their SHA-256 only.
    private let isQuick: Bool
    private let finder: SubjectFinder?
    private(set) var files = 0
    private(set) var spans = 0
    private(set) var bytes = 0
    /// By journal and number.
    private var chains: [String: [Int: Link]] = [:]
    /// Of the day that is being looked at, by hour.
    private var date = ""
    private var holdings: [String: [Holding]] = [:]

    /// - Parameter finder: of names; nil where it is not looked whether filters have them.
    init(
        _ catalog: ArchiveCatalog, _ finder: SubjectFinder? = nil, elsewhere: Elsewhere? = nil,
        isQuick: Bool = false
    ) {
        (self.catalog, self.finder) = (catalog, finder)
        self.isQuick = isQuick
        self.elsewhere = elsewhere
    }

    /// Reads every file that is asked for.
    /// - Parameter report: is given a line for each thing that is wrong.
    mutating func run(_ report: (String) throws -> Void) throws {
        // Before the files: Weir may add to both meanwhile, and what came later is not looked for.
        let ends = try ends()
        var isEmpty = true
        try catalog.visit { found in
            isEmpty = false
            switch found {
            case .manifest(let manifest, let path, let bytes):
                try check(manifest, path, bytes, report)
            case .away(let manifest, let path, let bytes): try link(manifest, path, bytes, report)
            case .broken(let path): try report("\(path): found no manifest that can be read")
            case .unlisted(let path): try report("\(path): found no manifest beside it")
            }
        }
        let removals = try ArchiveRemovals(in: catalog.root)
        try checkChains(ends, removals, report)
        if isEmpty, ends.isEmpty, removals.numbers.isEmpty, try !hasOthers() {
            try report("found nothing of an archive there: no manifest, and no chain of any")
        }
    }

    /// Whether not all was asked for.
    private var isPart: Bool {
        let selection = catalog.selection
        return selection.tenant != nil || selection.from != nil || selection.to != nil
    }

    /// Whether there may be what was not asked for. Of a bucket nothing else is known.
    private func hasOthers() throws -> Bool {
        guard isPart, elsewhere == nil else { return isPart }
        var isEmpty = true
        try ArchiveCatalog(root: catalog.root, selection: ArchiveCatalog.Selection()).dates { _ in isEmpty = false }
        return !isEmpty
    }

    private mutating func check(
        _ manifest: ArchiveManifest, _ path: String, _ text: [UInt8], _ report: (String) throws -> Void
    ) throws {
        var problems: [String] = []
        for file in manifest.allFiles {
            if let problem = try problem(of: file, path) { problems.append("\(file.path): \(problem)") }
        }
        if !problems.isEmpty, elsewhere == nil, let (new, bytes) = rewritten(path, text) {
            return try check(new, path, bytes, report)
        }
        let isWhole = problems.isEmpty
        try problems.forEach(report)
        files += manifest.files.count
        bytes += manifest.files.reduce(0) { $0 + $1.bytes }
        // What is not what it was need not be counted.
        if isWhole, !isQuick { try recount(manifest, path, report) }
        spans += manifest.spans.spans
        let directory = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        if manifest.files.first?.path.hasPrefix("\(directory)/") != true {
            try report("\(path): speaks of files of another directory")
        }
        if date != Directory.parent(of: String(directory)) {
            date = Directory.parent(of: String(directory))
            holdings = [:]
        }
        try check(manifest, at: String(directory), path, report)
        try link(manifest, path, text, report)
    }

    /// What a manifest says by now, where its files were written anew since it was read.
    private func rewritten(_ path: String, _ text: [UInt8]) -> (ArchiveManifest, [UInt8])? {
        let bytes = try? FileReader.contents(of: "\(catalog.root)/\(path)", limit: ArchiveDirectory.maximumManifest)
        guard let bytes, bytes != text else { return nil }
        return bytes.withUnsafeBytes { ArchiveManifest($0) }.map { ($0, bytes) }
    }

    private func recount(
        _ manifest: ArchiveManifest, _ path: String, _ report: (String) throws -> Void
    ) throws {
        if let elsewhere {
            for file in manifest.files { try elsewhere.files[file.path]?.problems.forEach(report) }
            return
        }
        do {
            try ArchiveRecount(catalog, finder).problems(of: manifest).forEach(report)
        } catch let error as FileError where error.isMissing && !Directory.has("\(catalog.root)/\(path)") {
            // What was merged or expired meanwhile has no manifest any more.
        }
    }

    /// Its place in the chain.
    private mutating func link(
        _ manifest: ArchiveManifest, _ path: String, _ text: [UInt8], _ report: (String) throws -> Void
    ) throws {
        let link = Link(
            previous: manifest.previous, hashes: [ArchiveManifest.hash(text)] + manifest.supersedes, path: path)
        try add(link, manifest.number, of: manifest.journal, report)
        for part in manifest.parts.dropFirst() {
            let link = Link(previous: part.previous, hashes: [part.sha256] + manifest.supersedes, path: path)
            try add(link, part.number, of: manifest.journal, report)
        }
    }

    /// No request has spans of an hour in two files.
    private mutating func check(
        _ manifest: ArchiveManifest, at directory: String, _ path: String, _ report: (String) throws -> Void
    ) throws {
        let held =
            manifest.parts.isEmpty
            ? [(directory, manifest.spans.sequences)]
            : manifest.parts.map { ("\(date)/hour=\($0.hour.digits(2))", $0.spans.sequences) }
        for (hour, sequences) in held {
            let holding = Holding(journal: manifest.journal, sequences: sequences, path: path)
            for other in holdings[hour, default: []]
            where other.journal == holding.journal && other.sequences.overlaps(sequences) {
                try report("\(path): has requests that \(other.path) has")
            }
            holdings[hour, default: []].append(holding)
        }
    }

    private mutating func add(
        _ link: Link, _ number: Int, of journal: String, _ report: (String) throws -> Void
    ) throws {
        if let other = chains[journal, default: [:]].updateValue(link, forKey: number) {
            try report("\(link.path): has number \(number), as \(other.path) has")
        }
    }

    /// - Parameter path: of the manifest.
    private func problem(of file: ArchiveManifest.File, _ path: String) throws -> String? {
        let manifest = "\(catalog.root)/\(path)"
        let path = "\(catalog.root)/\(file.path)"
        do throws(FileError) {
            let found: Found
            if let elsewhere {
                guard let there = elsewhere.files[file.path] else { return "is missing" }
                found = there
            } else {
                let size = try Directory.size(ofFile: path)
                // What has another size need not be read.
                let hash = size == file.bytes ? ArchiveManifest.digits(try Digest.sha256(ofFile: path)) : ""
                found = Found(bytes: size, sha256: hash)
            }
            guard found.bytes == file.bytes else { return "found \(found.bytes) bytes, wanted \(file.bytes)" }
            return found.sha256 == file.sha256 ? nil : "found sha256 \(found.sha256), wanted \(file.sha256)"
        } catch {
            // What was merged or expired meanwhile has no manifest any more.
            if error.isMissing { return Directory.has(manifest) ? "is missing" : nil }
            return error.description
        }
    }

    /// Numbers may be missing in front, where old files were taken away, though not all; and everywhere, where not all
    /// were asked for.
    private func checkChains(
        _ ends: [String: ArchiveChain], _ removals: ArchiveRemovals, _ report: (String) throws -> Void
    ) throws {
        // A journal of which everything is gone has an end all the same.
        for journal in Set(chains.keys).union(ends.keys).sorted() {
            let chain = chains[journal, default: [:]]
            func check(_ numbers: ClosedRange<Int>) throws {
                for run in removals.missing(in: numbers, of: journal) {
                    try report("journal \(journal): manifests \(run.lowerBound) to \(run.upperBound) are missing")
                }
            }
            let numbers = chain.keys.sorted()
            let end = ends[journal]
            if end?.isDamaged ?? false { try report("journal \(journal): the end of its chain cannot be read") }
            // Where the end is not known, any may be missing; of a bucket not what came meanwhile.
            let known = end.flatMap { $0.isDamaged ? nil : $0.number } ?? elsewhere?.last[journal, default: 0] ?? .max
            for (number, next) in zip(numbers, numbers.dropFirst()) {
                if number + 1 == next {
                    guard let link = chain[next], let before = chain[number],
                        !before.hashes.contains(link.previous ?? "")
                    else { continue }
                    try report("\(link.path): is not what followed \(before.path), or that was changed")
                } else if !isPart, number < known {
                    try check(number + 1...min(next - 1, known))
                }
            }
            guard !isPart, let end else { continue }
            let last = numbers.last ?? 0
            if end.number > last {
                try check(last + 1...end.number)
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
