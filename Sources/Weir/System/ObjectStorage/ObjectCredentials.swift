import Synchronization

/// Who signs requests to a store of objects. The secret stands in no message.
struct ObjectCredentials: Sendable, Equatable {
    let id: String
    let secret: String
    let sessionToken: String?

    init(id: String, secret: String, sessionToken: String?) {
        self.id = id
        self.secret = secret
        self.sessionToken = sessionToken
    }

    /// Reads a profile of a file as the tools of AWS have it: `[default]`, then lines `aws_access_key_id = …`.
    /// - Throws: what is missing, and nothing of what is there.
    init(parsing text: String, profile: String) throws(ConfigError) {
        var values: [Substring: String] = [:]
        var section = ""
        for line in text.split(whereSeparator: \.isNewline) {
            let line = line.trimmingSpaces
            if line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("["), line.hasSuffix("]") {
                section = String(line.dropFirst().dropLast().trimmingSpaces)
            } else if section == profile, let sign = line.firstIndex(of: "=") {
                values[line[..<sign].trimmingSpaces] = String(line[sign...].dropFirst().trimmingSpaces)
            }
        }
        guard let id = values["aws_access_key_id"], let secret = values["aws_secret_access_key"],
            !id.isEmpty, !secret.isEmpty
        else {
            throw ConfigError(
                found: "a file without aws_access_key_id and aws_secret_access_key in [\(profile)]", wanted: "both")
        }
        self.init(id: id, secret: secret, sessionToken: values["aws_session_token"])
    }

    /// Where they come from.
    enum Source: Sendable, Equatable {
        case given(ObjectCredentials)
        /// A file that nobody but its owner may read; a changed one is taken.
        case file(String, profile: String)

        func read() throws(ConfigError) -> ObjectCredentials {
            switch self {
            case .given(let credentials): return credentials
            case .file(let path, let profile):
                do {
                    return try ObjectCredentials(parsing: KeySource.text(of: path), profile: profile)
                } catch KeyError.noKeyEncryptionKey(let reason) {
                    throw ConfigError(reason)
                } catch {
                    throw error as? ConfigError ?? ConfigError("\(error)")
                }
            }
        }
    }
}

/// Reads credentials again when their file has changed.
final class ObjectCredentialsCache: Sendable {
    private let source: ObjectCredentials.Source
    private let last = Mutex<(stamp: FileStamp?, credentials: ObjectCredentials)?>(nil)

    init(_ source: ObjectCredentials.Source) {
        self.source = source
    }

    /// A file that became unreadable leaves the last ones in use.
    func current() throws(ConfigError) -> ObjectCredentials {
        guard case .file(let path, _) = source else { return try source.read() }
        let stamp = FileStamp(of: path)
        if let last = last.withLock({ $0 }), last.stamp == stamp || stamp == nil { return last.credentials }
        do throws(ConfigError) {
            let credentials = try source.read()
            last.withLock { $0 = (stamp, credentials) }
            return credentials
        } catch {
            if let last = last.withLock({ $0 }) { return last.credentials }
            throw error
        }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        var text = drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
        return text
    }
}
