import CFuzzer
import Glibc

// Whatever comes in: no crash, and what goes out again is sound and stands still.

/// Few levels and little memory, so that both limits are reached.
private let decoder = OTLPDecoder(maxValueDepth: 8)

private func encode(_ batch: borrowing Batch) -> [UInt8] {
    var encoder = OTLPEncoder(capacity: 256)
    return Array(encoder.bytes(of: batch))
}

/// Changes what processors change: drops a span, sets, adds and removes attributes of every kind of owner.
private func edit(_ batch: inout Batch) {
    let key = AttributeKey("k")
    let value = batch.store(.array([.string("v"), .kvlist([NewPair(key: "n", value: .int(-1))])]))
    for index in batch.resources.indices { batch.set(key, to: value, of: .resource(index)) }
    for index in batch.scopes.indices { batch.remove(key, of: .scope(index)) }
    for index in batch.spans.indices where !batch.spans[index].isDropped {
        if index % 3 == 0 { batch.drop(span: index) }
        if index % 3 == 1 { batch.set(key, to: value, of: .span(index)) }
        for event in batch.spans[index].events { batch.set(key, to: value, of: .event(event, span: index)) }
        for link in batch.spans[index].links { batch.remove(key, of: .link(link, span: index)) }
    }
}

/// Every sound span can be said in JSON too.
private func checkJSON(_ batch: borrowing Batch) {
    var writer = OTLPJSONEncoder(capacity: 256)
    let text = Array(writer.bytes(of: batch))
    var again = Batch()
    do {
        try text.withUnsafeBytes { try OTLPJSONDecoder(maxValueDepth: 8).decode(.copying($0), into: &again) }
    } catch {
        preconditionFailure("refuses what it wrote as JSON: \(error)")
    }
    precondition(again.rejected.count == 0 && again.spanCount == batch.spanCount, "rejects what it wrote as JSON")
}

var argc = CommandLine.argc
var argv = Optional(CommandLine.unsafeArgv)
exit(
    LLVMFuzzerRunDriver(&argc, &argv) { data, size in
        var batch = Batch(decodedLimit: 64 << 10)
        do {
            try decoder.decode(.copying(UnsafeRawBufferPointer(start: data, count: size)), into: &batch)
        } catch {
            return 0
        }
        let spans = batch.spanCount
        var again = Batch()
        for pass in 0..<2 {
            let encoded = encode(batch)
            do {
                try encoded.withUnsafeBytes { try decoder.decode(.copying($0), into: &again) }
            } catch {
                preconditionFailure("refuses what it wrote: \(error)")
            }
            precondition(again.rejected.count == 0, "rejects its own spans")
            precondition(again.spanCount == batch.spanCount && (pass == 1 || again.spanCount == spans))
            precondition(encode(again) == encoded, "encoding does not stand still")
            checkJSON(batch)
            edit(&batch)
            if batch.isOverfull { return 0 }
        }
        return 0
    })
