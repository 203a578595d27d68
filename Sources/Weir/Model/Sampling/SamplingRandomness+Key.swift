extension SamplingRandomness {
    /// Decides for all that have this value, in every process with the same seed: FNV-1a of 64 bits, whose result is
    /// then mixed so that each bit depends on all of the text. Who can choose the text can choose to be kept.
    init(hashing text: UnsafeRawBufferPointer, seed: UInt32) {
        // Fowler, Noll and Vo's parameters for 64 bits.
        var hash: UInt64 = 14_695_981_039_346_656_037
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            hash = (hash ^ UInt64(UInt8(truncatingIfNeeded: seed >> shift))) &* 1_099_511_628_211
        }
        for byte in text { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        // Steele, Lea and Flood, "Fast splittable pseudorandom number generators": the finalizer.
        hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
        self.init(hash ^ hash >> 31)
    }
}
