/// What the keys and tokens of a service begin with, and what follows.
struct TokenPrefix: Sendable {
    /// The bytes that may follow.
    enum Alphabet: Sendable {
        case alphanumeric, base64url, hexadecimal
        /// base64url in parts, with dots between them, with slashes, or with dots and tildes.
        case dotted, path, tilde
        /// RFC 6750, 2.1
        case bearer

        func allows(_ byte: UInt8) -> Bool {
            switch self {
            case .alphanumeric: return isLetter(byte) || isDigit(byte)
            case .hexadecimal: return hexDigit(byte) != nil
            default: break
            }
            if isWordByte(byte) || byte == UInt8(ascii: "-") { return true }
            switch byte {
            case UInt8(ascii: "."): return self == .dotted || self == .tilde || self == .bearer
            case UInt8(ascii: "/"): return self == .path || self == .bearer
            case UInt8(ascii: "~"): return self == .tilde || self == .bearer
            case UInt8(ascii: "+"), UInt8(ascii: "="): return self == .bearer
            default: return false
            }
        }
    }

    let detector: Detector
    /// Up to and with the first `_`, `-` or `.`; packed, so that one comparison tells.
    let head: UInt64
    /// What must stand behind that.
    let rest: StaticString
    /// What must stand in front of the head; it is part of the key.
    let lead: StaticString
    let alphabet: Alphabet
    let lengths: ClosedRange<Int>

    private init(
        _ detector: Detector, _ head: StaticString, _ rest: StaticString, _ alphabet: Alphabet,
        _ lengths: ClosedRange<Int>, behind lead: StaticString = ""
    ) {
        self.lead = lead
        self.detector = detector
        self.head = Self.pack(head.utf8Start, head.utf8CodeUnitCount)
        self.rest = rest
        self.alphabet = alphabet
        self.lengths = lengths
    }

    /// Of nine letters and marks, the last eight are compared.
    static let maxHead = 9

    static func pack(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
        (0..<count).reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
    }

