@testable import Weir

/// A ``SimulatedDisk`` to which somebody writes while another looks.
// Sendable: the one thread of a test uses it.
final class OutrunDisk: JournalDisk, @unchecked Sendable {
    /// When the others go on.
    struct Moment {
        let name: String
        /// How often the file was opened by then.
        let count: Int
        /// Before it is opened, or behind that.
        let isBefore: Bool
    }

    let blockSize: Int
    private let disk: SimulatedDisk
    private let moment: Moment
    private let others: () throws -> Void
    private var count = 0

    init(_ disk: SimulatedDisk, at moment: Moment, _ others: @escaping () throws -> Void) {
        blockSize = disk.blockSize
        (self.disk, self.moment, self.others) = (disk, moment, others)
    }

    /// The others have gone on.
    var isOver: Bool { count >= moment.count }

    func open(_ name: String, isReadOnly: Bool) throws(DiskError) -> any JournalFile {
        if name == moment.name { count += 1 }
        let isNow = name == moment.name && count == moment.count
        if isNow, moment.isBefore { try goOn() }
        let file = try disk.open(name, isReadOnly: isReadOnly)
        if isNow, !moment.isBefore { try goOn() }
        return file
    }

    private func goOn() throws(DiskError) {
        do { try others() } catch { throw DiskError(description: "\(error)", isFull: false) }
    }

    func names() throws(DiskError) -> [String] { try disk.names() }
    func create(_ name: String, size: Int) throws(DiskError) -> any JournalFile { try disk.create(name, size: size) }
    func rename(_ name: String, to newName: String) throws(DiskError) { try disk.rename(name, to: newName) }
    func remove(_ name: String) throws(DiskError) { try disk.remove(name) }
    func sync() throws(DiskError) { try disk.sync() }
    func freeBytes() throws(DiskError) -> Int { try disk.freeBytes() }
    func checksum(_ bytes: UnsafeRawBufferPointer, after checksum: UInt32) -> UInt32 {
        disk.checksum(bytes, after: checksum)
    }
}
