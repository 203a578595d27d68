/// Keeps personal data and secrets out of everything that comes behind it: the journal, and whatever reads that.
struct RedactionProcessor: Processor {
    typealias Configuration = RedactionConfiguration

    /// What one lane works with from batch to batch.
    // Sendable: the copy of the processor that a lane owns makes it with its first batch and never hands it on; the
    // copy that lanes are made from has none.
    private final class Work: @unchecked Sendable {
        var pass: RedactionPass

        init(_ policy: RedactionPolicy, _ tokens: RedactionToken) {
            pass = RedactionPass(policy, tokens)
        }
    }

    static let type = "redaction"
    static let help = "Masks personal data and secrets in every text of a span; tokens for the ids of people."

    private let policy: RedactionPolicy
    private let tokens: RedactionToken
    private var telemetry: RedactionTelemetry
    private var work: Work?

    init(_ configuration: Configuration, _ context: Context) throws {
        policy = configuration.policy
        tokens = try configuration.tokens()
        telemetry = RedactionTelemetry(policy, context)
    }

    mutating func process(_ batch: inout Batch) {
        let work = work ?? Work(policy, tokens)
        self.work = work
        work.pass.redact(&batch)
        telemetry.take(&work.pass.tally, tenant: batch.tenant)
    }
}

extension RedactionConfiguration {
    /// The secret of one who tries redaction out and has none.
    static let trialKey = "weir redact has no secret of its own"

    /// For one who tries it out and keeps nothing: where the secret was not made yet, it is another one. Who makes it
    /// has to be who Weir runs as, since nobody else can read it then.
    func onTrial() throws(FileError) -> RedactionConfiguration {
        guard case .file(let path) = keySource, try !Directory.isThere(path) else { return self }
        var trial = self
        trial.keySource = .text(Self.trialKey)
        return trial
    }

    /// Reads the key, or makes it.
    func tokens() throws -> RedactionToken {
        switch keySource {
        case .text(let text): return RedactionToken(hash: KeyedHash(key: Array(text.utf8)), epoch: epoch)
        case .file(let path):
            if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
                try Directory.create(String(path[..<slash]))
            }
            let key = try KeyFile.read(path, size: Self.minimumKey)
            return RedactionToken(hash: KeyedHash(key: key), epoch: epoch)
        }
    }
}
