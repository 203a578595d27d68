/// The holds that are on what is published, as the register of erasures has them.
struct ArchiveHolds {
    private let directory: String?
    private var register: ErasureRegister?

    /// - Parameter directory: of the register; nil where there is none.
    init(in directory: String?) {
        self.directory = directory
    }

    /// Their ids.
    mutating func current(for partition: ArchivePartition, at now: Timestamp) throws(FileError) -> [String] {
        guard let directory else { return [] }
        if register == nil { register = try ErasureRegister(reading: directory) }
        if register?.isChanged ?? false { try register?.load() }
        return register?.holds(on: Day(number: partition.hour / 24), of: partition.tenant, at: now) ?? []
    }
}
