import CLibraries

/// Base64 with the URL and filename safe alphabet (RFC 4648, section 5), without padding.
enum Base64URL {
    static func encode(_ bytes: [UInt8]) -> String {
        let text = [UInt8](unsafeUninitializedCapacity: weir_base64url_length(bytes.count)) { text, count in
            weir_base64url_encode(bytes, bytes.count, text.baseAddress)
            count = weir_base64url_length(bytes.count)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// - Returns: nil where the text is not what ``encode(_:)`` writes.
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        var isSound = false
        let bytes = [UInt8](unsafeUninitializedCapacity: text.count) { bytes, count in
            let length = weir_base64url_decode(text, text.count, bytes.baseAddress)
            isSound = length >= 0
            count = max(0, length)
        }
        return isSound ? bytes : nil
    }
}
