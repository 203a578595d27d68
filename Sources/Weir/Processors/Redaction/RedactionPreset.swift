/// Sets of detectors that have a name in the configuration.
enum RedactionPreset: String, CaseIterable, Sendable {
    case `default`, strict, secretsOnly = "secrets_only", pci, none

    var detectors: DetectorSet {
        switch self {
        case .default, .strict: .all
        case .secretsOnly: Self.secrets
        case .pci: Self.secrets.union(DetectorSet(.creditCard, .iban, .abaRouting))
        case .none: []
        }
    }

    private static let secrets = DetectorSet(
        .urlCredentials, .jwt, .privateKey, .awsKey, .githubToken, .gitlabToken, .slackToken, .stripeKey, .googleKey,
        .openaiKey, .anthropicKey, .apiKey, .secret)
}
