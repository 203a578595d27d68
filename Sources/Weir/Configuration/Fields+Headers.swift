/// The header fields that a user adds to requests.
extension Fields {
    /// Header fields by name. Their values are secrets.
    ///
    /// - Parameter reserved: Lower case names that are not the user's to set.
    mutating func headers(_ key: String, reserved: [String], _ help: String) -> [(name: String, value: String)] {
        let count = 0...64
        var seen = Set(reserved)
        let (values, children) = descend(into: node(key), path: Fields.path(path, key)) { names in
            if !count.contains(names.keys.count) {
                names.reject("", "found \(names.keys.count) entries, wanted \(count)")
            }
            return names.keys.compactMap { name -> (name: String, value: String)? in
                guard Self.isToken(name) else {
                    // It may have the value in it.
                    let line = names.node(name)?.line ?? names.line
                    names.record(
                        line: line, path: names.path,
                        "found a name that no header field has, wanted NAME: VALUE with a name such as X-Api-Key")
                    names.acceptsAnyKey = true
                    return nil
                }
                let value = names.string(name, secret: true, "")
                if reserved.contains(name.lowercased()) {
                    names.reject(
                        name,
                        "is not a name that can be set, wanted a header field other than "
                            + reserved.joined(separator: ", "))
                } else if !seen.insert(name.lowercased()).inserted {
                    names.reject(name, "is there a second time, wanted each header field once")
                } else if !value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
                    names.reject(name, "found a character that is not printable ASCII, wanted none")
                }
                return (name, value)
            }
        }
        describe(
            FieldDescription(
                key: key, type: "section of names", help: help, range: "\(count) entries", value: .mapping(children)))
        return values
    }

    /// RFC 9110 5.6.2.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
