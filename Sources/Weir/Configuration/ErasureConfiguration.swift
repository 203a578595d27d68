/// The section `service.erasure`.
struct ErasureConfiguration: Sendable {
    /// Where the register is.
    let directory: String

    /// - Parameter journals: the directory of the journals.
    init(_ fields: inout Fields, besides journals: String) {
        let parent = journals.lastIndex(of: "/").map { "\(journals[...$0])" } ?? ""
        directory = fields.string(
            "directory", default: "\(parent)erasures",
            "Where it stands whose spans were erased, and what is held. Keep it in backups.")
    }
}
