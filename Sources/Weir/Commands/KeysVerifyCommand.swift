import ArgumentParser

/// `weir keys verify`
struct KeysVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Unwraps every data key; exits 1 if one cannot be used.")

    @OptionGroup var options: KeysOptions

    func run() async throws {
        let ring = try options.ring()
        if let problem = ring.problem { StandardError.note("\(problem)") }
        let keys = ring.encryptionKeys
        var sound = 0
        var destroyed = 0
        var broken: [String: Int] = [:]
        try await KeysOptions.visit(ring) { rows in
            for row in rows {
                switch row.unwrapped(by: keys) {
                case .success: sound += 1
                case .failure(.destroyed): destroyed += 1
                case .failure(let reason):
                    broken[reason.rawValue, default: 0] += 1
                    StandardError.note("\(row.id.keyID): \(reason.rawValue)")
                }
            }
        }
        let bad = broken.sorted { $0.key < $1.key }.map { ", \($0.value) \($0.key)" }.joined()
        try StandardOutput.write("\(sound) data keys are sound, \(destroyed) destroyed\(bad)\n")
        guard broken.isEmpty else { throw ExitCode.failure }
    }
}
