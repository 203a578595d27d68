@testable import Weir

/// The files of a disk whose names begin alike: so two journals lose their power together.
final class PartOfADisk: JournalDisk {
    private let whole: SimulatedDisk
    private let prefix: String

    init(_ prefix: String, of whole: SimulatedDisk) {
        self.whole = whole
        self.prefix = prefix
    }

    var blockSize: Int { whole.blockSize }

    func names() throws(DiskError) -> [String] {
        try whole.names().filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }

    func create(_ name: String, size: Int) throws(DiskError) -> any JournalFile {
        try whole.create(prefix + name, size: size)
    }

    func open(_ name: String, isReadOnly: Bool) throws(DiskError) -> any JournalFile {
        try whole.open(prefix + name, isReadOnly: isReadOnly)
    }

    func rename(_ name: String, to newName: String) throws(DiskError) {
        try whole.rename(prefix + name, to: prefix + newName)
    }

    func remove(_ name: String) throws(DiskError) { try whole.remove(prefix + name) }

    func sync() throws(DiskError) { try whole.sync() }

    func freeBytes() throws(DiskError) -> Int { try whole.freeBytes() }

    func checksum(_ bytes: UnsafeRawBufferPointer, after checksum: UInt32) -> UInt32 {
        whole.checksum(bytes, after: checksum)
    }
}
