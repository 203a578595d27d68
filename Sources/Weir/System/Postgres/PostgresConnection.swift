import CLibraries
import Dispatch
import Glibc

/// A session with a PostgreSQL server, through libpq. Its calls block the thread, so they belong on a
/// ``BlockingExecutor``.
///
/// Every wait is in one place, which looks at the socket, at an ``Interrupt`` and at the clock. A session that was
/// interrupted, or whose server is silent for too long, is over, and the server is asked to stop what it does for it.
final class PostgresConnection {
    /// For a connection string without `connect_timeout`.
    static let connectTimeout = Duration.seconds(10)
    /// Of the copy protocol. What libpq is given at once, it keeps until the socket takes it.
    static let maxPiece = 256 << 10
    /// Statements whose plans a server keeps for a session.
    static let maxKept = 64

    /// How long a server may be silent, as it is while it works. Who lets a statement take longer says so here too; a
    /// machine that is gone is found out sooner.
    var maxSilence = Duration.seconds(120)

    private var handle: OpaquePointer?
    private let interrupt: Interrupt
    /// Statements whose plan the server keeps, and the names it has them by.
    private var kept: [String: String] = [:]

    /// - Parameter text: a connection string, URL or keywords.
    init(_ text: String, interrupt: Interrupt = Interrupt()) throws(PostgresError) {
        self.interrupt = interrupt
        if let problem = Self.problem(with: text) { throw PostgresError("found \(problem)") }
        handle = Self.start(text)
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        try connect()
        PQsetnonblocking(handle, 1)
    }

    deinit {
        close()
    }

    /// Such as 150018 for 15.18.
    var serverVersion: Int { Int(PQserverVersion(handle)) }

    /// Of the database, such as `UTF8`.
    var serverEncoding: String { PQparameterStatus(handle, "server_encoding").map { String(cString: $0) } ?? "" }

    /// The process that serves this session; 0 if it is over.
    var serverProcess: Int32 { PQbackendPID(handle) }

    func close() {
        PQfinish(handle)
        handle = nil
    }

    /// Waits for nothing but the interrupt.
    func pause(_ duration: Duration) throws(PostgresError) {
        _ = try wait(for: 0, of: -1, until: .now + duration)
    }
}

// MARK: - Connecting

extension PostgresConnection {
    /// What is wrong with a connection string, without any of its text; nil if nothing is.
    static func problem(with text: String) -> String? {
        guard !text.utf8.contains(0) else { return "a NUL in the connection string" }
        guard let options = PQconninfoParse(text, nil) else {
            // libpq's message would quote from it.
            return "something else than a PostgreSQL connection string, a URL or keywords"
        }
        defer { PQconninfoFree(options) }
        let host = value("host", of: options) ?? ""
        // One in front names an abstract socket.
        if host.dropFirst().contains("@") { return "an @ in the host, which in a password has to be written %40" }
        // What stands behind the colon is then a part of a password, and libpq's message would quote it.
        if hasPathBeforeHost(text) || !(value("port", of: options) ?? "").split(separator: ",").allSatisfy(isPort) {
            return "a port that is not in 1...65535; a / in a password has to be written %2F"
        }
        let mode = value("sslmode", of: options)
        guard mode.map(sslModes.contains) ?? true else {
            return "an sslmode that is none of \(sslModes.joined(separator: ", "))"
        }
        return nil
    }

