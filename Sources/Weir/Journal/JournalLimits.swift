/// How large a journal may get, and how sure it is.
struct JournalLimits: Sendable {
    /// Of all segments and their spare, in bytes.
    var maxBytes = 8 << 30
    /// What has to be left free on the disk, in bytes.
    var minFreeBytes = 0
    /// Of one segment, in bytes; a record that is larger gets a segment of its own.
    var segmentBytes: Int
    var durability = Durability.fsync
    /// For ``Durability/interval``.
    var syncInterval = Duration.milliseconds(100)
    /// How long the first of a group may wait for the disk before new requests are refused.
    var patience = Duration.seconds(1)
    /// What one tenant may hold once the journal is at the yellow mark, in bytes.
    var tenantBytes: Int
    /// How long a client's resend is recognised; zero switches it off.
    var dedupeWindow = Duration.zero
    /// The secret by which requests are told apart; see ``RequestKey``.
    var dedupeKey: [UInt8] = []
    /// Requests that are remembered for it at most.
    var dedupeRequests = 1_000_000
    /// Bytes of the newest records that are kept in memory for exporters that keep up.
    var cachedBytes = 64 << 20
    /// They stay there until they are done, for one who reads them a second time, instead of until they are read.
    var areReadAgain = false
    /// A segment that is not needed becomes the next one. Else it goes: whoever else wants room on the disk has it, and
    /// none of its bytes stand in another file.
    var reusesSegments = true
    /// An entry is taken whatever its size, and then goes over the limit: what it is made of was acknowledged.
    var takesAnySize = false

    /// Shares of `maxBytes`. Above yellow, tenants that hold too much are refused; above red, everybody is, until the
    /// journal is below the mark where it takes again.
    static let yellow = 0.70
    static let red = 0.85
    static let relieved = 0.80

    init(maxBytes: Int = 8 << 30) {
        self.maxBytes = maxBytes
        // Sixteen at least, so that a segment that is nearly done with holds little.
        segmentBytes = min(64 << 20, max(64 << 10, (maxBytes / 16) & ~((64 << 10) - 1)))
        tenantBytes = maxBytes / 2
    }

    init(_ settings: JournalSettings) {
        self.init(maxBytes: settings.maxBytes.bytes)
        minFreeBytes = settings.minFreeBytes.bytes
        tenantBytes = settings.tenantBytes.bytes
        durability = settings.durability
        syncInterval = settings.syncInterval
        dedupeWindow = settings.dedupeWindow
        dedupeRequests = settings.dedupeRequests
    }

    /// For a journal that is written by a stage: a record there may be longer than the one it comes from, and nobody
    /// sends anything a second time. No tenant may hold up the others there, because it would hold them all up.
    var behindStage: JournalLimits {
        var limits = self
        limits.maxBytes = maxBytes + maxBytes / 2
        limits.tenantBytes = limits.maxBytes
        limits.dedupeWindow = .zero
        // What the first one is done with was acknowledged long ago.
        if durability == .interval { limits.durability = .fsync }
        // Nobody knows how much longer: what is written on a span may be more than the span.
        limits.takesAnySize = true
        return limits
    }

    /// Whether requests are to be recognised when they come again.
    var dedupes: Bool { dedupeWindow > .zero }

    /// What an entry may have at most: it must fit below the red mark beside a segment that is nearly done with.
    var maxEntryBytes: Int { takesAnySize ? Self.recordBytes : maxBytes / 2 }

    /// A record's length is a number of 32 bits; a codec may add something.
    private static let recordBytes = (1 << 32) - (1 << 20)
}