    /// From the services' own documentation of their keys.
    static let all: [TokenPrefix] = [
        TokenPrefix(.githubToken, "ghp_", "", .alphanumeric, 36...36),
        TokenPrefix(.githubToken, "gho_", "", .alphanumeric, 36...36),
        TokenPrefix(.githubToken, "ghu_", "", .alphanumeric, 36...36),
        TokenPrefix(.githubToken, "ghs_", "", .alphanumeric, 36...36),
        TokenPrefix(.githubToken, "ghr_", "", .alphanumeric, 36...76),
        TokenPrefix(.githubToken, "github_", "pat_", .base64url, 70...100),
        TokenPrefix(.gitlabToken, "glpat-", "", .base64url, 20...64),
        TokenPrefix(.gitlabToken, "gldt-", "", .base64url, 20...64),
        TokenPrefix(.gitlabToken, "glrt-", "", .base64url, 20...64),
        TokenPrefix(.slackToken, "xoxb-", "", .base64url, 10...200),
        TokenPrefix(.slackToken, "xoxp-", "", .base64url, 10...200),
        TokenPrefix(.slackToken, "xoxa-", "", .base64url, 10...200),
        TokenPrefix(.slackToken, "xoxr-", "", .base64url, 10...200),
        TokenPrefix(.slackToken, "xoxs-", "", .base64url, 10...200),
        TokenPrefix(.slackToken, "xoxe-", "", .base64url, 10...200),
        TokenPrefix(.slackToken, "xapp-", "", .base64url, 10...200),
        TokenPrefix(.stripeKey, "sk_", "live_", .alphanumeric, 10...250),
        TokenPrefix(.stripeKey, "sk_", "test_", .alphanumeric, 10...250),
        TokenPrefix(.stripeKey, "rk_", "live_", .alphanumeric, 10...250),
        TokenPrefix(.stripeKey, "rk_", "test_", .alphanumeric, 10...250),
        TokenPrefix(.stripeKey, "whsec_", "", .alphanumeric, 24...64),
        TokenPrefix(.anthropicKey, "sk-", "ant-", .base64url, 80...130),
        TokenPrefix(.openaiKey, "sk-", "proj-", .base64url, 40...220),
        TokenPrefix(.openaiKey, "sk-", "svcacct-", .base64url, 40...220),
        TokenPrefix(.openaiKey, "sk-", "admin-", .base64url, 40...220),
        TokenPrefix(.apiKey, "sk-", "or-v1-", .hexadecimal, 64...64),
        TokenPrefix(.apiKey, "sk-", "lf-", .base64url, 36...36),
        TokenPrefix(.openaiKey, "sk-", "", .alphanumeric, 32...64),
        TokenPrefix(.apiKey, "hf_", "", .alphanumeric, 34...40),
        TokenPrefix(.apiKey, "npm_", "", .alphanumeric, 36...36),
        TokenPrefix(.apiKey, "pypi-", "AgE", .base64url, 50...250),
        TokenPrefix(.apiKey, "dop_", "v1_", .hexadecimal, 64...64),
        TokenPrefix(.apiKey, "shpat_", "", .hexadecimal, 32...32),
        TokenPrefix(.apiKey, "shpss_", "", .hexadecimal, 32...32),
        TokenPrefix(.apiKey, "gsk_", "", .alphanumeric, 40...64),
        TokenPrefix(.apiKey, "xai-", "", .alphanumeric, 70...100),
        TokenPrefix(.apiKey, "pplx-", "", .alphanumeric, 40...64),
        TokenPrefix(.apiKey, "nvapi-", "", .base64url, 60...80),
        TokenPrefix(.apiKey, "tvly-", "", .base64url, 28...64),
        TokenPrefix(.apiKey, "lsv2_", "pt_", .base64url, 40...60),
        TokenPrefix(.apiKey, "lsv2_", "sk_", .base64url, 40...60),
        TokenPrefix(.apiKey, "r8_", "", .alphanumeric, 37...40),
        TokenPrefix(.apiKey, "glsa_", "", .base64url, 32...64),
        TokenPrefix(.apiKey, "sqp_", "", .hexadecimal, 40...40),
        TokenPrefix(.apiKey, "key-", "", .hexadecimal, 32...32),
        TokenPrefix(.apiKey, "sk_", "", .hexadecimal, 48...48),
        TokenPrefix(.apiKey, "SG.", "", .dotted, 66...69),
        TokenPrefix(.apiKey, "hvs.", "", .base64url, 24...300),
        TokenPrefix(.apiKey, "hvb.", "", .base64url, 24...300),
        TokenPrefix(.apiKey, "hvr.", "", .base64url, 24...300),
        TokenPrefix(.apiKey, "dckr_", "pat_", .base64url, 27...64),
        TokenPrefix(.apiKey, "pul-", "", .hexadecimal, 40...40),
        TokenPrefix(.apiKey, "shpca_", "", .hexadecimal, 32...32),
        TokenPrefix(.apiKey, "shppa_", "", .hexadecimal, 32...32),
        TokenPrefix(.apiKey, "figd_", "", .base64url, 36...64),
        TokenPrefix(.apiKey, "pcsk_", "", .base64url, 60...90),
        TokenPrefix(.apiKey, "sntrys_", "", .base64url, 60...250),
        TokenPrefix(.apiKey, "doo_", "v1_", .hexadecimal, 64...64),
        TokenPrefix(.apiKey, "dp.", "pt.", .alphanumeric, 40...44),
        TokenPrefix(.apiKey, "dp.", "st.", .dotted, 40...80),
        TokenPrefix(.apiKey, "sq0csp-", "", .base64url, 43...43),
        TokenPrefix(.apiKey, "dp.", "ct.", .dotted, 40...80),
        TokenPrefix(.apiKey, "dp.", "sa.", .dotted, 40...80),
        TokenPrefix(.apiKey, "NRAK-", "", .alphanumeric, 27...27),
        TokenPrefix(.apiKey, "NRII-", "", .base64url, 32...32),
        TokenPrefix(.apiKey, "ntn_", "", .alphanumeric, 40...64),
        TokenPrefix(.apiKey, "PMAK-", "", .base64url, 59...59),
        TokenPrefix(.apiKey, "sbp_", "", .hexadecimal, 40...40),
        TokenPrefix(.apiKey, "sb_", "secret_", .base64url, 20...64),
        TokenPrefix(.apiKey, "fw_", "", .alphanumeric, 22...32),
        TokenPrefix(.apiKey, "csk-", "", .alphanumeric, 48...64),
        TokenPrefix(.apiKey, "xkeysib-", "", .base64url, 64...100),
        TokenPrefix(.apiKey, "dor_", "v1_", .hexadecimal, 64...64),
        TokenPrefix(.apiKey, "lin_", "api_", .alphanumeric, 40...40),
        TokenPrefix(.apiKey, "secret_", "", .alphanumeric, 43...43),
        TokenPrefix(.apiKey, "tkn_", "", .base64url, 32...64, behind: "pscale_"),
        TokenPrefix(.apiKey, "pw_", "", .base64url, 32...64, behind: "pscale_"),
        TokenPrefix(.apiKey, "rubygems_", "", .hexadecimal, 48...48),
        TokenPrefix(.apiKey, "jina_", "", .base64url, 50...80),
        TokenPrefix(.apiKey, "sntryu_", "", .hexadecimal, 64...64),
        TokenPrefix(.gitlabToken, "glcbt-", "", .base64url, 20...64),
        TokenPrefix(.gitlabToken, "glptt-", "", .base64url, 40...64),
        TokenPrefix(.googleKey, "ya29.", "", .base64url, 40...400),
        TokenPrefix(.googleKey, "GOCSPX-", "", .base64url, 28...28),
    ]

