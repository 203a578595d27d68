import CLibraries

extension ClientCertificate {
    /// Bytes that all names may take together.
    private static let room = 16 << 10

    /// Nil where this is no certificate, or its names are too long.
    init?(der: [UInt8]) {
        var text = [CChar](repeating: 0, count: Self.room)
        let count = weir_certificate_names(der, der.count, &text, text.count)
        guard count >= 0 else { return nil }
        let names = text[..<count].split(separator: 0).map { name in
            String(decoding: name.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        self.init(names: names)
    }
}
