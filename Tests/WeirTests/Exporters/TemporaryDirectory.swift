import Foundation

/// A directory that is gone with the test.
final class TemporaryDirectory: Sendable {
    let path: String

    /// - Parameter parent: the directory to create it in; if it is missing or nil, the usual one.
    init(in parent: String? = nil) throws {
        let usual = FileManager.default.temporaryDirectory.path
        let parent = parent.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil } ?? usual
        path = parent + "/weir-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Every file below, by its path from here, sorted.
    func files() -> [String] {
        let all = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return all.filter { name in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isDirectory)
                && !isDirectory.boolValue
        }.sorted()
    }

    func contents(of file: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(file)")))
    }
}
