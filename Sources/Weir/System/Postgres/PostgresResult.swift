import CLibraries

/// What a statement gave: rows of values in their text format.
final class PostgresResult {
    private let handle: OpaquePointer

    /// Takes over a `PGresult`.
    init(_ handle: OpaquePointer) {
        self.handle = handle
    }

    deinit {
        PQclear(handle)
    }

    /// Rows.
    var count: Int { Int(PQntuples(handle)) }
    var columnCount: Int { Int(PQnfields(handle)) }

    /// What the statement was, as the server says it: `COMMIT`, `INSERT 0 1`.
    var tag: String { String(cString: PQcmdStatus(handle)) }

    /// Rows that the statement inserted, changed or removed.
    var affectedCount: Int { Int(String(cString: PQcmdTuples(handle))) ?? 0 }

    /// Nil for NULL. Valid as long as the result is.
    func bytes(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer? {
        guard PQgetisnull(handle, Int32(row), Int32(column)) == 0 else { return nil }
        return UnsafeRawBufferPointer(
            start: PQgetvalue(handle, Int32(row), Int32(column)),
            count: Int(PQgetlength(handle, Int32(row), Int32(column))))
    }

    /// Nil for NULL.
    func text(_ row: Int, _ column: Int) -> String? {
        bytes(row, column).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Nil for NULL, and for what is no integer.
    func int(_ row: Int, _ column: Int) -> Int64? {
        text(row, column).flatMap { Int64($0) }
    }

    func bool(_ row: Int, _ column: Int) -> Bool { text(row, column) == "t" }
}

extension PostgresResult {
    /// Nil where the statement worked. Does not take the handle over.
    static func error(of handle: OpaquePointer) -> PostgresError? {
        switch PQresultStatus(handle) {
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR: break
        default: return nil
        }
        // The fields' names in postgres_ext.h: PG_DIAG_SQLSTATE and so on.
        func field(_ name: Unicode.Scalar) -> String? {
            PQresultErrorField(handle, Int32(name.value)).map { String(cString: $0) }
        }
        let message = field("M") ?? String(cString: PQresultErrorMessage(handle))
        return PostgresError(message, state: field("C") ?? "", detail: field("D"), constraint: field("n"))
    }
}
