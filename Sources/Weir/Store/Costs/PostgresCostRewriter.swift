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
            trace: "$1::uuid", span: "$2::bigint", start: "$3::timestamptz", entry: "$4::integer", cost: "$5::numeric",
            price: "$6", source: "$7", .postgres)
        // As whoever corrects what it stores, one after the other.
        try connection.run("BEGIN; SELECT pg_advisory_xact_lock(\(PostgresLock.key("costs")))")
        var count = 0
        for row in repriced {
            let key = row.standing.key
            let place: [PostgresParameter] = [
                .text(key.trace.text), .int(key.span), .text(key.start.text), .int(row.standing.entry),
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
        let traces = Set(repriced.map(\.standing.key.trace)).map(\.text).joined(separator: ",")
        try connection.run(
            """
            WITH RECURSIVE \(days.table), touched_traces AS (SELECT unnest($1::uuid[]) AS trace_id)
            \(CostCorrections.leaves(.postgres))
            """, [.text("{\(traces)}")])
    }
}
