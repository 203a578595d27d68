import Foundation

// What Parquet costs from records in memory to bytes that are ready to be written, without all that stands around it in
// Weir: CPU time of the process for a span, the best of the rounds. And how many bytes of OTLP an archive of messages gives
// to its compressor in a second of that. The records are those of make_bodies.py.
// Usage: Parquet FOLDER [ROUNDS]

/// As the journal's reader takes them.
private let (batchSpans, batchBytes) = (8_192, 4 << 20)

/// Bytes of OTLP in a core-second.
private let leastOfFrames = 1e9

private func processTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
}

private func records(_ name: String) throws -> [Payload] {
    let file = URL(filePath: CommandLine.arguments[1]).appending(path: "\(name).records")
    return try Data(contentsOf: file).withUnsafeBytes { bytes in
        var (found, start): ([Payload], Int) = ([], 0)
        while start < bytes.count {
            let end = start + 4 + Int(bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
            found.append(Payload.copying(UnsafeRawBufferPointer(rebasing: bytes[start + 4..<end])))
            start = end
        }
        return found
    }
}

/// - Returns: spans, and bytes of all files.
private func archive(
    _ records: [Payload], _ tables: [ParquetTable], _ pages: inout ParquetPages
) throws -> (spans: Int, bytes: Int) {
    var batch = Batch()
    var rows = ParquetRows()
    var (spans, text, taken) = (0, 0, 0)
    for (sequence, payload) in records.enumerated() {
        // The journal's reader copies them as well.
        try OTLPDecoder(maxValueDepth: .max).decode(Payload.copying(payload.bytes), into: &batch)
        batch.receivedAt = Timestamp(nanoseconds: batch.spans.first?.startTime ?? 0)
        try rows.add(batch, sequence: UInt64(sequence))
        taken += payload.count
        guard rows.count >= batchSpans || taken >= batchBytes || sequence == records.count - 1 else { continue }
        for table in tables { table.add(rows) }
        text += rows.textCount
        spans += rows.count
        rows.reset()
        taken = 0
        guard text >= ParquetRows.maximumText || sequence == records.count - 1 else { continue }
        for table in tables { try table.write(&pages) { _ in AppendFile() } }
        text = 0
    }
    for table in tables { try table.complete(notes: []) }
    defer { for table in tables { table.forget() } }
    return (spans, tables.reduce(0) { $0 + ($1.file?.end.length ?? 0) })
}

/// - Returns: bytes of messages.
private func frame(_ records: [Payload], _ frames: inout Frames) throws -> Int {
    var (count, start, taken) = (0, 0, 0)
    for index in records.indices {
        taken += records[index].count
        guard taken >= batchBytes || index == records.count - 1 else { continue }
        count += try frames.encode(records[start...index])
        (start, taken) = (index + 1, 0)
    }
    return count
}

guard CommandLine.arguments.count > 1 else {
    print("usage: Parquet FOLDER [ROUNDS]")
    exit(2)
}
let rounds = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 15 : 15

let tables = ArchiveDataset.allCases.map { ParquetTable($0, .zstd) }
var pages = ParquetPages(.zstd)
var frames = Frames()
var isWell = true
for name in ["backend", "llm"] {
    let payloads = try records(name)
    var (best, spans, bytes) = (Double.infinity, 0, 0)
    for _ in 0..<rounds {
        let start = processTime()
        (spans, bytes) = try archive(payloads, tables, &pages)
        best = min(best, (processTime() - start) / Double(spans))
    }
    print("parquet, \(name): \(String(format: "%.2f", best)) us, \(bytes / spans) bytes a span")
    var rate = 0.0
    for _ in 0..<rounds {
        let start = processTime()
        let count = try frame(payloads, &frames)
        rate = max(rate, Double(count) / (processTime() - start) * 1e6)
    }
    let holds = rate >= leastOfFrames
    isWell = isWell && holds
    print(
        "OTLP frames, \(name): \(String(format: "%.2f", rate / 1e9)) GB/s before compression, goal "
            + "\(String(format: "%.1f", leastOfFrames / 1e9)): \(holds ? "holds" : "MISSED")")
}
exit(isWell ? 0 : 1)
