/// Sets of detectors that have a name in the configuration.
enum RedactionPreset: String, CaseIterable, Sendable {
    case `default`, strict, secretsOnly = "secrets_only", pci, none

    var detectors: DetectorSet {
        switch self {
        case .default, .strict: .all.subtracting(Self.registers)
        case .secretsOnly: Self.secrets
        case .pci: Self.secrets.union(DetectorSet(.creditCard, .iban, .abaRouting))
        case .none: []
        }
    }

    /// Public numbers of securities and companies, for those who must not tell what they trade in.
    private static let registers = DetectorSet(.isin, .lei)

    private static let secrets = DetectorSet(
        .urlCredentials, .jwt, .privateKey, .awsKey, .githubToken, .gitlabToken, .slackToken, .stripeKey, .googleKey,
        .openaiKey, .anthropicKey, .apiKey, .secret)
}
