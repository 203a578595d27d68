import Dispatch
import Glibc
import Testing

/// Stands between a client and PostgreSQL's socket, on a port of TCP. Once, it lets a word through to the server, waits until the server
/// has answered, and hangs up on both before the client hears of it.
final class CutWire: Sendable {
    private let listener: Int32

    let port: UInt16

    /// - Parameter server: the directory of the server's socket.
    init(to server: String, cutting word: String) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        try #require(isBound)
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
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "\(directory)/.s.PGSQL.5432".utf8) }
        _ = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return descriptor
    }
}
