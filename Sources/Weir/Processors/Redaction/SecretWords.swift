/// The names that secrets go by: of parameters, variables, headers and members of JSON objects.
enum SecretWords {
    enum Kind { case value, header }

    private static let headers = ["authorization", "cookie", "setcookie", "xapikey", "proxyauthorization"]
    private static let values = [
        "password", "passwd", "passphrase", "pwd", "secret", "apikey", "accesstoken", "authtoken", "refreshtoken",
        "clientsecret", "secretkey", "accesskey", "privatekey", "sessiontoken", "bearertoken", "idtoken", "accountkey",
        "sharedkey", "signingkey", "encryptionkey", "credential", "credentials", "apitoken", "csrftoken",
    ]
    private static let queryKeys = [
        "token", "key", "sig", "signature", "password", "passwd", "pwd", "secret", "accesstoken", "refreshtoken",
        "code",
        "apikey", "auth", "idtoken", "clientsecret", "session", "sessionid", "sid", "xamzsignature", "xamzcredential",
        "xamzsecuritytoken", "awsaccesskeyid", "googleaccessid", "xgoogsignature",
    ]

    /// Whether these three bytes can be the last of one of them. Most colons and equals signs stand behind others.
    @inline(__always)
    static func mayEnd(_ last: UnsafePointer<UInt8>) -> Bool {
        switch UInt32(last[0] | 0x20) << 16 | UInt32(last[1] | 0x20) << 8 | UInt32(last[2] | 0x20) {
        // ord swd ase pwd ret key ken ial als
        case 0x6F7264, 0x737764, 0x617365, 0x707764, 0x726574, 0x6B6579, 0x6B656E, 0x69616C, 0x616C73,
            // ion kie sig ure ode uth sid nid yid
            0x696F6E, 0x6B6965, 0x736967, 0x757265, 0x6F6465, 0x757468, 0x736964, 0x6E6964, 0x796964:
            true
        default: false
        }
    }

    /// Compared from the last letter on, without `_`, `-` and `.`, and without regard to capitals.
    static func ending(_ text: UnsafePointer<UInt8>, _ count: Int) -> Kind? {
        withNormal(text, count) { name in
            if headers.contains(where: { isEqual($0, name) }) { return .header }
            return values.contains { ends(name, with: $0) } ? .value : nil
        }
    }

    static func isQueryKey(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        withNormal(text, count) { name in queryKeys.contains { isEqual($0, name) } }
    }

    private static func withNormal<Result>(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { name in
            var length = 0
            for index in max(0, count - 64)..<count {
                let byte = text[index]
                guard isLetter(byte) || isDigit(byte) else { continue }
                name[length] = isLetter(byte) ? byte | 0x20 : byte
                length += 1
            }
            return body(UnsafeBufferPointer(rebasing: name[..<length]))
        }
    }

    private static func isEqual(_ word: String, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
        name.count == word.utf8.count && name.elementsEqual(word.utf8)
    }

    private static func ends(_ name: UnsafeBufferPointer<UInt8>, with word: String) -> Bool {
        name.count >= word.utf8.count && name.suffix(word.utf8.count).elementsEqual(word.utf8)
    }
}
