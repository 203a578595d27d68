/// Encrypts attributes, so that the journal and whatever reads it have ciphertext only.
struct EncryptionProcessor: Processor {
    typealias Configuration = EncryptionConfiguration

    /// What one lane works with from batch to batch.
    // Sendable: the copy of the processor that a lane owns makes it with its first batch and never hands it on; the
    // copy that lanes are made from has none.
    private final class Work: @unchecked Sendable {
        var pass: EncryptionPass

        init(_ policy: EncryptionPolicy, _ keyring: Keyring, isBounded: Bool) {
            pass = EncryptionPass(policy, keyring, isBounded: isBounded)
        }
    }

    static let type = "encryption"
    static let help = "Encrypts attributes with a data key a tenant and day, or a person."

    private static let pause = Duration.seconds(5)

    private let policy: EncryptionPolicy
    private let keyring: Keyring
    private let isBounded: Bool
    private let encrypted: Counter
    private let passed: Counter
    private let unverified: Counter
    private let refused: Counter
    private let whole: [(reason: MemberWalk.Failure, counter: Counter)]
    private var work: Work?

    init(_ configuration: Configuration, _ context: Context) throws {
        let keystore = try context.extensions.find(configuration.keystore, as: KeystoreExtension.self)
        self.init(configuration.policy, keystore.ring, context)
    }

    init(_ policy: EncryptionPolicy, _ keyring: Keyring, _ context: Context) {
        self.policy = policy
        self.keyring = keyring
        isBounded = !context.isBehindStage
        let labels = ["encryption": context.id.description]
        encrypted = context.metrics.counter(
            "weir_encryption_values", help: "Values that were encrypted.", labels: labels)
        passed = context.metrics.counter(
            "weir_encryption_passed_values", help: "Values that were ciphertext already.", labels: labels)
        unverified = context.metrics.counter(
            "weir_encryption_unverified_values",
            help: "Values that look like ciphertext under a key that is not at hand, and passed as they were.",
            labels: labels)
        let reasons: [MemberWalk.Failure] = [.depth, .count, .syntax, .bytes]
        whole = reasons.map { reason in
            let counter = context.metrics.counter(
                "weir_encryption_whole_values",
                help: "Values that were encrypted as a whole because what stands in them could not be gone through.",
                labels: labels.merging(["reason": reason.rawValue]) { own, _ in own })
            return (reason, counter)
        }
        refused = context.metrics.counter(
            "weir_encryption_refused_batches", help: "Requests that were refused for want of a key.", labels: labels)
    }

    mutating func process(_ batch: inout Batch) throws(Refusal) {
        let work = work ?? Work(policy, keyring, isBounded: isBounded)
        self.work = work
        do throws(KeyError) {
            try work.pass.encrypt(&batch)
        } catch {
            refused.add()
            throw Self.refusal(error)
        }
        let counts = work.pass.takeCounts()
        encrypted.add(counts.encrypted)
        passed.add(counts.passed)
        unverified.add(counts.unverified)
        for (reason, counter) in whole { counter.add(counts.whole[reason] ?? 0) }
    }

    func takePrerequisite() -> Prerequisite? {
        guard let keys = work?.pass.takeNewKeys(), !keys.isEmpty else { return nil }
        return Prerequisite { [keyring, refused] () async throws(Refusal) in
            do throws(KeyError) {
                try await keyring.makeDurable(keys)
            } catch {
                refused.add()
                throw Self.refusal(error)
            }
        }
    }

    private static func refusal(_ error: KeyError) -> Refusal {
        if case .tooManyPersons = error { return .tooLarge(error.summary) }
        return .overloaded("nothing is taken that cannot be encrypted: \(error.summary)", retryAfter: pause)
    }
}
