import Synchronization

@testable import Weir

/// A disk in memory that breaks where a test wants it to, in the same way for the same seed.
///
/// What is not synced survives a power cut or does not: each sector of a write, each new, changed or removed name, and
/// the length of a file that was never synced.
final class SimulatedDisk: JournalDisk {
    enum Operation: CaseIterable {
        case names, create, open, rename, remove, syncNames, freeBytes, read, write, sync
    }

    private struct Failure {
        /// Nil counts them all.
        let operation: Operation?
        let number: Int
        let isLasting: Bool
        let isFull: Bool
    }

    private struct State {
        var random: SplitMix64
        var counts: [Operation: Int] = [:]
        var count = 0
        var failure: Failure?
        var crash: Int?
        var isCrashed = false
        var names: SimulatedNames
        var files: [SimulatedContents]

        var used: Int { names.current.values.reduce(0) { $0 + files[$1].size } }
    }

    let blockSize: Int

    private let capacity: Int
    private let state: Mutex<State>

    /// - Parameter capacity: in bytes. Files take their size from it and nothing else does.
    convenience init(seed: UInt64, capacity: Int = 1 << 30, blockSize: Int = 512) {
        self.init(seed: seed, capacity: capacity, blockSize: blockSize, names: SimulatedNames(), files: [])
    }

    private init(seed: UInt64, capacity: Int, blockSize: Int, names: SimulatedNames, files: [SimulatedContents]) {
        self.capacity = capacity
        self.blockSize = blockSize
        state = Mutex(State(random: SplitMix64(seed: seed), names: names, files: files))
    }

    // MARK: - What a test does

    /// How many operations there were: of all kinds, those that failed among them, or of one.
    func count(of operation: Operation? = nil) -> Int {
        state.withLock { state in operation.map { state.counts[$0] ?? 0 } ?? state.count }
    }

    /// The operation of that number, from 1 for the first of all or of a kind, fails. A write that fails is done in
    /// part, and a sync that fails for some sectors, whose rest is lost without another word.
    /// - Parameter isLasting: so do those that follow, until ``repair()``.
    func fail(_ operation: Operation? = nil, at number: Int, isLasting: Bool = false, isFull: Bool = false) {
        state.withLock {
            $0.failure = Failure(operation: operation, number: number, isLasting: isLasting, isFull: isFull)
        }
    }

    func repair() {
        state.withLock { $0.failure = nil }
    }

    /// The power fails during the operation of that number, from 1 for the first of all. It throws, and so do all that
    /// follow.
    func crash(at number: Int) {
        state.withLock { $0.crash = number }
    }

    /// It was not the power that failed but the process that ended: what it wrote is there for the next one.
    func goOn() {
        state.withLock { state in
            state.crash = nil
            state.isCrashed = false
        }
    }

    /// Whether it has crashed where it was told to.
    var isOff: Bool { state.withLock { $0.isCrashed } }

    /// What a power cut now, or where it was told to crash, leaves. Each seed gives another outcome.
    func afterCrash(seed: UInt64) -> SimulatedDisk {
        state.withLock { state in
            var random = SplitMix64(seed: seed)
            let percent = SimulatedContents.percent(&random)
            let names = state.names.afterCrash(percent: percent, random: &random)
            // In the order of names: that of a dictionary is another one in each process.
            var files: [SimulatedContents] = []
            var numbers: [String: Int] = [:]
            for (name, file) in names.sorted(by: { $0.key < $1.key }) {
                numbers[name] = files.count
                files.append(state.files[file].afterCrash(percent: percent, random: &random))
            }
            return SimulatedDisk(
                seed: random.next(), capacity: capacity, blockSize: blockSize, names: SimulatedNames(numbers),
                files: files)
        }
    }

    /// Every file as it is, by name. Counts as no operation, like the next one.
    var contents: [String: [UInt8]] {
        state.withLock { state in state.names.current.mapValues { state.files[$0].bytes } }
    }

    /// Changes the bytes of a file, or their number, on the disk itself.
    func mutate(_ name: String, _ body: (inout [UInt8]) -> Void) throws(DiskError) {
        try state.withLock { state throws(DiskError) in body(&state.files[try state.names.file("mutate", name)].bytes) }
    }

    /// What stands in a block of a file cannot be read until it is written again.
    func spoil(_ name: String, block: Int) throws(DiskError) {
        let sectors = blockSize / SimulatedContents.sector
        try state.withLock { state throws(DiskError) in
            state.files[try state.names.file("spoil", name)].spoil(block * sectors..<(block + 1) * sectors)
        }
    }

    // MARK: - What a journal does

    func names() throws(DiskError) -> [String] {
        // In an order that the seed gives, so that nobody relies on one.
        try perform(.names, "") { $0.names.current.keys.sorted().shuffled(using: &$0.random) }
    }

