import Foundation

/// A plain TCP connection to a server under test, which sends what it is told, sound or not. Every wait has a deadline.
final class RawClient: Sendable {
    struct Response: Equatable {
        let status: Int
        /// By lower-case name.
        let headers: [String: String]
        let body: String
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
        var isReset = false
    }

    private static let patience = Duration.seconds(120)

    private let socket: Int32
    /// Calls block, so they keep off the threads that tasks run on.
    private let queue = DispatchQueue(label: "raw client")
    /// Read and not looked at yet. On `queue` only, which runs one call at a time.
    nonisolated(unsafe) private var pending: [UInt8] = []

    init(port: Int) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        var noDelay: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, socklen_t(MemoryLayout<Int32>.size))
        guard result == 0 else { throw Failure(description: "connect: \(String(cString: strerror(errno)))") }
    }

    deinit {
        Glibc.close(socket)
    }

    /// Sends all of it, unless the other side does not take it in time or hangs up.
    func send(_ text: String) async throws {
        try await send(Array(text.utf8))
    }

    func send(_ bytes: [UInt8]) async throws {
        try await blocking { [self] in
            var sent = 0
            while sent < bytes.count {
                try wait(for: Int16(POLLOUT))
                let count = bytes[sent...].withUnsafeBytes {
                    Glibc.send(socket, $0.baseAddress, min($0.count, 64 << 10), Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { throw Failure(description: "send: \(String(cString: strerror(errno)))") }
                sent += count
            }
        }
    }

    /// The next response, 1xx included.
    /// - Parameter toHead: it has no body, whatever its head says.
    func response(toHead: Bool = false) async throws -> Response {
        try await blocking { [self] in
            var end = headEnd
            while end == nil {
                guard try receive() else { throw Failure(description: "closed before the head was whole") }
                end = headEnd
            }
            let head = String(decoding: pending[..<(end ?? 0)], as: UTF8.self)
            pending.removeFirst((end ?? 0) + 4)
            var lines = head.components(separatedBy: "\r\n")
            let statusLine = lines.removeFirst().split(separator: " ")
            var headers: [String: String] = [:]
            for line in lines {
                let parts = line.split(separator: ":", maxSplits: 1)
                headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
            }
            let length = toHead ? 0 : headers["content-length"].flatMap { Int($0) } ?? 0
            while pending.count < length {
                guard try receive() else { throw Failure(description: "closed before the body was whole") }
            }
            let body = String(decoding: pending[..<length], as: UTF8.self)
            pending.removeFirst(length)
            guard statusLine.count > 1, statusLine[0] == "HTTP/1.1", let status = Int(statusLine[1]) else {
                throw Failure(description: "found \(head)")
            }
            return Response(status: status, headers: headers, body: body)
        }
    }

    /// Returns when the server has closed the connection, or reset it, without another word.
    func waitForEnd() async throws {
        try await blocking { [self] in
            guard pending.isEmpty, try isAtEnd() else {
                throw Failure(description: "found \(String(decoding: pending, as: UTF8.self)), wanted the end")
            }
        }
    }

    /// Returns when the server has closed the connection, whatever it sent before.
    func skipToEnd() async throws {
        try await blocking { [self] in
            while try !isAtEnd() { pending = [] }
        }
    }

    /// Neither sends nor reads any more.
    func hangUp() {
        shutdown(socket, Int32(SHUT_RDWR))
    }

    private var headEnd: Int? {
        let end = Array("\r\n\r\n".utf8)
        guard pending.count >= 4 else { return nil }
        return (0...(pending.count - 4)).first { pending[$0..<$0 + 4].elementsEqual(end) }
    }

    /// A reset is an end too.
    private func isAtEnd() throws -> Bool {
        do { return try !receive() } catch let failure as Failure where failure.isReset { return true }
    }

    /// - Returns: false at the end.
    private func receive() throws -> Bool {
        try wait(for: Int16(POLLIN))
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count >= 0 else {
            throw Failure(description: "receive: \(String(cString: strerror(errno)))", isReset: errno == ECONNRESET)
        }
        pending += buffer[..<count]
        return count > 0
    }

    private func wait(for events: Int16) throws {
        var descriptor = pollfd(fd: socket, events: events, revents: 0)
        guard poll(&descriptor, 1, Int32(Self.patience / .milliseconds(1))) > 0 else {
            throw Failure(description: "nothing came within \(Self.patience)")
        }
    }

    private func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }
}
