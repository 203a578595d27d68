/// The names that secrets go by: of parameters, variables, headers and members of JSON objects.
enum SecretWords {
    enum Kind { case value, header }

    private static let headers = ["authorization", "cookie", "setcookie", "xapikey", "proxyauthorization"].map(letters)
    private static let values = [
        "password", "passwd", "passphrase", "pwd", "secret", "apikey", "accesstoken", "authtoken", "refreshtoken",
        "clientsecret", "secretkey", "accesskey", "privatekey", "sessiontoken", "bearertoken", "idtoken", "accountkey",
        "sharedkey", "dbpass", "dbpwd", "passwort", "kennwort", "motdepasse", "signingkey", "encryptionkey",
        "credential", "credentials", "apitoken", "csrftoken",
    ].map(letters)
    /// Names that are one only as they stand, and only where the value looks like a secret.
    private static let wholes = ["token", "pass"].map(letters)
    private static let queryKeys = [
        "token", "sig", "signature", "password", "passwd", "pwd", "secret", "accesstoken", "refreshtoken", "apikey",
        "idtoken", "clientsecret", "xamzsignature", "xamzcredential", "xamzsecuritytoken", "awsaccesskeyid",
        "googleaccessid", "xgoogsignature",
    ].map(letters)
    /// Those that name much else, too.
    private static let looseQueryKeys = ["key", "code", "auth", "session", "sessionid", "sid"].map(letters)

    private static func letters(_ word: String) -> [UInt8] { Array(word.utf8) }

    /// A bit for each three letters, by their sum, that one of them ends with: most colons and equals signs stand
    /// behind others. Nobody frees it.
    // Unsafe: written before anybody sees it, and never again.
    nonisolated(unsafe) static let endings: UnsafePointer<UInt64> = {
        let table = UnsafeMutablePointer<UInt64>.allocate(capacity: 16)
        table.initialize(repeating: 0, count: 16)
        for word in headers + values + wholes + queryKeys + looseQueryKeys {
            let sum = word.withUnsafeBufferPointer { $0.baseAddress.map { ending($0 + word.count - 3) } ?? 0 }
            table[sum >> 6] |= 1 << UInt64(sum & 63)
        }
        return UnsafePointer(table)
    }()

    /// Of three bytes, small letters and capitals alike.
    @inline(__always)
    static func ending(_ last: UnsafePointer<UInt8>) -> Int {
        ((Int(last[0] | 0x20) * 37 + Int(last[1] | 0x20)) * 37 + Int(last[2] | 0x20)) & 1023
    }

    /// The headers and values by their last letter, of which most names have another.
    private static let byLast: [[(word: [UInt8], kind: Kind)]] = {
        var table: [[(word: [UInt8], kind: Kind)]] = Array(repeating: [], count: 128)
        for word in headers { table[Int(word[word.count - 1])].append((word, .header)) }
        for word in values { table[Int(word[word.count - 1])].append((word, .value)) }
        return table
    }()

    /// Compared from the last letter on, without `_`, `-` and `.`, and without regard to capitals.
    static func ending(_ text: UnsafePointer<UInt8>, _ count: Int) -> Kind? {
        withNormal(text, count) { name in
            guard let last = name.last else { return nil }
            for (word, kind) in byLast[Int(last)] where ends(name, with: word) {
                if kind == .value || word.count == name.count { return kind }
            }
            return nil
        }
    }

    static func whole(_ text: UnsafePointer<UInt8>, _ count: Int) -> Kind? {
        withNormal(text, count) { name in wholes.contains { isEqual($0, name) } ? .value : nil }
    }

    /// - Returns: whether any value of this parameter is a secret; nil where none is.
    static func queryKey(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool? {
        withNormal(text, count) { name in
            if queryKeys.contains(where: { isEqual($0, name) }) { return true }
            return looseQueryKeys.contains { isEqual($0, name) } ? false : nil
        }
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

    private static func isEqual(_ word: [UInt8], _ name: UnsafeBufferPointer<UInt8>) -> Bool {
        name.count == word.count && ends(name, with: word)
    }

    @inline(__always)
    private static func ends(_ name: UnsafeBufferPointer<UInt8>, with word: [UInt8]) -> Bool {
        let start = name.count - word.count
        guard start >= 0 else { return false }
        // Words that are not the same mostly differ in their last letters.
        for index in word.indices.reversed() where name[start + index] != word[index] { return false }
        return true
    }
}
