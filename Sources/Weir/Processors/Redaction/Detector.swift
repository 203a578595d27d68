/// A kind of personal data or secret that is built in. Its name in the configuration is that of the case in
/// snake_case; its label, as in `[EMAIL]`, the same in capitals.
enum Detector: UInt8, CaseIterable, Sendable {
    case email, phone, creditCard, iban, dateOfBirth, passport
    case usSsn, usItin, abaRouting, usNpi, usDea, usMbi
    case ukNhs, ukNino, ukUtr, inAadhaar, inPan, brCpf, brCnpj, caSin, zaId, imei, sePersonnummer
    case esDni, esNie, itFiscalCode, frNir, deTaxId, nlBsn, beNationalNumber, plPesel, ptNif, noFodselsnummer
    case fiHetu, dkCpr, trKimlik, krRrn, cnIdentity, jpMyNumber, auTfn, auAbn, chAhv
    case ipAddress, macAddress, urlCredentials, bitcoinAddress, ethereumAddress
    case jwt, privateKey, awsKey, githubToken, gitlabToken, slackToken, stripeKey, googleKey, openaiKey, anthropicKey
    case apiKey, secret

    var name: String {
        var name = ""
        for character in String(describing: self) {
            if character.isUppercase { name.append("_") }
            name.append(character.lowercased())
        }
        return name
    }

    var label: String { name.uppercased() }

    init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }
}

/// A set of detectors, and what text around a number hints at.
struct DetectorSet: OptionSet, Sendable, BitwiseCopyable {
    let rawValue: UInt64

    static let all = DetectorSet(rawValue: 1 << UInt64(Detector.allCases.count) - 1)
    /// Words that stand near telephone numbers, and near much else: "call", "number".
    static let phoneLoosely = DetectorSet(rawValue: 1 << 63)

    init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    init(_ detectors: Detector...) {
        self.init(detectors)
    }

    init(_ detectors: [Detector]) {
        rawValue = detectors.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
    }

    @inline(__always)
    func has(_ detector: Detector) -> Bool {
        rawValue & 1 << UInt64(detector.rawValue) != 0
    }
}

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

/// A place in a text that a detector, or a rule of the configuration, found.
struct Finding: BitwiseCopyable, Equatable {
    /// Kinds from this on are rules of the configuration, by their place in its list.
    static let firstRule: UInt8 = 64

    /// In bytes of the text.
    var start: Int
    var end: Int
    /// The raw value of a ``Detector``, or a rule.
    var kind: UInt8

    var detector: Detector? { Detector(rawValue: kind) }
}
