import Foundation
import Testing

@testable import Weir

/// Only root can give directories away, so these need root.
@Suite(.enabled(if: geteuid() == 0)) struct ForeignOwnerTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func make(_ name: String, for owner: UInt32) throws -> String {
        let path = "\(directory.path)/\(name)"
        try Directory.create(path)
        try #require(chown(path, owner, owner) == 0)
        return path
    }

    @Test func rootIsRefusedWhereSomebodyElseIsTheOwner() throws {
        let path = try make("data", for: 54_321)
        let error = #expect(throws: ForeignOwner(path: path, owner: 54_321)) { try ForeignOwner.refuse([path]) }
        #expect(
            "\(try #require(error))"
                == "found that root (uid 0) runs this, and that \(path) belongs to a user without a name (uid 54321); "
                + "wanted it run by that user: sudo -u '#54321' weir …")
        #expect("\(ForeignOwner(path: path, owner: 65_534))".contains("belongs to nobody (uid 65534)"))
        #expect("\(ForeignOwner(path: path, owner: 65_534))".hasSuffix("sudo -u nobody weir …"))
        try ForeignOwner.refuse([path], as: 54_321)
        try ForeignOwner.refuse([path], as: 7)
    }

    @Test func rootGoesOnWhereRootHasWritten() throws {
        let path = try make("volume", for: 54_321)
        _ = try make("volume/theirs", for: 54_321)
        #expect(throws: ForeignOwner.self) { try ForeignOwner.refuse([path]) }
        _ = try make("volume/ours", for: 0)
        try ForeignOwner.refuse([path])
    }

    @Test func whatIsMissingIsWhoseTheDirectoryAboveIs() throws {
        let theirs = try make("data", for: 54_321)
        #expect(throws: ForeignOwner(path: theirs, owner: 54_321)) { try ForeignOwner.refuse(["\(theirs)/a/b"]) }
        let roots = try make("data/journal", for: 0)
        // Whoever made this may make the others.
        try ForeignOwner.refuse(["\(theirs)/a/b", roots])
        try ForeignOwner.refuse(["\(roots)/a/b"])
        let third = try make("archive", for: 54_321)
        #expect(throws: ForeignOwner(path: third, owner: 54_321)) { try ForeignOwner.refuse([roots, third]) }
    }
}
