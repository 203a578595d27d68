/// The getter of what another part of the file defines.
extension Fields {
    /// The id of an extension, which must be among `extensions` and have this role; both are checked once the whole
    /// file is read. Required.
    mutating func extensionID(_ key: String, _ role: ExtensionRole, _ help: String) -> ComponentID {
        var found: ComponentID?
        let id = parsed(key, standIn: ComponentID(type: ""), type: "id of an extension", help) {
            text throws(ConfigError) in
            let id = try ComponentID(parsing: text)
            found = id
            return id
        }
        if let found {
            add([ExtensionReference(id: found, role: role, line: node(key)?.line ?? line, path: Self.path(path, key))])
        }
        return id
    }

    /// The same for a key that matters only where `isWanted`; by itself it is the id that is the type's name.
    mutating func optionalExtensionID(
        _ key: String, _ role: ExtensionRole, isWanted: Bool, _ help: String
    ) -> ComponentID? {
        let text = string(key, default: role.rawValue, help)
        return isWanted ? reference(to: text, key, role) : nil
    }

    /// The key `encryption`; nil where nothing is to be sealed.
    mutating func encryption(_ help: String) -> ComponentID? {
        let text = string("encryption", default: "off", help)
        return text == "off" ? nil : reference(to: text, "encryption", .keystore, or: "off")
    }

    private mutating func reference(
        to text: String, _ key: String, _ role: ExtensionRole, or alternative: String? = nil
    ) -> ComponentID? {
        do throws(ConfigError) {
            let id = try ComponentID(parsing: text)
            let line = node(key)?.line ?? line
            add([
                ExtensionReference(
                    id: id, role: role, line: line, path: Self.path(path, key), alternative: alternative)
            ])
            return id
        } catch {
            reject(key, error.message)
            return nil
        }
    }
}
