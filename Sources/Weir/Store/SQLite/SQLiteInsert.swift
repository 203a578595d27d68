import GRDB
import GRDBSQLite

/// A prepared INSERT whose values are given one column after the other. They are neither copied nor made objects, which
/// is why bytes have to stay where they are until ``run(_:)`` returns.
struct SQLiteInsert {
    private static let empty: StaticString = ""

    private let statement: Statement
    private let pointer: OpaquePointer
    private var column: Int32 = 0
    private var failure = SQLITE_OK

    /// - Parameter conflict: what follows the values, such as `ON CONFLICT DO NOTHING`.
    init(into table: String, _ columns: [String], conflict: String = "", _ db: Database) throws {
        let places = Array(repeating: "?", count: columns.count).joined(separator: ", ")
        statement = try db.cachedStatement(
            sql: "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(places)) \(conflict)")
        pointer = statement.sqliteStatement
    }

    mutating func add(_ value: Int64?) {
        column += 1
        note(value.map { sqlite3_bind_int64(pointer, column, $0) } ?? sqlite3_bind_null(pointer, column))
    }

    /// NULL for nil.
    mutating func add(real value: Double?) {
        column += 1
        note(value.map { sqlite3_bind_double(pointer, column, $0) } ?? sqlite3_bind_null(pointer, column))
    }

    /// NULL for 0.
    mutating func add(count: UInt32) {
        add(count == 0 ? nil : Int64(count))
    }

    mutating func add(blob: UnsafeRawBufferPointer) {
        column += 1
        note(sqlite3_bind_blob64(pointer, column, blob.baseAddress, UInt64(blob.count), nil))
    }

    /// NULL for nil. Valid UTF-8.
    mutating func add(text: UnsafeRawBufferPointer?) {
        column += 1
        guard let text else { return note(sqlite3_bind_null(pointer, column)) }
        // Without an address SQLite would take it for NULL.
        let start = text.baseAddress ?? UnsafeRawPointer(Self.empty.utf8Start)
        note(
            sqlite3_bind_text64(
                pointer, column, start.assumingMemoryBound(to: CChar.self), UInt64(text.count), nil,
                UInt8(SQLITE_UTF8)))
    }

    /// NULL for nil.
    mutating func add(word: StaticString?) {
        add(text: word.map { UnsafeRawBufferPointer(start: $0.utf8Start, count: $0.utf8CodeUnitCount) })
    }

    /// Inserts the row, and is ready for the next.
    mutating func run(_ db: Database) throws {
        defer {
            sqlite3_reset(pointer)
            column = 0
            failure = SQLITE_OK
        }
        let code = failure == SQLITE_OK ? sqlite3_step(pointer) : failure
        guard code == SQLITE_DONE else {
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: db.lastErrorMessage)
        }
    }

    private mutating func note(_ code: Int32) {
        if code != SQLITE_OK, failure == SQLITE_OK { failure = code }
    }
}
