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
    case usEin, isin, lei

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
