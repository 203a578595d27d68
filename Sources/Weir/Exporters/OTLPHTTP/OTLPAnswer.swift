/// What an OTLP server says in the body of an answer. What cannot be read is left out: the status has said what counts.
struct OTLPAnswer: Equatable {
    /// Of an ExportTracePartialSuccess.
    private(set) var rejectedSpans = 0
    private(set) var message = ""

    /// - Parameter isSuccess: tells an ExportTraceServiceResponse from a google.rpc.Status.
    init(_ answer: HTTPAnswer, isSuccess: Bool) {
        let payload = answer.body.withUnsafeBytes { Payload.copying($0) }
        switch answer.contentType.prefix(while: { $0 != ";" }).lowercased() {
        case "application/x-protobuf": read(protobuf: payload.bytes, isSuccess: isSuccess)
        case "application/json": read(json: payload, isSuccess: isSuccess)
        case let type where type.hasPrefix("text/") && !isSuccess:
            message = String(decoding: answer.body, as: UTF8.self)
        default: break
        }
        // Enough for a line of the log.
        message = String(message.unicodeScalars.prefix(500))
    }
}

// MARK: - Protobuf

extension OTLPAnswer {
    private mutating func read(protobuf bytes: UnsafeRawBufferPointer, isSuccess: Bool) {
        var fields = FieldReader(bytes)
        while let field = fields.next() {
            switch (field.tag, isSuccess) {
            case (Tag.partialSuccess, true): readPartialSuccess(field.body)
            case (Tag.rpcMessage, false): message = String(decoding: field.body, as: UTF8.self)
            default: continue
            }
        }
    }

    private mutating func readPartialSuccess(_ bytes: UnsafeRawBufferPointer) {
        var fields = FieldReader(bytes)
        while let field = fields.next() {
            switch field.tag {
            case Tag.rejectedSpans: rejectedSpans = Int(Int64(bitPattern: field.number))
            case Tag.partialErrorMessage: message = String(decoding: field.body, as: UTF8.self)
            default: continue
            }
        }
    }
}

// MARK: - JSON

extension OTLPAnswer {
    private mutating func read(json: Payload, isSuccess: Bool) {
        var batch = Batch()
        batch.reset(to: json)
        var scanner = JSONScanner(batch.arena)
        // An error ends the reading, and what was read before it stays.
        try? scanner.eachMember { (scanner, key) throws(JSONProblem) in
            switch isSuccess {
            case true where key.equals("partialSuccess"):
                try scanner.eachMember { (scanner, key) throws(JSONProblem) in
                    if key.equals("rejectedSpans"), try !scanner.takeNull() {
                        rejectedSpans = Int(try scanner.readInt64())
                    } else if key.equals("errorMessage"), try !scanner.takeNull() {
                        message = String(decoding: batch.bytes(try scanner.readString()), as: UTF8.self)
                    } else {
                        try scanner.skipValue()
                    }
                }
            case false where key.equals("message"):
                message = String(decoding: batch.bytes(try scanner.readString()), as: UTF8.self)
            default:
                try scanner.skipValue()
            }
        }
    }
}
