import Foundation

/// A file of the configuration, as text.
enum ConfigFile {
    /// - Parameter isPipe: whether it may be one. Whoever names it waits for who writes into it, as on a command line;
    ///   what a file names must not hold up the others.
    static func text(of file: String, orPipe isPipe: Bool = false) throws(ConfigError) -> String {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | (isPipe ? 0 : O_NONBLOCK))
        guard descriptor >= 0 else {
            throw ConfigError("cannot be opened: \(String(cString: strerror(errno)).lowercased())")
        }
        var status = stat()
        guard isPipe || fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw ConfigError("found a directory, a pipe or a device, wanted a file")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        // One byte more than is allowed, so that the reader sees that it is too much.
        let data: Data
        do {
            // Nil at the end, and so for an empty file.
            data = try handle.read(upToCount: YAMLReader.maximumSize.bytes + 1) ?? Data()
        } catch {
            throw ConfigError("cannot be read")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw ConfigError("found bytes that are not UTF-8 in line \(lineOfFirstError(in: data)), wanted UTF-8")
        }
        return text
    }

    private static func lineOfFirstError(in data: Data) -> Int {
        var decoder = UTF8()
        var bytes = data.makeIterator()
        var line = 1
        while case .scalarValue(let scalar) = decoder.decode(&bytes) {
            if scalar == "\n" { line += 1 }
        }
        return line
    }
}
