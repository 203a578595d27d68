/// Makes of a batch what one destination is to see.
protocol BatchView: Sendable {
    func view(_ batch: FrozenBatch) async throws(ExportError) -> FrozenBatch
}
