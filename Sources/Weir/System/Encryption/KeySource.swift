import Glibc

/// Where the key encryption keys come from.
enum KeySource: Sendable, Equatable {
    /// A variable of the environment.
    case environment(String)
    /// A file that nobody but its owner may read.
    case file(String)
    /// What a program prints, with its arguments.
    case command([String])

    /// Bytes that a file of keys has at most.
    static let maxFileBytes = 64 << 10

    /// How long what was read is not read again.
    var interval: Duration {
        if case .command = self { .seconds(60) } else { .zero }
    }

    func read() throws(KeyError) -> KeyEncryptionKeys {
        // Whoever has the keys, the server or a command, leaves nothing of them and of what they open in a file.
        CoreDumps.forbid()
        switch self {
        case .environment(let name):
            guard let text = getenv(name).map({ String(cString: $0) }), !text.isEmpty else {
                throw .noKeyEncryptionKey("the variable \(name) is not set, wanted 32 bytes in base64")
            }
            do throws(KeyError) {
                return try KeyEncryptionKeys(parsing: text)
            } catch {
                throw Self.naming("the variable \(name)", error)
            }
        case .file(let path):
            do throws(KeyError) {
                return try KeyEncryptionKeys(parsing: try Self.text(of: path))
            } catch {
                throw Self.naming(path, error)
            }
        case .command(let arguments):
            let text = try KeyCommand(arguments: arguments).output(limit: Self.maxFileBytes)
            do throws(KeyError) {
                return try KeyEncryptionKeys(parsing: text)
            } catch {
                throw Self.naming("the command \(arguments[0])", error)
            }
        }
    }

    private static func naming(_ source: String, _ error: KeyError) -> KeyError {
        guard case .noKeyEncryptionKey(let reason) = error else { return error }
        return .noKeyEncryptionKey("\(source): \(reason)")
    }

    static func text(of path: String) throws(KeyError) -> String {
        // Without waiting for somebody who writes into a pipe.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .noKeyEncryptionKey(FileError("open", path).description) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .noKeyEncryptionKey(FileError("stat", path).description) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .noKeyEncryptionKey("found a directory, a pipe or a device, wanted a file")
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw .noKeyEncryptionKey("found mode 0\(mode), wanted 0600: others may read the keys")
        }
        var bytes = [UInt8](repeating: 0, count: maxFileBytes + 1)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw .noKeyEncryptionKey(FileError("read", path).description) }
        guard count <= maxFileBytes else {
            throw .noKeyEncryptionKey("found more than \(maxFileBytes) bytes, wanted a list of keys")
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
