/// Where a tenant's runs go: one base URL, key, workspace and project.
struct LangSmithTarget: Sendable {
    let url: HTTPURL
    /// A secret.
    let key: String
    /// A UUID, or empty for the key's own.
    let workspace: String
    let project: String
    /// One of several that get the same spans, and not the first of them: its runs have ids of their own, since those
    /// of the first may be in the same workspace.
    var isReplica = false
    /// Tells it from all others.
    let id: UInt64
    /// Equal for those that share what a key may send.
    let account: UInt64
    /// What the ids of a replica's runs are changed by; 0 changes nothing.
    let salt: UInt64

    init(url: HTTPURL, key: String, workspace: String, project: String, isReplica: Bool = false) {
        (self.url, self.key, self.workspace, self.project) = (url, key, workspace, project)
        self.isReplica = isReplica
        account = Self.hash("\(url)\n\(key)")
        id = Self.hash("\(url)\n\(key)\n\(workspace)\n\(project)\n\(isReplica)")
        salt = isReplica ? Self.hash("\(url)\n\(project)") : 0
    }

    /// FNV-1a: the same in each process.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    var headers: [(name: String, value: String)] {
        [("x-api-key", key), ("Accept", "application/json"), ("User-Agent", "weir")]
            + (workspace.isEmpty ? [] : [("X-Tenant-Id", workspace)])
    }

    /// Some servers repeat the key that they do not accept.
    func withoutSecrets(_ text: String) -> String {
        key.utf8.count < 8 ? text : text.replacing(key, with: EffectiveConfiguration.hidden)
    }
}

extension LangSmithTarget {
    /// Several, as LangSmith's clients take them from `LANGSMITH_RUNS_ENDPOINTS`:
    /// `[{"api_url":…,"api_key":…,"project_name":…,"workspace_id":…,"primary":…}]` or `{"URL":"key"}`.
    /// - Parameter project: of those that name none.
    static func list(_ text: String, project: String) throws(ConfigError) -> [LangSmithTarget] {
        guard !text.allSatisfy(\.isWhitespace) else { return [] }
        let wanted = "a JSON list of objects with api_url and api_key, or an object of keys by URL"
        var entries: [(url: String, key: String, workspace: String, project: String, isPrimary: Bool)] = []
        let isRead = Array(text.utf8).withUnsafeBytes { bytes in
            guard let tree = JSONTreeReader.container(bytes) else { return false }
            for member in tree.members { entries.append((member.key.string, member.value.asText ?? "", "", "", false)) }
            for entry in tree.elements {
                var isPrimary = false
                if case .bool(true)? = entry["primary"] { isPrimary = true }
                entries.append(
                    (
                        entry["api_url"]?.asText ?? "", entry["api_key"]?.asText ?? "",
                        entry["workspace_id"]?.asText ?? "", entry["project_name"]?.asText ?? "", isPrimary
                    ))
            }
            return true
        }
        // Neither is repeated in a message: it holds keys.
        guard isRead, (1...16).contains(entries.count) else {
            throw ConfigError(found: "something else", wanted: wanted)
        }
        let first = entries.firstIndex { $0.isPrimary } ?? 0
        var targets: [LangSmithTarget] = []
        for (index, entry) in entries.enumerated() {
            guard isKey(entry.key) else { throw ConfigError(found: "an entry without a key", wanted: wanted) }
            // Somebody may have taken one for the other.
            guard let url = try? HTTPURL(parsing: entry.url), let workspace = try? workspace(entry.workspace) else {
                throw ConfigError(found: "an entry whose URL or workspace is none", wanted: wanted)
            }
            targets.append(
                LangSmithTarget(
                    url: url, key: entry.key, workspace: workspace,
                    project: entry.project.isEmpty ? project : entry.project, isReplica: index != first))
        }
        return targets
    }

    /// A name for each that stays the same when the list is put in another order, or keys are changed.
    static func names(of targets: [LangSmithTarget]) -> [String] {
        var seen: [String: Int] = [:]
        return targets.map { target in
            let hash = Self.hash("\(target.url)\n\(target.workspace)\n\(target.project)")
            let name = String(UInt32(truncatingIfNeeded: hash) | 1 << 31, radix: 16)
            let count = seen[name, default: 0] + 1
            seen[name] = count
            return count == 1 ? name : "\(name)-\(count)"
        }
    }

    static func isKey(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    static func isUUID(_ text: String) -> Bool {
        text.utf8.count == 36
            && text.split(separator: "-", omittingEmptySubsequences: false).map(\.count) == [8, 4, 4, 4, 12]
            && text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || hexDigit($0) != nil }
    }

    /// A UUID, or nothing.
    static func workspace(_ text: String) throws(ConfigError) -> String {
        guard text.isEmpty || isUUID(text) else { throw ConfigError(found: text.quotedForMessage, wanted: "a UUID") }
        return text
    }
}
