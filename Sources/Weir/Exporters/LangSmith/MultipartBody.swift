/// Writes runs as the body of a request, `/runs/multipart` or `/runs/batch`.
enum MultipartBody {
    /// Never inside of a part: there it would follow a line feed, and JSON text as ``JSONWriter`` writes it has none.
    static let boundary = "weir-7b1f2c9d4e5a4f60"
    /// Bytes around a part, at most.
    static let overhead = 256

    /// - Parameter text: what the runs were written into.
    static func multipart(_ runs: [WrittenRun], of text: UnsafeRawBufferPointer, into body: inout JSONWriter) {
        for run in runs {
            write(run, nil, text[run.head], into: &body)
            for part in run.fields { write(run, part.field, text[part.range], into: &body) }
        }
        body.raw("--weir-7b1f2c9d4e5a4f60--\r\n")
    }

    /// OpenAPI: "every part must set Content-Type and either a Content-Length header or length parameter".
    private static func write(
        _ run: WrittenRun, _ field: RunField?, _ part: Slice<UnsafeRawBufferPointer>, into body: inout JSONWriter
    ) {
        body.raw("--weir-7b1f2c9d4e5a4f60\r\nContent-Disposition: form-data; name=\"")
        body.raw(run.place.isPatch ? "patch." : "post.")
        body.uuid(run.place.id)
        if let field {
            body.byte(UInt8(ascii: "."))
            body.raw(field.name)
        }
        body.raw("\"\r\nContent-Type: application/json\r\nContent-Length: ")
        body.number(UInt64(part.count))
        body.raw("\r\n\r\n")
        body.bytes(UnsafeRawBufferPointer(rebasing: part))
        body.raw("\r\n")
    }

    /// `{"post":[…],"patch":[…]}`
    static func batch(_ runs: [WrittenRun], of text: UnsafeRawBufferPointer, into body: inout JSONWriter) {
        body.raw("{")
        for isPatch in [false, true] where runs.contains(where: { $0.place.isPatch == isPatch }) {
            body.raw(isPatch ? "\"patch\":[" : "\"post\":[")
            for run in runs where run.place.isPatch == isPatch {
                // The head without its last brace.
                body.bytes(UnsafeRawBufferPointer(rebasing: text[run.head].dropLast()))
                for part in run.fields {
                    body.raw(",\"")
                    body.raw(part.field.name)
                    body.raw("\":")
                    body.bytes(UnsafeRawBufferPointer(rebasing: text[part.range]))
                }
                body.raw("},")
            }
            body.dropComma()
            body.raw("],")
        }
        body.dropComma()
        body.raw("}")
    }
}
