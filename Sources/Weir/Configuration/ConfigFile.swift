import Foundation

/// A file of the configuration, as text.
enum ConfigFile {
    static func text(of file: String) throws(ConfigError) -> String {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ConfigError("cannot be opened: \(String(cString: strerror(errno)).lowercased())")
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
