@testable import Weir

/// A detector written the plain way: a regular expression and a check, and examples of what it is to find.
struct DetectorShape: Sendable {
    let detector: Detector
    /// What a finding is, from its first byte to its last.
    let pattern: String
    /// What must be found wherever it stands between spaces behind `word`.
    let certain: String
    /// A word that says what the number is; empty where none is needed.
    let word: String
    let samples: [String]
    let check: @Sendable ([UInt8]) -> Bool

    init(
        _ detector: Detector, _ pattern: String, certain: String? = nil, near word: String = "", _ samples: String...,
        check: @escaping @Sendable ([UInt8]) -> Bool = { _ in true }
    ) {
        self.detector = detector
        self.pattern = pattern
        self.certain = certain ?? pattern
        self.word = word
        self.samples = samples
        self.check = check
    }

    /// The check of the digits of a match.
    private static func digits(_ check: @escaping @Sendable (Checksums.Digits) -> Bool) -> @Sendable ([UInt8]) -> Bool {
        { text in
            let digits = text.filter(isDigit).map { $0 - 48 } + [UInt8](repeating: 0, count: 4)
            return digits.withUnsafeBufferPointer { $0.baseAddress.map(check) ?? false }
        }
    }

    /// So many digits, grouped in whatever way.
    private static func grouped(_ count: Int) -> String { #"\d([ ()./-]{0,2}\d){\#(count - 1)}"# }

    private static func count(_ text: [UInt8]) -> Int { text.count(where: isDigit) }

    private static let identity: [DetectorShape] = [
        DetectorShape(
            .usSsn, grouped(9), certain: #"\d{3}-\d\d-\d{4}"#, near: "SSN", "536-90-4399",
            check: digits(Checksums.ssn)),
        DetectorShape(
            .usItin, grouped(9), certain: #"9\d\d-\d\d-\d{4}"#, "900-70-0000", "912-95-1234",
            check: digits(Checksums.itin)),
        DetectorShape(
            .usEin, #"\d\d[ ./-]\d{7}"#, certain: #"\d\d-\d{7}"#, near: "EIN", "01-6902987", "68-4296808",
            check: digits(Checksums.ein)),
        DetectorShape(.abaRouting, grouped(9), certain: #"\d{9}"#, near: "routing", "021000021", "011401533") { text in
            digits(Checksums.aba)(text) && digits(Checksums.abaPrefix)(text)
        },
        DetectorShape(
            .usNpi, grouped(10), certain: #"\d{10}"#, near: "NPI", "1234567893", check: digits(Checksums.npi)),
        DetectorShape(.usDea, #"[A-Z]{2}\d{7}"#, near: "DEA", "AB1234563", check: digits(Checksums.dea)),
        DetectorShape(
            .usMbi,
            #"[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y]{2}\d\d"#,
            certain:
                #"[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-[AC-HJKMNP-RT-Y]{2}\d\d"#,
            "1EG4-TE5-MK73"),
        DetectorShape(
            .ukNhs, grouped(10), certain: #"\d{3} \d{3} \d{4}"#, near: "NHS", "943 476 5919",
            "9434765919", check: digits(Checksums.nhs)),
        DetectorShape(
            .ukNino, #"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]"#,
            "AB 12 34 56 C", "AB123456C"),
        DetectorShape(
            .ukUtr, grouped(10), certain: #"\d{10}"#, near: "UTR", "2234567890", check: digits(Checksums.utr)),
        DetectorShape(
            .inAadhaar, grouped(12), certain: #"\d{4} \d{4} \d{4}"#, "2341 2341 2346",
            check: digits(Checksums.aadhaar)),
        DetectorShape(.inPan, #"[A-Z]{3}[ABCFGHJLPT][A-Z](?!0000)\d{4}[A-Z]"#, "AAPFU0939F"),
        DetectorShape(
            .brCpf, #"\d{3}\.?\d{3}\.?\d{3}-?\d\d"#, certain: #"\d{3}\.\d{3}\.\d{3}-\d\d"#, "529.982.247-25",
            check: digits(Checksums.cpf)),
        DetectorShape(
            .brCnpj, #"\d\d\.?\d{3}\.?\d{3}/?\d{4}-?\d\d"#, certain: #"\d\d\.\d{3}\.\d{3}/\d{4}-\d\d"#,
            "11.222.333/0001-81", check: digits(Checksums.cnpj)),
        DetectorShape(
            .caSin, grouped(9), certain: #"\d{3}-?\d{3}-?\d{3}"#, near: "SIN", "123-456-782", "130692544",
            check: digits(Checksums.sin)
        ),
        DetectorShape(
            .zaId, grouped(13), certain: #"\d{13}"#, near: "identity", "8001015009087",
            check: digits(Checksums.southAfrican)),
        DetectorShape(.imei, grouped(15), certain: #"\d{15}"#, near: "IMEI", "490154203237518") { text in
            digits { Checksums.luhn($0, 15) }(text)
        },
        DetectorShape(
            .sePersonnummer, grouped(10) + "|" + grouped(12), certain: #"\d{6}-\d{4}"#, near: "personnummer",
            "811218-9876"
        ) { text in
            digits { Checksums.personnummer($0 + count(text) - 10) }(text)
        },
        DetectorShape(.esDni, #"\d{8}-?[A-Za-z]"#, "12345678Z", "12345678-Z") { text in
            let number = text.prefix(8).reduce(0) { $0 * 10 + Int($1) - 48 }
            return Checksums.dni(number, text[text.count - 1])
        },
        DetectorShape(.esNie, #"[XYZxyz]\d{7}-?[A-Za-z]"#, "X1234567L") { text in
            let number = text[1..<8].reduce(Int(text[0] & 0xDF) - 88) { $0 * 10 + Int($1) - 48 }
            return Checksums.dni(number, text[text.count - 1])
        },
        DetectorShape(.itFiscalCode, #"[A-Za-z0-9]{16}"#, certain: #"[A-Z0-9]{16}"#, "RSSMRA85T10A562S") { text in
            isFiscalCode(text)
        },
        DetectorShape(
            .frNir, #"[12][ .]?\d\d[ .]?\d\d[ .]?\d\d[ .]?\d{3}[ .]?\d{3}([ .]?\d\d)?"#, certain: #"[12]\d{14}"#,
            "255081416802538", "2 55 08 14 168 025 38", check: digits { Checksums.nir($0) }),
        DetectorShape(
            .deTaxId, grouped(11), certain: #"\d{11}"#, near: "Steuer-ID", "36574261809",
            check: digits(Checksums.germanTax)),
        DetectorShape(.nlBsn, grouped(9), certain: #"\d{9}"#, near: "BSN", "111222333", check: digits(Checksums.bsn)),
        DetectorShape(
            .beNationalNumber, #"\d\d\.?\d\d\.?\d\d-?\d{3}\.?\d\d"#, certain: #"\d\d\.\d\d\.\d\d-\d{3}\.\d\d"#,
            "85.07.30-033.28", check: digits(Checksums.belgian)),
        DetectorShape(
            .plPesel, grouped(11), certain: #"\d{11}"#, near: "PESEL", "44051401359", check: digits(Checksums.pesel)),
        DetectorShape(.ptNif, grouped(9), certain: #"\d{9}"#, near: "NIF", "501442600", check: digits(Checksums.nif)),
        DetectorShape(
            .noFodselsnummer, grouped(11), certain: #"\d{11}"#, near: "fødselsnummer", "15108695088",
            check: digits(Checksums.fodselsnummer)),
        DetectorShape(.fiHetu, #"\d{6}[-+A-FYXWVU]\d{3}[0-9A-Y]"#, certain: #"\d{6}-\d{3}[0-9A-Y]"#, "131052-308T") {
            text in
            let number = text.filter(isDigit).prefix(9).map { $0 - 48 }
            return number.count == 9
                && number.withUnsafeBufferPointer { digits in
                    digits.baseAddress.map { Checksums.hetu($0, text[text.count - 1]) } ?? false
                }
        },
        DetectorShape(
            .dkCpr, grouped(10), certain: #"\d{6}-?\d{4}"#, near: "CPR", "211062-5629", check: digits(Checksums.cpr)),
        DetectorShape(
            .trKimlik, grouped(11), certain: #"\d{11}"#, near: "kimlik", "17291716060", check: digits(Checksums.kimlik)),
        DetectorShape(
            .krRrn, #"\d{6}-?\d{7}"#, certain: #"\d{6}-[1-8]\d{6}"#, "971013-1019902",
            check: digits(Checksums.koreanDate)),
        DetectorShape(.cnIdentity, #"\d{17}[\dXx]"#, "360426199101010071") { text in
            let number = text.prefix(17).map { $0 - 48 } + [0]
            return number.withUnsafeBufferPointer { digits in
                digits.baseAddress.map { Checksums.chineseIdentity($0, last: text[17] & 0xDF == 88 ? 88 : text[17]) }
                    ?? false
            }
        },
        DetectorShape(
            .jpMyNumber, grouped(12), certain: #"\d{12}"#, near: "mynumber", "123456789018",
            check: digits(Checksums.myNumber)),
        DetectorShape(.auTfn, grouped(9), certain: #"\d{9}"#, near: "TFN", "123456782", check: digits(Checksums.tfn)),
        DetectorShape(
            .auAbn, grouped(11), certain: #"\d{11}"#, near: "ABN", "83914571673", "83 914 571 673",
            check: digits(Checksums.abn)),
        DetectorShape(
            .chAhv, #"756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d"#, certain: #"756\.\d{4}\.\d{4}\.\d\d"#, "756.9217.0769.85",
            check: digits(Checksums.ahv)),
    ]

    private static func isFiscalCode(_ text: [UInt8]) -> Bool {
        let capitals = text.map { isLetter($0) ? $0 & 0xDF : $0 }
        for (place, byte) in capitals.enumerated() {
            let wantsLetter = place < 6 || place == 8 || place == 11 || place == 15
            guard wantsLetter ? isLetter(byte) : isDigit(byte) || "LMNPQRSTUV".utf8.contains(byte) else { return false }
        }
        return capitals.withUnsafeBufferPointer { $0.baseAddress.map(Checksums.fiscalCode) ?? false }
    }

    private static let money: [DetectorShape] = [
        DetectorShape(
            .creditCard, #"\d{4,}([ -]?\d+){0,4}"#, certain: #"\d{14,19}|\d{4} \d{4} \d{4} \d{4}"#,
            "4111 1111 1111 1111", "378282246310005", "5555555555554444"
        ) { text in
            digits { Checksums.isCard($0, count(text)) }(text)
        },
        DetectorShape(
            .iban, #"[A-Za-z]{2}\d\d([ -]?[A-Za-z0-9]){11,26}"#, certain: #"[A-Z]{2}\d\d[A-Z0-9]{11,26}"#,
            "GB82WEST12345698765432", "DE89370400440532013000", "FR1420041010050500013M02606"
        ) { text in
            let plain = text.filter { isDigit($0) || isLetter($0) }.map { isLetter($0) ? $0 & 0xDF : $0 }
            guard Checksums.ibanLength(plain[0], plain[1]) == plain.count else { return false }
            let turned = plain[4...] + plain[..<4]
            return turned.reduce(0) { rest, byte in
                isDigit(byte) ? (rest * 10 + Int(byte) - 48) % 97 : (rest * 100 + Int(byte) - 55) % 97
            } == 1
        },
        DetectorShape(.isin, #"[A-Z]{2}[A-Z0-9]{9}\d"#, "US0378331005", "DE000A1EWWW0") { text in
            text.withUnsafeBufferPointer { $0.baseAddress.map(Checksums.isin) ?? false }
        },
        DetectorShape(.lei, #"[A-Z0-9]{18}\d\d"#, "529900T8BM49AURSDO55", "HWUPKR0MPOU8FGXBT394") { text in
            text.contains(where: isDigit) && text.withUnsafeBufferPointer { $0.baseAddress.map(Checksums.lei) ?? false }
        },
        DetectorShape(
            .bitcoinAddress, #"[13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[a-z0-9]{11,87}"#,
            certain: "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa|bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        DetectorShape(.ethereumAddress, "0x[0-9A-Fa-f]{40}", "0x52908400098527886E0F7030069857D2E4169EE7"),
    ]

    private static let people: [DetectorShape] = [
        DetectorShape(
            .email, #"[\p{L}\w.%+'-]*(@|%40)[\p{L}\p{M}\w-]+(\.[\p{L}\p{M}\w-]+)+"#,
            certain: #"[a-z0-9]+([._+-][a-z0-9]+)*@[a-z0-9]+(\.[a-z0-9]+)*\.(com|org|io|de)"#, "bob@shop.io",
            "jo.bloggs+tag@mail.shop.com"),
        DetectorShape(
            .phone, #"[+(]?\d[\d ().\-/]{5,}\d(( ?x| ?#| ?ext\.? ?)\d+)?"#,
            certain: #"\+[2-9]\d{8,12}|[2-9]\d\d-[2-9]\d\d-\d{4}"#, "+442079460958", "605-555-0123"),
        DetectorShape(
            .dateOfBirth, #"\d{1,4}([-/. ])\d{1,2}\1\d{1,4}"#,
            certain: #"(19|20)\d\d-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"#,
            near: "born", "1984-05-12", "12/05/1984"),
        DetectorShape(
            .passport, #"[A-Z]{0,2}\d{6,9}"#, certain: #"[A-Z]\d{7}"#, near: "passport", "C1234567", "123456789"),
        DetectorShape(
            .ipAddress, #"\d{1,3}(\.\d{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"#,
            certain: #"(8[0-9]|9[0-9])(\.(0|[1-9]\d|1\d\d|2[0-4]\d)){3}|2a00(:[1-9a-f][0-9a-f]{3}){7}"#, "84.12.70.200",
            "2a00:1450:4001:181b:2001:1001:3001:200e"),
        DetectorShape(
            .macAddress, "[0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){4}",
            certain: "(?=[0-9:]*[A-Fa-f])[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}", "00:1B:44:11:3A:B7"),
        DetectorShape(
            .urlCredentials, #"\S+"#, certain: #"(?<=://bob:)[a-z0-9]+(?=@db\.shop\.com)"#,
            "postgres://bob:s3cr3t@db.shop.com"),
    ]

    // Put together here, so that nobody who searches this repository for secrets is alarmed.
    private static let secrets: [DetectorShape] = [
        DetectorShape(
            .jwt, #"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*"#, certain: #"eyJhbGciOiJIUzI1NiJ9\.eyJ[\w-]+\.[\w-]+"#,
            "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxIn0.c2lnbmF0dXJl"),
        DetectorShape(
            .privateKey, #"(?s)-----BEGIN .*PRIVATE KEY.*"#,
            certain: "-----BEGIN RSA PRIVATE KEY-----[a-zA-Z0-9]+-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA " + "PRIVATE KEY-----MIIE-----END RSA PRIVATE KEY-----"),
        DetectorShape(
            .awsKey, #"A[KSBC][IC]A[A-Z0-9]{16}"#, certain: "A(K|S|B)IA(?![A-Z0-9]{9}EXAMPLE)[A-Z0-9]{16}",
            "AKIA" + "Q3EGTIXRDXQ5Q2YA"),
        DetectorShape(
            .githubToken, #"gh[pousr]_[A-Za-z0-9]{36,76}|github_pat_\w{70,100}"#,
            certain: "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", "ghp_" + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17"),
        secret(.gitlabToken, "glpat-", "4eC39HqLyjWDarjtT1zd"), secret(.slackToken, "xoxb-", "4eC39HqLyjWDarjtT1zd"),
        secret(.stripeKey, "sk_live_", "4eC39HqLyjWDarjtT1zdp7dc"),
        DetectorShape(
            .googleKey, #"AIza[\w-]{35}|ya29\.[\w-]+|GOCSPX-[\w-]+"#, certain: #"AIza[\w]{35}"#,
            "AIza" + "SyD4eC39HqLyjWDarjtT1zdp7dcXvB62kQw"),
        secret(.openaiKey, "sk-proj-", "4eC39HqLyjWDarjtT1zdp7dc4eC39HqLyjWDarjtT1zdp7dc"),
        secret(
            .anthropicKey, "sk-ant-",
            "api03-4eC39HqLyjWDarjtT1zdp7dc4eC39HqLyjWDarjtT1zdp7dc4eC39HqLyjWDarjtT1zdp7dcXvB62kQw0"),
        secret(.apiKey, "SG.", "ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf09kqeF8tAmbihYzrnopKc1s5cr0k"),
        secret(.apiKey, "hvs.", "CAESIJ4eC39HqLyjWDarjtT1zdp7dcXvB62kQw"),
        DetectorShape(
            .secret, #"\S.*"#, certain: #"(?<=password=)[a-z]+\d[A-Z]\d[a-z]\d+[A-Z]+"#, "password=tr0Ub4d0R",
            "password=ab1C2d34EFG"),
    ]

    private static func secret(_ detector: Detector, _ prefix: String, _ body: String) -> DetectorShape {
        let own = (prefix + body).map { $0 == "." ? #"\."# : String($0) }.joined()
        return DetectorShape(detector, #"[A-Za-z0-9]+[-_.][\w.-]+"#, certain: own, prefix + body)
    }

    static let all = identity + money + people + secrets
}
