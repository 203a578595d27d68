import Foundation

/// The getter of a file that stands on its own, such as a price list, and is read as this one is.
extension Fields {
    /// Keys of their own in the file that the key names. What is wrong there is reported with that file's lines.
    ///
    /// Nothing is read where there is no file to read, or it is not readable; the problem is recorded then.
    mutating func file<Value>(
        _ key: String, default: String?, _ help: String, _ read: (inout Fields) -> Value
    ) -> Value? {
        guard let name = `default`.map({ string(key, default: $0, help) }) ?? optionalString(key, help) else {
            return nil
        }
        let earlier = fileFingerprints.count
        let value = contents(of: name, key, read)
        var source = ConfigSources()
        source.note(name, fileFingerprints.dropFirst(earlier).last ?? ConfigSources.unreadable)
        if mode == .reading { add(source) }
        return value
    }

    /// The same for a file whose name `key` has given already, and which its component looks at by itself.
    mutating func contents<Value>(of name: String, _ key: String, _ read: (inout Fields) -> Value) -> Value? {
        guard mode == .reading else { return nil }
        do throws(ConfigError) {
            let (value, diagnostics, fingerprint) = try Self.read(file: name, read)
            add(diagnostics)
            add(fileFingerprint: fingerprint)
            return value
        } catch {
            reject(key, "\(name) \(error.message)")
            return nil
        }
    }

    /// Reads such a file by itself, as one does that has changed.
    static func read<Value>(
        file name: String, _ read: (inout Fields) -> Value
    ) throws(ConfigError) -> (value: Value?, diagnostics: Diagnostics, fingerprint: Int) {
        var reader = YAMLReader(file: name, environment: [:])
        let text = try ConfigFile.text(of: name)
        let root = reader.read(text)
        var top = Fields([], file: name)
        let value = root.map { top.descend(into: $0, path: "", read).value }
        var diagnostics = reader.diagnostics
        diagnostics.add(top.diagnostics)
        return (value, diagnostics, text.hashValue)
    }
}
