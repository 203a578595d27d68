import Foundation

/// A server that answers each connection with the same bytes, whatever it is sent, and then says nothing more.
final class MuteServer: Sendable {
    let port: Int
    private let socket: Int32

    init(saying text: String) throws {
        let listening = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listening, address, length) == 0 && listen(listening, 8) == 0
                    && getsockname(listening, address, &length) == 0
            }
        }
        guard result else { throw POSIXError(.EADDRNOTAVAIL) }
        (socket, port) = (listening, Int(in_port_t(bigEndian: address.sin_port)))
        let bytes = Array(text.utf8)
        // Calls block, so they keep off the threads that tasks run on.
        DispatchQueue(label: "mute server").async {
            var connections: [Int32] = []
            while true {
                let connection = accept(listening, nil, nil)
                guard connection >= 0 else { break }
                _ = bytes.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                connections.append(connection)
            }
            for connection in connections + [listening] { close(connection) }
        }
    }

    deinit {
        // Has the other thread leave `accept`, and close it.
        shutdown(socket, Int32(SHUT_RDWR))
    }
}
