import CLibraries

/// CRC-32C (RFC 3720, appendix B.4): with the processor's own instruction where it has one.
enum Checksum {
    /// - Parameter checksum: that of what stands before the bytes, so that
    ///   `crc32c(b, after: crc32c(a)) == crc32c(a + b)`.
    static func crc32c(_ bytes: UnsafeRawBufferPointer, after checksum: UInt32 = 0) -> UInt32 {
        weir_crc32c(bytes.baseAddress, bytes.count, checksum)
    }
}
