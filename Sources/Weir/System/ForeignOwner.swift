import Glibc

/// Root is about to write where the Weir of another user does, which could neither change what root leaves there nor
/// start beside it.
struct ForeignOwner: Error, Equatable, CustomStringConvertible {
    let path: String
    /// The user's number.
    let owner: UInt32

    /// - Parameters:
    ///   - paths: what Weir keeps. Of those that are missing none counts as long as one is there: whoever made that one
    ///     is who Weir runs as. Where none is, the first counts, as the nearest directory above it that is there.
    ///   - user: who runs the command.
    static func refuse(_ paths: [String], as user: UInt32 = geteuid()) throws(ForeignOwner) {
        guard user == 0 else { return }
        for path in paths where Self.owner(of: path).map({ $0 != 0 }) ?? false { try refuse(path) }
        guard var path = paths.first, !paths.contains(where: { Self.owner(of: $0) != nil }) else { return }
        while Self.owner(of: path) == nil, Directory.parent(of: path) != path { path = Directory.parent(of: path) }
        try refuse(path)
    }

    private static func refuse(_ path: String) throws(ForeignOwner) {
        guard let owner = owner(of: path), owner != 0, !hasEntriesOfRoot(path) else { return }
        throw ForeignOwner(path: path, owner: owner)
    }

    /// Then it is root who runs Weir there, whoever has given the directory: a container's volume.
    private static func hasEntriesOfRoot(_ path: String) -> Bool {
        let names = (try? Directory.names(in: path)) ?? []
        return names.contains { owner(of: "\(path)/\($0)") == 0 }
    }

    /// Nil where there is nothing.
    private static func owner(of path: String) -> UInt32? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_uid : nil
    }

    var description: String {
        let name = getpwuid(owner).map { String(cString: $0.pointee.pw_name) }
        return "found that root (uid 0) runs this, and that \(path) belongs to \(name ?? "a user without a name") "
            + "(uid \(owner)); wanted it run by that user: sudo -u \(name ?? "'#\(owner)'") weir …"
    }
}
