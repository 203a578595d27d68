/// One mapping of a configuration file, read key by key.
///
/// A getter that finds a problem records it and returns a stand-in, so that every problem of a file is found in one
/// reading; what was read is used only where `diagnostics` hold no error. Each getter also records what it asked for.
/// So the code that reads a component's keys is what `weir components` and `weir print-config` print.
struct Fields {
    enum Mode: Sendable {
        /// Problems are recorded.
        case reading
        /// There is no file, or not this part of it: every key is asked for, and none is missed.
        case documenting
    }

    let mode: Mode
    /// Where the mapping stands in the file.
    let path: String
    let line: Int
    private let entries: [ConfigNode.Entry]
    private(set) var diagnostics: Diagnostics
    /// What was asked for, in this order.
    private(set) var descriptions: [FieldDescription] = []
    /// The extensions that were named.
    private(set) var references: [ExtensionReference] = []
    private(set) var listeners: [ListenerReference] = []
    /// Of the files that were read for keys of this mapping.
    private(set) var fileFingerprints: [Int] = []
    /// The files that it takes a reload to read again.
    private(set) var sources = ConfigSources()
    private(set) var tlsFiles: [TLSFiles] = []
    /// Set where something else is wrong with the mapping as a whole, so that its keys say nothing.
    var acceptsAnyKey = false

    init(_ entries: [ConfigNode.Entry], file: String, line: Int = 1, path: String = "", mode: Mode = .reading) {
        self.entries = entries
        self.line = line
        self.path = path
        self.mode = mode
        diagnostics = Diagnostics(file: file)
    }

    /// Reads from nothing, to learn which keys there are.
    static func documenting(_ read: (inout Fields) -> Void) -> [FieldDescription] {
        var fields = Fields([], file: "", mode: .documenting)
        read(&fields)
        return fields.descriptions
    }

    static func path(_ path: String, _ key: String) -> String {
        path.isEmpty ? key : "\(path).\(key)"
    }

    /// Records that a rule between keys is broken. `key` is the one to change; the empty key means the whole mapping.
    ///
    /// - Parameter message: Lower case, without a full stop: what was found and what was wanted.
    mutating func reject(_ key: String, _ message: String) {
        guard mode == .reading else { return }
        let place = key.isEmpty ? path : Fields.path(path, key)
        diagnostics.add(.error, line: node(key)?.line ?? line, path: place, message)
    }

    /// Records that a key of this mapping has an effect that its author should know of.
    mutating func warn(_ key: String, _ message: String) {
        record(.warning, line: node(key)?.line ?? line, path: Fields.path(path, key), message)
    }

    /// Reads all that a component wants of this mapping; nil where its initialiser threw.
    mutating func read<Value: Configurable>(_ type: Value.Type) -> Value? {
        do {
            return try Value(&self)
        } catch {
            reject("", error.message)
            // Keys that it did not come to ask for are not unknown.
            acceptsAnyKey = true
            return nil
        }
    }

    /// Once all keys have been asked for.
    private mutating func rejectUnknownKeys() {
        guard mode == .reading, !acceptsAnyKey else { return }
        let known = descriptions.map(\.key)
        let wanted = known.isEmpty ? "no key" : "one of \(known.joined(separator: ", "))"
        for entry in entries where !known.contains(entry.key) {
            let message = "is not a known key, wanted \(wanted)\(suggestion(for: entry.key, among: known))"
            diagnostics.add(.error, line: entry.value.line, path: Fields.path(path, entry.key), message)
        }
    }
}

/// What the getters are made of.
extension Fields {
    var keys: [String] { entries.map(\.key) }

    func node(_ key: String) -> ConfigNode? {
        entries.first { $0.key == key }?.value
    }

    mutating func describe(_ description: FieldDescription) {
        guard !descriptions.contains(where: { $0.key == description.key }) else { return }
        descriptions.append(description)
    }

    mutating func record(_ severity: Diagnostic.Severity = .error, line: Int, path: String, _ message: String) {
        guard mode == .reading else { return }
        diagnostics.add(severity, line: line, path: path, message)
    }

    mutating func add(_ other: Diagnostics) {
        diagnostics.add(other)
    }

    /// Of the key `endpoint`.
    mutating func add(listener endpoint: Endpoint) {
        guard mode == .reading else { return }
        listeners.append(
            ListenerReference(
                endpoint: endpoint, line: node("endpoint")?.line ?? line, path: Fields.path(path, "endpoint")))
    }

    mutating func add(fileFingerprint: Int) {
        fileFingerprints.append(fileFingerprint)
    }

    /// Of a file that is looked into only where its component is made, and may not be there yet.
    mutating func add(sourceFile path: String) {
        guard mode == .reading else { return }
        let digest = ConfigSources.digest(of: path)
        add(fileFingerprint: digest)
        sources.note(path, digest)
    }

    mutating func add(_ sources: ConfigSources) {
        self.sources.add(sources)
    }

    mutating func add(_ files: [TLSFiles]) {
        tlsFiles += files
    }

    /// Of what was read from this mapping, or from some of its keys. It differs from process to process.
    func signature(of keys: [String]? = nil) -> Int {
        var hasher = Hasher()
        for entry in entries where keys?.contains(entry.key) ?? true {
            hasher.combine(entry.key)
            entry.value.hash(into: &hasher)
        }
        hasher.combine(fileFingerprints)
        return hasher.finalize()
    }

    mutating func add(_ others: [ExtensionReference]) {
        if mode == .reading { references += others }
    }

    mutating func rejectMissing(_ key: String, wanted: String) {
        record(line: line, path: Fields.path(path, key), "is missing, wanted \(wanted)")
    }

    /// Reads the mapping `node` with `read`; where it is something else, that is recorded, and `read` gets nothing.
    mutating func descend<Value>(
        into node: ConfigNode?, path: String, _ read: (inout Fields) -> Value
    ) -> (value: Value, children: [FieldDescription]) {
        var child: Fields
        let file = diagnostics.file
        switch node?.content {
        case .mapping(let entries):
            child = Fields(entries, file: file, line: node?.line ?? line, path: path, mode: mode)
        case .some where node?.isNull == false:
            if let node, node.isReadable { record(line: node.line, path: path, "found \(node.kind), wanted a mapping") }
            child = Fields([], file: file, line: line, path: path, mode: .documenting)
        case .some, nil:
            child = Fields([], file: file, line: node?.line ?? line, path: path, mode: mode)
        }
        let value = read(&child)
        child.rejectUnknownKeys()
        diagnostics.add(child.diagnostics)
        references += child.references
        listeners += child.listeners
        fileFingerprints += child.fileFingerprints
        sources.add(child.sources)
        tlsFiles += child.tlsFiles
        return (value, child.descriptions)
    }

    mutating func rejectKind(of node: ConfigNode, path: String, wanted: String) {
        guard node.isReadable else { return }
        record(line: node.line, path: path, "found \(node.found), wanted \(wanted)")
    }
}
