import ArgumentParser

/// `weir keys index`
struct KeysIndexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index", abstract: "Prints what stands in KEY.index beside an encrypted value, to search for it.",
        discussion: "As in `weir query search --attribute`. The audit has who asked for which attribute.")

    @OptionGroup var options: KeysOptions

    @Option(help: ArgumentHelp("Whose spans they are.", valueName: "name"))
    var tenant = "default"

    @Argument(help: ArgumentHelp("The attribute and the value that it had.", valueName: "key=value"))
    var value: String

    func run() async throws {
        guard let sign = value.firstIndex(of: "="), sign > value.startIndex else {
            throw ValidationError("found \(value.quotedForMessage), wanted key=value")
        }
        let (key, bytes) = (String(value[..<sign]), Array(value[value.index(after: sign)...].utf8))
        let ring = try options.ring()
        if let problem = await ring.open(at: .now()) { throw problem }
        guard let tag = bytes.withUnsafeBytes({ ring.tag(of: key, $0, tenant: tenant, for: .index) }) else {
            throw KeyError.unavailable("has no key by which values are found")
        }
        try await KeysOptions.audit(ring, "index", "a value of \(key) of tenant \(tenant)")
        try StandardOutput.write("\(key)\(EncryptionPass.indexSuffix)=\(tag.hexadecimal)\n")
    }
}
