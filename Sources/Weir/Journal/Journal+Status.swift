extension Journal {
    /// What there is to be seen from outside.
    struct Status: Sendable {
        let usedBytes: Int
        let mark: JournalState.Mark
        let records: Int
        let failure: DiskError?
        let duplicates: Int
        let rememberedRequests: Int
        let forgottenRequests: Int
    }

    /// A part of a segment that a reader found damaged.
    struct Damaged: Sendable {
        /// The file.
        let segment: String
        let damage: SegmentScan.Damage
    }
}
