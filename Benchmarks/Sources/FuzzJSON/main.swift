import CFuzzer
import Glibc

// Whatever comes in: no crash, and what was taken is sound protobuf.

private let decoder = OTLPJSONDecoder(maxValueDepth: 8)

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
        var encoder = OTLPEncoder(capacity: 256)
        var again = Batch()
        do {
            try OTLPDecoder(maxValueDepth: 8).decode(.copying(encoder.bytes(of: batch)), into: &again)
        } catch {
            preconditionFailure("refuses what it read from JSON: \(error)")
        }
        precondition(again.rejected.count == 0, "rejects what it read from JSON")
        precondition(again.spanCount == batch.spanCount, "lost a span")

        var writer = OTLPJSONEncoder(capacity: 256)
        let text = Array(writer.bytes(of: batch))
        do {
            try text.withUnsafeBytes { try decoder.decode(.copying($0), into: &again) }
        } catch {
            preconditionFailure("refuses what it wrote as JSON: \(error)")
        }
        precondition(again.rejected.count == 0, "rejects what it wrote as JSON")
        precondition(Array(writer.bytes(of: again)) == text, "JSON does not stand still")
        return 0
    })
