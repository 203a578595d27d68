/// What spans that sampling left out of a record add to a rollup.
struct SampledOutRow: Sendable {
    /// Of the record.
    let sequence: UInt64
    let key: RollupRow.Key
    let rollup: RollupRow

    var day: Day { Day(number: Int(key.minute / (24 * 60))) }
}
