/// How a file is compressed.
enum Compression: String, CaseIterable, Sendable {
    case none, gzip, zstd

    /// What a file's name ends in, with the dot.
    var suffix: String {
        switch self {
        case .none: ""
        case .gzip: ".gz"
        case .zstd: ".zst"
        }
    }

    /// The levels that can be asked for, from fastest to smallest. zstd's levels above 19 are left out: they take
    /// hundreds of megabytes.
    var levels: ClosedRange<Int> {
        switch self {
        case .none: 0...0
        case .gzip: 1...9
        case .zstd: 1...19
        }
    }

    var defaultLevel: Int {
        switch self {
        case .none: 0
        case .gzip: 6
        case .zstd: 3
        }
    }
}
