/// Where data keys are kept. A call returns when what it wrote is durable. Nothing in it is a key in clear.
protocol KeyDatabase: AnyObject {
    /// Makes the tables where they are missing.
    func open(at now: Timestamp) throws(KeyError)
    /// Keys of a day that are not destroyed, at most `limit`.
    func keys(of day: Day, limit: Int) throws(KeyError) -> [DataKeyRow]
    /// At most 500 ids.
    func keys(_ ids: [UInt64]) throws(KeyError) -> [DataKeyRow]
    /// Those with the ids that follow `id`, in their order, destroyed ones too.
    func keys(after id: UInt64?, limit: Int) throws(KeyError) -> [DataKeyRow]
    /// Keeps keys; one whose id it has stays as it is. Of the class `index` there is one.
    func insert(_ rows: [DataKeyRow]) throws(KeyError)
    /// Replaces ``DataKeyRow/wrapped`` and ``DataKeyRow/wrappedBy`` of keys that are not destroyed.
    func rewrap(_ rows: [DataKeyRow]) throws(KeyError)
    /// Forgets keys for good, in one transaction; their rows stay. Whoever has them in the files of the database
    /// has them until ``wipe()``.
    /// - Parameter ids: not many, since who wants to keep a new key waits as long.
    /// - Returns: those that were not destroyed before.
    func destroy(_ ids: [UInt64], at now: Timestamp) throws(KeyError) -> [UInt64]
    /// Sees to it that what was destroyed is not in what is left over in the files of the database, as far as that can
    /// be done.
    func wipe() throws(KeyError)
    /// The ids of keys, of destroyed ones too.
    func ids(_ selection: KeySelection) throws(KeyError) -> [UInt64]
    /// Those of the tags, at most 500, that have keys of the tenant which are not destroyed, each with when the first
    /// of these was made.
    func subjects(_ tags: [[UInt8]], of tenant: String) throws(KeyError) -> [[UInt8]: Timestamp]
    /// The ids of keys that were destroyed no longer ago than that.
    func destroyed(within age: Duration, at now: Timestamp) throws(KeyError) -> [UInt64]
    /// Keeps what somebody did, for ever.
    func audit(_ entry: KeyAuditEntry) throws(KeyError)
    /// The newest first.
    func audits(limit: Int) throws(KeyError) -> [KeyAuditEntry]
    /// Copies everything into a file that only its owner may read, and remembers it.
    func backUp(to path: String, at now: Timestamp) throws(KeyError)
    /// Backups that were made.
    func backups() throws(KeyError) -> [String]
    /// Remembers one of them no longer, since it is gone for good.
    func forget(backup path: String) throws(KeyError)
    func close()
}

extension KeyDatabase {
    /// Destroys all that are meant, without a pause for others.
    func destroy(_ selection: KeySelection, at now: Timestamp) throws(KeyError) -> [UInt64] {
        let destroyed = try destroy(try ids(selection), at: now)
        try wipe()
        return destroyed
    }
}

/// Which keys are meant.
enum KeySelection: Sendable, Equatable {
    case id(UInt64)
    case subject(tenant: String, tag: [UInt8])
    /// All of a tenant that were made on days before this one.
    case tenant(String, before: Day)
}

/// Who used keys, for what, and when.
struct KeyAuditEntry: Sendable, Equatable {
    let at: Timestamp
    let actor: String
    let action: String
    let detail: String
}