    func create(_ name: String, size: Int) throws(DiskError) -> any JournalFile {
        let capacity = capacity
        let file = try perform(.create, name) { state throws(DiskError) in
            guard size <= capacity - state.used else {
                throw DiskError(description: "create \(name): no space left on device", isFull: true)
            }
            try state.names.create(name, file: state.files.count)
            state.files.append(SimulatedContents(size: size))
            return state.files.count - 1
        }
        return SimulatedFile(disk: self, name: name, number: file, size: size, isReadOnly: false)
    }

    func open(_ name: String, isReadOnly: Bool) throws(DiskError) -> any JournalFile {
        let (file, size) = try perform(.open, name) { state throws(DiskError) in
            let file = try state.names.file("open", name)
            return (file, state.files[file].size)
        }
        return SimulatedFile(disk: self, name: name, number: file, size: size, isReadOnly: isReadOnly)
    }

    func rename(_ name: String, to newName: String) throws(DiskError) {
        try perform(.rename, name) { state throws(DiskError) in try state.names.rename(name, to: newName) }
    }

    func remove(_ name: String) throws(DiskError) {
        try perform(.remove, name) { state throws(DiskError) in try state.names.remove(name) }
    }

    func sync() throws(DiskError) {
        try perform(.syncNames, "") { $0.names.sync() }
    }

    func freeBytes() throws(DiskError) -> Int {
        let capacity = capacity
        return try perform(.freeBytes, "") { max(0, capacity - $0.used) }
    }

    func checksum(_ bytes: UnsafeRawBufferPointer, after checksum: UInt32) -> UInt32 {
        Checksum.crc32c(bytes, after: checksum)
    }

    // MARK: - What its files do

    fileprivate func read(
        _ file: Int, _ name: String, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(DiskError) -> Int {
        try perform(.read, name) { state throws(DiskError) in
            guard !state.files[file].isSpoiled(offset..<offset + buffer.count) else {
                throw DiskError(description: "read \(name): input/output error", isFull: false, isUnreadable: true)
            }
            return state.files[file].read(into: buffer, at: offset)
        }
    }

    fileprivate func write(
        _ file: Int, _ name: String, _ bytes: UnsafeRawBufferPointer, at offset: Int
    ) throws(DiskError) {
        try perform(.write, name) { state throws(DiskError) in
            state.files[file].write(bytes, at: offset)
            try state.names.check(file, name)
        } whenFailing: {
            $0.files[file].writeSome(bytes, at: offset, random: &$0.random)
        }
    }

    fileprivate func sync(_ file: Int, _ name: String) throws(DiskError) {
        try perform(.sync, name) { state throws(DiskError) in
            state.files[file].sync()
            try state.names.check(file, name)
        } whenFailing: {
            $0.files[file].failSync(random: &$0.random)
        }
    }

    private func perform<Result: Sendable>(
        _ operation: Operation, _ name: String, _ body: (inout State) throws(DiskError) -> Result,
        whenFailing: (inout State) -> Void = { _ in }
    ) throws(DiskError) -> Result {
        try state.withLock { state throws(DiskError) in
            let crash = DiskError(description: "\(operation) \(name): the power is off", isFull: false)
            guard !state.isCrashed else { throw crash }
            state.count += 1
            state.counts[operation, default: 0] += 1
            if state.count == state.crash {
                // What was begun is among what may survive. A sync may have done all, some or nothing of it.
                if operation != .sync, operation != .syncNames { _ = try? body(&state) }
                state.isCrashed = true
                throw crash
            }
            if let failure = state.failure, failure.operation == nil || failure.operation == operation {
                let number = failure.operation == nil ? state.count : state.counts[operation] ?? 0
                if number == failure.number || failure.isLasting && number > failure.number {
                    whenFailing(&state)
                    throw DiskError(description: "\(operation) \(name): told to fail", isFull: failure.isFull)
                }
            }
            return try body(&state)
        }
    }
}

/// A file of a ``SimulatedDisk``.
private final class SimulatedFile: JournalFile {
    let size: Int

    private let disk: SimulatedDisk
    private let name: String
    private let number: Int
    private let isReadOnly: Bool

    init(disk: SimulatedDisk, name: String, number: Int, size: Int, isReadOnly: Bool) {
        self.disk = disk
        self.name = name
        self.number = number
        self.size = size
        self.isReadOnly = isReadOnly
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        checkAlignment(UnsafeRawBufferPointer(buffer), offset)
        return try disk.read(number, name, into: buffer, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        checkAlignment(bytes, offset)
        precondition(!isReadOnly, "a write to a file that was opened for reading")
        precondition(offset + bytes.count <= size, "a write beyond the room that was taken")
        try disk.write(number, name, bytes, at: offset)
    }

    func sync() throws(DiskError) {
        try disk.sync(number, name)
    }

    private func checkAlignment(_ bytes: UnsafeRawBufferPointer, _ offset: Int) {
        let all = Int(bitPattern: bytes.baseAddress) | bytes.count | offset
        precondition(all & (disk.blockSize - 1) == 0, "found something that is not a multiple of \(disk.blockSize)")
    }
}
