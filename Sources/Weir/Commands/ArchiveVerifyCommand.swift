import ArgumentParser

/// `weir archive verify`
struct ArchiveVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Reads every file of an archive; exits 1 if one is missing, or not what its manifest says.",
        discussion: """
            Spans, requests, times and sequences are counted again in what the files hold, and traces, names and data \
            keys are looked for in what tells of them. Sealed files that do not open here are compared with their \
            SHA-256 only.
            """)

    @OptionGroup var options: ArchiveOptions

    @Flag(help: "Compares files with their SHA-256, and counts nothing.")
    var quick = false

    func run() async throws {
        let configuration = options.option.checkAgain().configuration
        let register = configuration?.service.erasure.directory
        try await options.withCatalog { catalog, copy in
            // Also without it files are whole.
            let finder = register.flatMap { try? ErasureRegister(reading: $0).finder() }
            let elsewhere = try await copy?.measure(recounts: !quick, finder)
            try verify(ArchiveVerification(catalog, finder, elsewhere: elsewhere, isQuick: quick))
        }
    }

    private func verify(_ verification: ArchiveVerification) throws {
        var verification = verification
        var problems = 0
        try verification.run { line in
            problems += 1
            try StandardOutput.write("\(TextTable.harmless(line))\n")
        }
        let sum =
            "\(verification.files.of("file")), \(verification.spans.of("span")), \(verification.bytes.of("byte"))"
        try StandardOutput.write("\(sum): \(problems == 0 ? "whole" : problems.of("problem"))\n")
        guard problems == 0 else { throw ExitCode.failure }
    }
}
