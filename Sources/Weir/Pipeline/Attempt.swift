import Logging

/// One try to hand a batch to an exporter.
struct Attempt: Sendable {
    let exporter: any Exporter
    /// Zero is no limit.
    let timeout: Duration
    let logger: Logger
    /// Of what the exporter is to see; nil where it gets batches as they are.
    var view: (any BatchView)?

    /// Returns when the exporter does, also when the attempt took too long and was cancelled: a second one must not go
    /// on beside it. What the exporter has taken by then is taken.
    func export(_ batch: FrozenBatch) async -> Result<Void, ExportError> {
        guard timeout > .zero else { return await call(batch) }
        return await withTaskGroup(of: Result<Void, ExportError>?.self) { group in
            group.addTask { await call(batch) }
            group.addTask {
                try? await Task.sleep(for: timeout)
                return nil
            }
            if let result = await group.next() ?? nil {
                group.cancelAll()
                return result
            }
            if !Task.isCancelled {
                logger.warning("an attempt takes too long and is cancelled", metadata: ["timeout": "\(timeout.text)"])
            }
            group.cancelAll()
            // What an exporter makes of being cancelled says nothing of the batch.
            if case .success = await group.next() ?? nil { return .success(()) }
            return .failure(.retryable("took longer than \(timeout.text)", after: nil))
        }
    }

    private func call(_ batch: FrozenBatch) async -> Result<Void, ExportError> {
        do throws(ExportError) {
            try await exporter.export(view?.view(batch) ?? batch)
            return .success(())
        } catch {
            return .failure(error)
        }
    }
}
