enum TenantName {
    /// It becomes that of directories, and a word of metrics and queries.
    static func check(_ text: String) throws(ConfigError) -> String {
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: "_-.".utf8.contains(byte)
            }
        }
        guard isName, (1...64).contains(text.utf8.count), !text.hasPrefix(".") else {
            throw ConfigError(
                found: text.quotedForMessage,
                wanted: "a tenant: 1...64 letters, digits, _, - and ., without a dot in front")
        }
        return text
    }
}
