import Dispatch
import Glibc
import Testing

/// Stands between a client and PostgreSQL's socket. Once, it lets a word through to the server, waits until the server
/// has answered, and hangs up on both before the client hears of it.
final class CutWire: Sendable {
    private let listener: Int32

    /// - Parameters:
    ///   - directory: where its own socket is.
    ///   - server: where that of the server is.
    init(in directory: String, to server: String, cutting word: String) throws {
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(directory)
        let bound = Self.with(&address) { [listener] in bind(listener, $0, $1) }
        try #require(bound == 0 && listen(listener, 8) == 0)
        DispatchQueue(label: "cut wire").async { [listener] in
            var isCut = false
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                isCut = Self.relay(client, Self.connected(to: server), Array(word.utf8), isCut)
                close(client)
            }
        }
    }

    func end() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// - Returns: whether the wire was cut, now or before.
    private static func relay(_ client: Int32, _ server: Int32, _ word: [UInt8], _ wasCut: Bool) -> Bool {
        defer { close(server) }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var isDue = false
        while true {
            var ends = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&ends, 2, -1) > 0 else { return wasCut }
            for (from, to) in [(0, 1), (1, 0)] where ends[from].revents != 0 {
                let count = read(ends[from].fd, &buffer, buffer.count)
                guard count > 0 else { return wasCut }
                if from == 1, isDue { return true }
                if from == 0, !wasCut { isDue = isDue || buffer[..<count].contains(word) }
                var sent = 0
                while sent < count {
                    let written = buffer[sent..<count].withUnsafeBytes {
                        send(ends[to].fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                    guard written > 0 else { return wasCut }
                    sent += written
                }
            }
        }
    }

    private static func connected(to directory: String) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = address(directory)
        _ = with(&address) { connect(descriptor, $0, $1) }
        return descriptor
    }

    private static func address(_ directory: String) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "\(directory)/.s.PGSQL.5432".utf8) }
        return address
    }

    private static func with<Value>(
        _ address: inout sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
