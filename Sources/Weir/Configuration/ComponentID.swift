/// What a component or a pipeline is called: `type` or `type/name`.
struct ComponentID: Sendable, Hashable {
    /// What it is, such as `otlp`.
    let type: String
    /// Tells two of one type apart.
    let name: String?

    init(type: String, name: String? = nil) {
        self.type = type
        self.name = name
    }
}

extension ComponentID {
    static let maximumLength = 128

    init(parsing text: String) throws(ConfigError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts.count > 1 ? String(parts[1]) : nil
        guard text.utf8.count <= Self.maximumLength, Self.isType(parts[0]), name.map(Self.isName) ?? true else {
            throw ConfigError(
                found: text.quotedForMessage,
                wanted: "an id: type or type/name, the type of a-z, 0-9 and _, the name of letters, digits, _, - and .")
        }
        self.init(type: String(parts[0]), name: name)
    }

    private static func isType(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7A).contains(first) else { return false }
        return text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy { scalar in
                scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789_-.".unicodeScalars.contains(scalar))
            }
    }
}

extension ComponentID: CustomStringConvertible {
    var description: String { name.map { "\(type)/\($0)" } ?? type }

    /// What stands beside it under a name of its own.
    func replica(_ name: String) -> ComponentID {
        ComponentID(type: type, name: self.name.map { "\($0)-\(name)" } ?? name)
    }

    /// What everybody else calls a component or pipeline that a file of pipelines calls so.
    func local(to file: String) -> ComponentID { ComponentID(type: type, name: "\(name ?? "")@\(file)") }

    /// The file of pipelines that it is local to; nil for those of `collector.yaml`.
    var file: Substring? {
        guard let name, let at = name.lastIndex(of: "@") else { return nil }
        return name[at...].dropFirst()
    }

    /// The same as the name of a file. No id has a `~`.
    var fileName: String { name.map { "\(type)~\($0)" } ?? type }
}
