import ArgumentParser

/// `weir api-key new`
struct APIKeyNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Prints a new key, which nothing keeps, and its entry for keys.yaml.")

    @Option(help: ArgumentHelp("Whose spans the client sends and reads.", valueName: "name"))
    var tenant: String

    @Option(name: .customLong("scope"), help: "What the client may do; may be given several times.")
    var scopes: [Scope]

    @Option(help: ArgumentHelp("What the log calls the client; the tenant's name if left out.", valueName: "name"))
    var name: String?

    func validate() throws {
        do { _ = try TenantName.check(tenant) } catch { throw ValidationError("--tenant: \(error.message)") }
        guard !scopes.isEmpty else { throw ValidationError("found no --scope, wanted at least one") }
        guard !scopes.contains(.beacon) || scopes.count == 1 else {
            throw ValidationError(
                "found --scope beacon with others, wanted it alone: every page shows its key to everybody")
        }
    }

    func run() throws {
        let key = APIKey.draw()
        try StandardOutput.write("\(key)\n\n\(entry(of: key))\n")
    }

    /// As it stands in the file.
    func entry(of key: String) -> String {
        let scopes = scopes.map(\.rawValue).joined(separator: ", ")
        let hash = APIKey.hash(of: key).map { $0.digits(2, radix: 16) }.joined()
        return "keys:\n  - name: \((name ?? tenant).quotedAsJSON)\n    tenant: \"\(tenant)\"\n    scopes: [\(scopes)]\n"
            + "    sha256: \"\(hash)\"\n"
    }
}

extension Scope: ExpressibleByArgument {}
