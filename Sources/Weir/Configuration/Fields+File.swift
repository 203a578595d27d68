import Foundation

/// The getter of a file that stands on its own, such as a price list, and is read as this one is.
extension Fields {
    /// Keys of their own in the file that the key names. What is wrong there is reported with that file's lines.
    ///
    /// Nothing is read where there is no file to read, or it is not readable; the problem is recorded then.
    mutating func file<Value>(
        _ key: String, default: String?, _ help: String, _ read: (inout Fields) -> Value
    ) -> Value? {
        let name = `default`.map { string(key, default: $0, help) } ?? optionalString(key, help)
        guard let name, mode == .reading else { return nil }
        let text: String
        do throws(ConfigError) {
            text = try ConfigFile.text(of: name)
        } catch {
            reject(key, "\(name) \(error.message)")
            return nil
        }
        var reader = YAMLReader(file: name, environment: [:])
        let root = reader.read(text)
        var top = Fields([], file: name)
        let value = root.map { top.descend(into: $0, path: "", read).value }
        add(reader.diagnostics)
        add(top.diagnostics)
        return value
    }
}
