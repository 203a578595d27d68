/// Prints one batch after the other, on a thread of its own, since whoever reads the output may be slow.
actor DebugPrinter {
    typealias Output = @Sendable ([UInt8]) throws(FileError) -> Void

    /// Bytes that are collected before they are handed to the output.
    private static let pageSize = 64 << 10

    private let isDetailed: Bool
    private let output: Output
    private let executor: BlockingExecutor
    private var text: DebugText
    /// Records are decoded into it, one after the other. Without a limit: what was accepted, under whatever limit the
    /// receiver had, must not be given up here.
    private var batch = Batch(decodedLimit: .max)

    init(isDetailed: Bool, limits: DebugText.Limits, label: String, output: @escaping Output) {
        self.isDetailed = isDetailed
        self.output = output
        executor = BlockingExecutor(label: label)
        text = DebugText(limits)
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func print(_ batch: FrozenBatch) throws(ExportError) {
        // What an output that failed did not take is not for the next batch.
        defer { text.removeAll() }
        do {
            try batch.forEach(into: &self.batch) { batch, record in
                if isDetailed { text.appendHeader(of: record) }
                try print(batch)
            }
            try flush()
        } catch {
            throw .rejected("\(error)")
        }
    }

    private func print(_ batch: borrowing Batch) throws {
        for (index, resource) in batch.resources.enumerated() {
            if isDetailed { text.append(resource, index: index, in: batch) }
            for scope in resource.scopes {
                if isDetailed { text.append(batch.scopes[scope], index: scope - Int(resource.scopeStart), in: batch) }
                for span in batch.scopes[scope].spans where !batch.spans[span].isDropped {
                    if isDetailed {
                        text.append(batch.spans[span], in: batch)
                    } else {
                        text.appendLine(batch.spans[span], in: batch)
                    }
                    if text.bytes.count >= Self.pageSize { try flush() }
                }
            }
        }
    }

    private func flush() throws(FileError) {
        guard !text.bytes.isEmpty else { return }
        try output(text.bytes)
        text.removeAll()
    }
}