    /// The heads as a hash table of 256 places, open. Nobody frees it: there is one.
    // Unsafe: written before anybody sees it, and never again.
    nonisolated(unsafe) static let heads: UnsafePointer<UInt64> = {
        let table = UnsafeMutablePointer<UInt64>.allocate(capacity: 256)
        table.initialize(repeating: 0, count: 256)
        for prefix in all {
            var place = slot(prefix.head)
            while table[place] != 0, table[place] != prefix.head { place = (place + 1) & 255 }
            table[place] = prefix.head
        }
        return UnsafePointer(table)
    }()

    /// A bit for each pair of bytes, by its sum, with which a head ends in front of `_`, `-` or `.`: nine of ten names
    /// in a text are told by it. Nobody frees it.
    // Unsafe: written before anybody sees it, and never again.
    nonisolated(unsafe) static let endings: UnsafePointer<UInt64> = {
        let table = UnsafeMutablePointer<UInt64>.allocate(capacity: 16)
        table.initialize(repeating: 0, count: 16)
        for prefix in all {
            let sum = ending(UInt8(truncatingIfNeeded: prefix.head >> 16), UInt8(truncatingIfNeeded: prefix.head >> 8))
            table[sum >> 6] |= 1 << UInt64(sum & 63)
        }
        return UnsafePointer(table)
    }()

    @inline(__always)
    static func ending(_ first: UInt8, _ second: UInt8) -> Int { (Int(first) * 37 + Int(second)) & 1023 }

    @inline(__always)
    static func slot(_ head: UInt64) -> Int { Int((head &* 0x9E37_79B9_7F4A_7C15) >> 56) }

    @inline(__always)
    static func isKnown(_ head: UInt64, in table: UnsafePointer<UInt64>) -> Bool {
        var place = slot(head)
        while table[place] != 0 {
            if table[place] == head { return true }
            place = (place + 1) & 255
        }
        return false
    }
}
