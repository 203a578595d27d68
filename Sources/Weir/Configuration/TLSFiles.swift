/// The files that a section `tls` names, and where it does.
struct TLSFiles: Sendable {
    struct File: Sendable {
        let name: String
        let line: Int
        /// Of the key that names it.
        let path: String
    }

    /// The configuration file that the section stands in.
    let origin: String
    let certificate: File?
    let key: File?
    let authorities: File?
    /// Whether they are read when their component is made, and not again: it connects, and does not listen.
    let areOfClient: Bool
}

extension Fields {
    /// Remembers the files that the keys `cert_file`, `key_file` and `authorities` of this mapping name, for who wants
    /// to look into them.
    mutating func addTLSFiles(authorities: String, ofClient areOfClient: Bool) {
        guard mode == .reading else { return }
        func file(_ key: String) -> TLSFiles.File? {
            guard case .scalar(let text) = node(key)?.content, !text.text.isEmpty else { return nil }
            return TLSFiles.File(name: text.text, line: node(key)?.line ?? line, path: Self.path(path, key))
        }
        add([
            TLSFiles(
                origin: diagnostics.file, certificate: file("cert_file"), key: file("key_file"),
                authorities: file(authorities), areOfClient: areOfClient)
        ])
    }
}