    /// libpq 15, 34.19.
    private static let sslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]

    private static func isPort(_ text: Substring) -> Bool { Int(text).map { (1...65_535).contains($0) } ?? false }

    /// Whether an @ comes behind the first slash of a URL, and before its parameters: one in a database's name is
    /// written %40.
    private static func hasPathBeforeHost(_ text: String) -> Bool {
        guard let start = ["postgresql://", "postgres://"].first(where: text.hasPrefix) else { return false }
        let rest = text.dropFirst(start.count).prefix { $0 != "?" }
        return rest.firstIndex(of: "/").map { rest[$0...].contains("@") } ?? false
    }

    private static func start(_ text: String) -> OpaquePointer? {
        // What stands in front of the string is used where it says nothing else. Without `tcp_user_timeout` a host
        // that is not there would take all the time that its successors have.
        let timeout = "\(Int64(connectTimeout / .milliseconds(1)))"
        let options = [
            ("fallback_application_name", "weir"), ("tcp_user_timeout", timeout), ("keepalives_idle", "60"),
            ("dbname", text), ("client_encoding", "UTF8"),
        ]
        let words = options.map { strdup($0.0) } + [nil] + options.map { strdup($0.1) } + [nil]
        defer { for word in words { free(word) } }
        let pointers = words.map { UnsafePointer($0) }
        return PQconnectStartParams(Array(pointers[...options.count]), Array(pointers[(options.count + 1)...]), 1)
    }

    private func connect() throws(PostgresError) {
        let deadline = ContinuousClock.now + timeoutForConnecting
        var next = PGRES_POLLING_WRITING
        while next != PGRES_POLLING_OK, PQstatus(handle) != CONNECTION_BAD {
            let events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT
            guard try wait(for: events, of: PQsocket(handle), until: deadline) else {
                close()
                throw PostgresError("the server did not answer in time")
            }
            next = PQconnectPoll(handle)
        }
        guard next == PGRES_POLLING_OK else {
            let message = String(cString: PQerrorMessage(handle))
            close()
            throw PostgresError(message.isEmpty ? "cannot connect" : message)
        }
    }

    private var timeoutForConnecting: Duration {
        guard let options = PQconninfo(handle) else { return Self.connectTimeout }
        defer { PQconninfoFree(options) }
        // libpq 15, 34.1.2: zero, negative or not specified is without limit.
        let seconds = Self.value("connect_timeout", of: options).flatMap { Int($0) } ?? 0
        let hosts = (Self.value("host", of: options) ?? "").split(separator: ",").count
        return (seconds > 0 ? .seconds(seconds) : Self.connectTimeout) * max(1, hosts)
    }

    private static func value(_ keyword: String, of options: UnsafeMutablePointer<PQconninfoOption>) -> String? {
        var option = options
        while let name = option.pointee.keyword {
            if String(cString: name) == keyword { return option.pointee.val.map { String(cString: $0) } }
            option += 1
        }
        return nil
    }
}

// MARK: - Statements

extension PostgresConnection {
    /// Runs a statement. Without parameters there may be several, of which the last one's result is returned.
    @discardableResult
    func run(_ sql: String, _ parameters: [PostgresParameter] = []) throws(PostgresError) -> PostgresResult {
        try result(of: send(sql, parameters))
    }

    /// Runs a statement and gives its rows one by one, as they come: each is a result of one row. What nobody has asked
    /// for yet is with the server.
    /// - Parameter body: whether the next one is wanted. If not, the session is over, as the rest of the answer is on
    ///   its way.
    func forEachRow(
        _ sql: String, _ parameters: [PostgresParameter], _ body: (PostgresResult) -> Bool
    ) throws(PostgresError) {
        guard send(sql, parameters) == 1, PQsetSingleRowMode(handle) == 1 else { throw lost() }
        var failure: PostgresError?
        while true {
            try awaitResult()
            guard let next = PQgetResult(handle) else { break }
            if failure == nil { failure = PostgresResult.error(of: next) }
            let result = PostgresResult(next)
            guard result.count == 0 || body(result) else { return stopServer() }
        }
        if let failure { throw failure }
    }

    private func send(_ sql: String, _ parameters: [PostgresParameter]) -> Int32 {
        if parameters.isEmpty { return PQsendQuery(handle, sql) }
        return send(parameters.map(\.bytes)) { values, lengths in
            let formats = parameters.map { $0.isBinary ? Int32(1) : 0 }
            return PQsendQueryParams(handle, sql, Int32(parameters.count), nil, values, lengths, formats, 0)
        }
    }

    /// Runs a statement that comes again and takes long to plan: the server keeps its plan.
    @discardableResult
    func runAgain(_ sql: String, _ parameters: [PostgresParameter]) throws(PostgresError) -> PostgresResult {
        let name = try keep(sql)
        return try result(
            of: send(parameters.map(\.bytes)) { values, lengths in
                let formats = parameters.map { $0.isBinary ? Int32(1) : 0 }
                return PQsendQueryPrepared(handle, name, Int32(parameters.count), values, lengths, formats, 0)
            })
    }

    private func keep(_ sql: String) throws(PostgresError) -> String {
        if let name = kept[sql] { return name }
        if kept.count >= Self.maxKept {
            try run("DEALLOCATE ALL")
            kept = [:]
        }
        let name = "kept \(kept.count)"
        _ = try result(of: PQsendPrepare(handle, name, sql, 0, nil))
        kept[sql] = name
        return name
    }

    private func result(of sent: Int32) throws(PostgresError) -> PostgresResult {
        guard sent == 1, let result = try results() else { throw lost() }
        return result
    }

    /// A server answers COMMIT with ROLLBACK, and not with an error, where the transaction had failed.
    func commit() throws(PostgresError) {
        guard try run("COMMIT").tag == "COMMIT" else { throw PostgresError("the server did not commit") }
    }

