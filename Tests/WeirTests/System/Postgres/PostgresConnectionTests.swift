import Glibc
import Testing

@testable import Weir

struct PostgresConnectionTests {
    private func open(_ extra: String = "", interrupt: Interrupt = Interrupt()) throws -> PostgresConnection {
        try PostgresConnection(try PostgresSchema.connection() + " " + extra, interrupt: interrupt)
    }

    @Test func parametersArriveAsTheyAre() throws {
        let connection = try open()
        let result = try connection.run(
            "SELECT $1::text, $2::bytea, $3::bytea, $4::text, $5::bigint, $6::bytea",
            [.text("it's"), .binary([0, 39, 255]), .binary([]), .null, .int(-5), .null])
        #expect((0..<6).map { result.text(0, $0) } == ["it's", "\\x0027ff", "\\x", nil, "-5", nil])
        #expect(result.int(0, 4) == -5 && result.int(0, 0) == nil && result.columnCount == 6)
        let empty = try connection.run("SELECT $1::bytea IS NULL, $2::text = ''", [.binary([]), .text("")])
        #expect(!empty.bool(0, 0) && empty.bool(0, 1))
    }

    /// More of them than a server keeps plans for, one that fails, and again those whose plans are gone.
    @Test func statementsThatComeAgainAreTheSameWhetherTheirPlansAreKeptOrNot() throws {
        let connection = try open()
        for _ in 0..<2 {
            for number in 0...PostgresConnection.maxKept {
                #expect(
                    try connection.runAgain("SELECT $1::bigint + \(number)", [.int(1)]).int(0, 0) == Int64(number + 1))
            }
            #expect(throws: PostgresError.self) { try connection.runAgain("SELECT nothing + $1", [.int(1)]) }
            #expect(throws: PostgresError.self) { try connection.runAgain("SELECT 1 / $1::bigint", [.int(0)]) }
            #expect(try connection.runAgain("SELECT 1 / $1::bigint", [.int(1)]).int(0, 0) == 1)
        }
        let texts = ["a\"b", "a\\", "{a,b}", "\"\u{301}", "NULL", "", "a\nb"]
        let result = try connection.run("SELECT unnest($1::text[])", [.array(texts)])
        #expect((0..<result.count).map { result.text($0, 0) } == texts)
        #expect(try connection.run("SELECT cardinality($1::text[])", [.array([])]).int(0, 0) == 0)
    }

    @Test func ofSeveralStatementsTheLastResultIsReturned() throws {
        let connection = try open()
        #expect(try connection.run("SELECT 1; SELECT 2").int(0, 0) == 2)
        #expect(throws: PostgresError.self) { try connection.run("SELECT 1; SELECT 1/0; SELECT 2") }
        #expect(try connection.run("SELECT 3").int(0, 0) == 3)
    }

    @Test func anErrorSaysWhatTheServerSays() throws {
        let connection = try open()
        try connection.run("CREATE TEMP TABLE small (number integer CONSTRAINT positive CHECK (number > 0))")
        do {
            try connection.run("INSERT INTO small VALUES (-1)")
            Issue.record("wanted an error")
        } catch {
            #expect(error.state == "23514" && error.constraint == "positive")
            #expect(error.detail == "Failing row contains (-1).")
            #expect(error.isRefusal && !error.isMissingPartition)
            #expect("\(error)".hasSuffix("violates check constraint \"positive\" (SQLSTATE 23514)"))
        }
    }

    @Test func rowsAreCopied() throws {
        let connection = try open()
        try connection.run("CREATE TEMP TABLE numbers (number numeric)")
        let values: [Int64] = [
            0, 1, -1, 10_000, 9_999, 123_456_789_012, 1_000_000_000_000, -2_500_000_000_000, 40_000_000, .max, .min,
            10_000_000_000_000_000,
        ]
        var encoder = CopyEncoder()
        encoder.begin()
        for value in values {
            encoder.row(fields: 1)
            encoder.numeric(pico: value)
        }
        encoder.row(fields: 1)
        encoder.numeric(pico: nil)
        encoder.end()
        try connection.copyIn("COPY numbers FROM STDIN (FORMAT binary)")
        try connection.put(encoder.bytes)
        #expect(try connection.endCopy() == values.count + 1)
        let rows = try PostgresSchema.rows(
            "SELECT trunc(number * 1000000000000), scale(number) FROM numbers", on: connection)
        #expect(rows == values.map { "\($0)|12" } + ["NULL|NULL"])
    }

    @Test func anAbandonedCopyLeavesNothing() throws {
        let connection = try open()
        try connection.run("CREATE TEMP TABLE numbers (number integer)")
        try connection.run("BEGIN")
        try connection.copyIn("COPY numbers FROM STDIN")
        try Array("1\n2\n".utf8).withUnsafeBytes { try connection.put($0) }
        try connection.abandonCopy()
        try connection.run("ROLLBACK")
        #expect(try connection.run("SELECT count(*) FROM numbers").int(0, 0) == 0)
    }

    @Test func aCommitThatRollsBackIsNoCommit() throws {
        let connection = try open()
        try connection.run("BEGIN")
        try connection.commit()
        try connection.run("BEGIN")
        #expect(throws: PostgresError.self) { try connection.run("SELECT 1/0") }
        #expect(throws: PostgresError("the server did not commit")) { try connection.commit() }
    }

    @Test func theConnectionStringDecidesBeforeWeirDoes() throws {
        let connection = try open("application_name=mine options='-c work_mem=1234kB'")
        #expect(
            try PostgresSchema.rows(
                "SELECT current_setting('application_name'), current_setting('work_mem')", on: connection)
                == ["mine|1234kB"])
        #expect(try PostgresSchema.rows("SHOW application_name", on: open()) == ["weir"])
    }

    @Test func moreIsCopiedThanASocketTakes() throws {
        let connection = try open()
        try connection.run("CREATE TEMP TABLE texts (text text)")
        let line = Array((String(repeating: "x", count: 1_023) + "\n").utf8)
        let piece = Array(repeatElement(line, count: 256).joined())
        try connection.copyIn("COPY texts FROM STDIN")
        for _ in 0..<64 { try piece.withUnsafeBytes { try connection.put($0) } }
        #expect(try connection.endCopy() == 64 * 256)
    }

    @Test func aHangingStatementEndsWhenItIsInterrupted() async throws {
        let schema = try PostgresSchema()
        let user = PostgresUser(schema)
        let process = try await user.with { $0.serverProcess }
        let hanging = Task { try await user.run("SELECT pg_sleep(600)") }
        let other = try open()
        let count = "SELECT count(*) FROM pg_stat_activity WHERE pid = \(process)"
        try await eventually("the statement runs") {
            try other.run("\(count) AND state = 'active' AND query LIKE '%pg_sleep(600)'").int(0, 0) == 1
        }
        user.interruptNow()
        await #expect(throws: PostgresError("cancelled")) { try await hanging.value }
        try await eventually("the server has stopped too") { try other.run(count).int(0, 0) == 0 }
    }

    @Test func aStatementMayTakeAsLongAsIsSaid() throws {
        let connection = try open()
        connection.maxSilence = .milliseconds(1)
        #expect(throws: PostgresError("the server is silent for too long")) {
            try connection.run("SELECT pg_sleep(600)")
        }
    }

    /// The server has no state of its own for it.
    @Test func aValueThatNeedsMoreMemoryThanThereEverIsIsRefused() throws {
        let connection = try open()
        do {
            try connection.run("SELECT upper(repeat('a', 300000000) COLLATE \"C.utf8\")")
            Issue.record("wanted an error")
        } catch {
            #expect(error.state == "XX000" && error.isRefusal)
        }
        #expect(!PostgresError("unexpected data", state: "XX000").isRefusal)
    }

    @Test func aServerThatIsSilentIsGivenUp() throws {
        let directory = try TemporaryDirectory()
        let silent = try SilentSocket(in: directory.path)
        defer { silent.close() }
        #expect(throws: PostgresError("the server did not answer in time")) {
            try PostgresConnection("host=\(directory.path) connect_timeout=1")
        }
    }

    @Test func aSessionThatTheServerEndsSaysSo() throws {
        let connection = try open()
        let other = try open()
        try other.run("SELECT pg_terminate_backend(\(connection.serverProcess))")
        do {
            try connection.run("SELECT 1")
            Issue.record("wanted an error")
        } catch {
            #expect(error.state == "57P01")
        }
        #expect(throws: PostgresError.self) { try connection.run("SELECT 1") }
    }

    @Test func nothingOfAConnectionStringIsQuoted() throws {
        for text in [
            "postgresql://user:hunter2@[", "hunter2", "password='hunter2", "user=me pasword=hunter2",
            "postgresql://user:hun@ter2@host/db", "password=hunter2\u{0}", "postgresql://user:hunter2/x@host/db",
            "postgres://user:12/hunter2@host/db", "postgresql://host:1,host:hunter2/db", "port=0", "port=65536",
            "postgresql://host/db?sslmode=hunter2",
        ] {
            let problem = try #require(PostgresConnection.problem(with: text), "\(text)")
            #expect(!problem.contains("hun") && !problem.contains("ter2"))
            #expect(throws: PostgresError("found \(problem)")) { try PostgresConnection(text) }
        }
        for text in [
            "", "postgresql:///weir", "host=/tmp dbname=weir password=hunter2", "postgresql://u:p%40@h/db",
            "postgresql://u:p%2F@h:5432,i:5433/db?sslmode=verify-full&application_name=a@b", "host=a,b port=,65535",
        ] {
            #expect(PostgresConnection.problem(with: text) == nil)
        }
    }

    @Test func aServerThatIsNotThereIsNamed() throws {
        let directory = try TemporaryDirectory()
        do {
            _ = try PostgresConnection("host=\(directory.path) password=hunter2")
            Issue.record("wanted an error")
        } catch {
            #expect(error.message.contains("No such file or directory") && !error.message.contains("hunter2"))
            #expect(!error.message.contains("\n") && error.state == "")
        }
    }

    @Test func aWrongPasswordIsSaidAndNotShown() throws {
        let connection = try PostgresSchema.connection()
        _ = try PostgresConnection("\(connection) user=weir_test password=secret")
        do {
            _ = try PostgresConnection("\(connection) user=weir_test password=hunter2")
            Issue.record("wanted an error")
        } catch {
            #expect(error.message.contains("password authentication failed for user \"weir_test\""))
            #expect(!error.message.contains("hunter2"))
        }
    }
}

/// Takes connections on PostgreSQL's socket and never says anything.
private struct SilentSocket {
    private let descriptor: Int32

    init(in directory: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "\(directory)/.s.PGSQL.5432".utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0 && listen(descriptor, 1) == 0)
    }

    func close() {
        Glibc.close(descriptor)
    }
}
