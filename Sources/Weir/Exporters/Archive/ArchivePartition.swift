/// The directory of the archive that a span belongs to: its tenant's, for the hour in UTC in which it started; see
/// ``ArchiveWindow``.
struct ArchivePartition: Hashable {
    let tenant: String
    /// Since 1970.
    let hour: Int

    /// What Hive writes for "no value"; DuckDB and Spark read it as NULL. It stands for the date and hour of spans too,
    /// in archives of older Weirs.
    static let null = "__HIVE_DEFAULT_PARTITION__"

    /// Of files that have a whole day. A number, since readers find out by the names what type hours have, and no hour.
    static let merged = "hour=24"

    static func hour(of startTime: UInt64) -> Int {
        Int(startTime / 3_600_000_000_000)
    }

    /// `tenant=shop/date=2026-02-03/hour=04`
    var path: String {
        let tenant = "tenant=\(Self.directoryName(of: tenant))"
        let time = CalendarTime(secondsSince1970: hour * 3_600)
        return "\(tenant)/date=\(time.date)/hour=\(time.hour.digits(2))"
    }

    /// Where its files stand when those of the whole day are merged: as deep as all others, since readers of hive
    /// partitions refuse what is not.
    var mergedPath: String {
        let date = CalendarTime(secondsSince1970: hour * 3_600).date
        return "tenant=\(Self.directoryName(of: tenant))/date=\(date)/\(Self.merged)"
    }
}

extension ArchivePartition {
    /// Bytes of a tenant's name in a path, escapes included. File systems allow 255 for the whole component.
    static let maximumName = 200

    /// A tenant's name as part of a path: every byte but letters, digits, `_`, `-` and `.` becomes `%XX`, and so does a
    /// dot in front. No two tenants get the same name, unless both are too long and a hash of 64 bits is the same.
    static func directoryName(of tenant: String) -> String {
        guard !tenant.isEmpty else { return null }
        // A tenant who is called like that must not be taken for none.
        var escapesNext = tenant == null || tenant.hasPrefix(".")
        var name = ""
        for byte in tenant.utf8 {
            name += isPlain(byte) && !escapesNext ? String(UnicodeScalar(byte)) : escape(byte)
            escapesNext = false
            guard name.utf8.count <= maximumName else { return shortened(name, tenant) }
        }
        return name
    }

    /// `%-` stands in no name that was escaped in full.
    private static func shortened(_ name: String, _ tenant: String) -> String {
        name.prefix(maximumName - 18) + "%-" + hash(tenant).digits(16, radix: 16)
    }

    /// FNV-1a, since Swift's own hash differs from process to process.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: false
        }
    }

    private static func escape(_ byte: UInt8) -> String {
        "%" + byte.digits(2, radix: 16, uppercase: true)
    }
}
