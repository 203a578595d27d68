import Foundation

@testable import Weir

/// A file system of a mebibyte or a few.
final class SmallDisk {
    let directory: TemporaryDirectory

    /// Whether this process may mount one: a root user in a container often may not.
    static var isAllowed: Bool { (try? SmallDisk()) != nil }

    init(mebibytes: Int = 1) throws {
        directory = try TemporaryDirectory()
        guard mount("tmpfs", directory.path, "tmpfs", 0, "size=\(mebibytes)m") == 0 else {
            throw FileError("mount", directory.path)
        }
    }

    deinit {
        umount2(directory.path, Int32(MNT_DETACH))
    }
}