    /// - Parameter send: is given where each value is, and how long.
    private func send(
        _ values: [[UInt8]?], _ send: ([UnsafePointer<CChar>?], [Int32]) -> Int32
    ) -> Int32 {
        let bytes = values.flatMap { $0 ?? [] }
        return bytes.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { bytes in
                var position = 0
                let starts = values.map { value -> UnsafePointer<CChar>? in
                    guard let value else { return nil }
                    defer { position += value.count }
                    // An empty value of an empty list of values has no address, and must not become NULL.
                    return bytes.baseAddress.map { $0 + position } ?? Self.nothing
                }
                return send(starts, values.map { Int32($0?.count ?? 0) })
            }
        }
    }

    // Unsafe: never written to, never freed.
    nonisolated(unsafe) private static let nothing = UnsafePointer(UnsafeMutablePointer<CChar>.allocate(capacity: 1))

    /// Takes all results of what was sent.
    private func results() throws(PostgresError) -> PostgresResult? {
        var last: PostgresResult?
        var failure: PostgresError?
        while true {
            try awaitResult()
            guard let next = PQgetResult(handle) else { break }
            if failure == nil { failure = PostgresResult.error(of: next) }
            let status = PQresultStatus(next)
            last = PostgresResult(next)
            if status == PGRES_COPY_IN { break }
        }
        if let failure { throw failure }
        return last
    }

    private func lost() -> PostgresError {
        let message = handle.map { String(cString: PQerrorMessage($0)) } ?? ""
        return PostgresError(message.isEmpty ? "the connection is closed" : message)
    }
}

// MARK: - Copying

extension PostgresConnection {
    /// Begins `COPY … FROM STDIN`.
    func copyIn(_ sql: String) throws(PostgresError) {
        try run(sql)
    }

    /// Hands over the next bytes, at most ``maxPiece``. Returns once those before are with the server, so that it works
    /// while the next ones are made.
    func put(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        try flush()
        guard PQputCopyData(handle, bytes.baseAddress, Int32(bytes.count)) == 1 else { throw lost() }
        // What does not go now goes before the next piece; what fails is told by the result.
        PQflush(handle)
    }

    /// - Returns: the rows that were copied.
    @discardableResult
    func endCopy() throws(PostgresError) -> Int {
        guard PQputCopyEnd(handle, nil) == 1 else { throw lost() }
        return try results()?.affectedCount ?? 0
    }

    /// Ends copying so that nothing is copied. A transaction around it has failed then.
    func abandonCopy() throws(PostgresError) {
        guard PQputCopyEnd(handle, "abandoned") == 1 else { throw lost() }
        do {
            _ = try results()
        } catch  where error.state == "57014" {}
    }
}

// MARK: - Waiting

extension PostgresConnection {
    private func flush() throws(PostgresError) {
        while PQflush(handle) == 1 {
            try waitForServer(POLLIN | POLLOUT)
            // libpq 15, 34.4: what comes meanwhile has to be read, or both sides wait for each other.
            PQconsumeInput(handle)
        }
    }

    /// Returns when `PQgetResult` does not block. What fails is told by its result.
    private func awaitResult() throws(PostgresError) {
        try flush()
        while PQisBusy(handle) == 1 {
            try waitForServer(POLLIN)
            guard PQconsumeInput(handle) == 1 else { return }
        }
    }

    private func waitForServer(_ events: Int32) throws(PostgresError) {
        guard try wait(for: events, of: PQsocket(handle), until: .now + maxSilence) else {
            stopServer()
            throw PostgresError("the server is silent for too long")
        }
    }

    /// - Returns: whether it was not in vain.
    private func wait(
        for events: Int32, of socket: Int32, until deadline: ContinuousClock.Instant
    ) throws(PostgresError) -> Bool {
        var descriptors = [
            pollfd(fd: socket, events: Int16(events), revents: 0),
            pollfd(fd: interrupt.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            let left = max(.zero, deadline - .now)
            let count = poll(&descriptors, 2, Int32(min(left / .milliseconds(1), 1e9).rounded(.up)))
            if count < 0, errno == EINTR { continue }
            if descriptors[1].revents != 0 {
                stopServer()
                throw PostgresError("cancelled")
            }
            if count != 0 { return true }
            if left == .zero { return false }
        }
    }

    /// Ends the session. The server would only see that when it is done with the statement, so it is told.
    private func stopServer() {
        if let cancel = handle.flatMap({ PQgetCancel($0) }) {
            // Unsafe: this closure alone uses it from here on.
            nonisolated(unsafe) let cancel = cancel
            // It connects to the server, without any limit but that of TCP, so it has a thread of its own.
            DispatchQueue(label: "weir.postgres.cancel").async {
                var message = [CChar](repeating: 0, count: 256)
                PQcancel(cancel, &message, Int32(message.count))
                PQfreeCancel(cancel)
            }
        }
        close()
    }
}
