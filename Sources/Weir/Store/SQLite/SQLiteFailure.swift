import GRDB

/// Why a file of the hot tables could not be read or written. Nothing is lost by it: a transaction is there as a whole
/// or not at all.
struct SQLiteFailure: Error, Equatable, CustomStringConvertible {
    /// The file or directory.
    let path: String
    let reason: String

    init(_ path: String, _ reason: String) {
        self.path = path
        self.reason = reason
    }

    init(_ path: String, _ error: any Error) {
        switch error {
        case let failure as SQLiteFailure: self = failure
        case let error as DatabaseError: self.init(path, Self.reason(error))
        default: self.init(path, "\(error)")
        }
    }

    var description: String { "\(path): \(reason)" }

    private static func reason(_ error: DatabaseError) -> String {
        let code = error.extendedResultCode.rawValue
        let message = "\(error.message?.lowercased() ?? "no message") (SQLite \(code))"
        return switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            "another process has it locked for longer than \(SQLiteFile.busyTimeout.text): \(message)"
        // Where there is no room for the -shm.
        case .SQLITE_FULL,
            .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE:
            "cannot grow, wanted room on the disk: \(message)"
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            "cannot be written, wanted a file and a directory that this user may write: \(message)"
        case .SQLITE_CANTOPEN: "cannot be opened, wanted a directory that this user may write: \(message)"
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            "is damaged, wanted a sound database: move it away with its -wal and -shm, and save what is left with"
                + " sqlite3's .recover: \(message)"
        default: message
        }
    }
}
