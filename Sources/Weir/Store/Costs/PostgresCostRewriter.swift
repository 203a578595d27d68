/// In the database, in a session of its own.
actor PostgresCostRewriter: CostRewriter {
    private let address: String
    private let schema: String
    private let executor = BlockingExecutor(label: "weir.postgres.costs")

    init(_ address: String, schema: String) {
        self.address = address
        self.schema = schema
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    func write(_ repriced: [CostReprice]) throws -> Int {
        let connection = try PostgresSession.open(address, schema: schema)
        defer { connection.close() }
        let (takesBack, adds) = CostReprice.statements(
            tenant: "$1", trace: "$2::uuid", span: "$3::bigint", start: "$4::timestamptz", entry: "$5::integer",
            cost: "$6::numeric", price: "$7", source: "$8", .postgres)
        // As whoever corrects what it stores, one after the other.
        try PostgresLock.take("costs", after: "BEGIN; ", on: connection)
        var count = 0
        for row in repriced {
            let key = row.standing.key
            let place: [PostgresParameter] = [
                .text(key.tenant), .text(key.trace.text), .int(key.span), .text(key.start.text),
                .int(row.standing.entry),
            ]
            guard try connection.run(takesBack, place).affectedCount == 1 else { continue }
            let price: [PostgresParameter] = [
                .text(Int128(row.pico).inDollars), .text(row.price), .text(row.source.rawValue),
            ]
            try connection.run(adds, place + price)
            count += 1
        }
        try takeBackAggregates(above: repriced, on: connection)
        try connection.commit()
        return count
    }

    /// Above calls that had no price before.
    private func takeBackAggregates(
        above repriced: [CostReprice], on connection: PostgresConnection
    ) throws(PostgresError) {
        guard let days = TouchedDays(repriced.lazy.map { Day($0.standing.key.start) }) else { return }
        let traces = Set(repriced.map(\.standing.key.trace)).map(\.text)
        let corrections = CostCorrections.postgres(days)
        for correction in [corrections.nested, corrections.leaves] {
            try connection.run(
                "WITH RECURSIVE touched_traces AS (SELECT unnest($1::uuid[]) AS trace_id) \(correction)",
                [.array(traces)])
        }
    }
}
