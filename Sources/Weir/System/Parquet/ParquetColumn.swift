/// A column of a Parquet file, of the kinds that Weir writes: flat, with one value or none in a row.
struct ParquetColumn: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        /// UTF-8.
        case text
        case int32, int64
        /// Microseconds since 1970, in UTC.
        case timestamp
        /// Up to 18 digits, of which so many stand behind the point.
        case decimal(scale: Int)
        case flag
    }

    let name: String
    let kind: Kind
    /// Whether a row may have none.
    var isOptional = false
    /// The same texts are to be expected in many rows, so that each is written once.
    var repeats = false
    /// One text stands in many rows that do not bring it anew, so it is in a dictionary, however large that becomes:
    /// written for each row, it could be thousands of times what came in.
    var isShared = false
    /// Readers skip rows by the smallest and the largest value.
    var hasBounds = true
    /// Readers look for single values, so there is a Bloom filter of them.
    var isLookedFor = false
}
