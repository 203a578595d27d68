/// A hash of the OpenTelemetry Collector's redaction processor.
enum CollectorHash: Sendable {
    case plain(Digest.Algorithm)
    case keyed(KeyedHash)

    func text(of bytes: UnsafeRawBufferPointer) -> [UInt8] {
        let digest =
            switch self {
            case .plain(let algorithm): Digest.hash(bytes, algorithm)
            case .keyed(let hash): hash.hash(bytes)
            }
        let digits: StaticString = "0123456789abcdef"
        return digest.flatMap { [digits.utf8Start[Int($0 >> 4)], digits.utf8Start[Int($0 & 15)]] }
    }
}
