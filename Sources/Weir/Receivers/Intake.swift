/// What one receiver does with a request on one event loop: decode it, run it through the lanes of its pipelines, and
/// hand it to their journals.
struct Intake: ~Copyable {
    /// What the pipelines are to keep of one request.
    struct Accepted: Sendable {
        let entries: [(pipeline: Pipeline, entry: Journal.Entry)]
        let spanCount: Int
        let rejected: Rejections

        /// Returns when every pipeline has its entry. That is the acknowledgement.
        func commit() async throws(Refusal) {
            // With several pipelines, room is asked for in all of them first: a client that is refused sends again, and
            // what one pipeline had kept already would be there twice.
            if entries.count > 1 {
                for (pipeline, entry) in entries where !pipeline.journal.hasRoom(for: entry.size) {
                    throw .overloaded("the journal of \(pipeline.id) is full", retryAfter: .seconds(1))
                }
            }
            for (pipeline, entry) in entries { try await pipeline.journal.append(entry) }
        }
    }

    enum Failure: Error {
        case undecodable(DecodeError)
        case unreadable(InflateError)
        case refused(Refusal)
    }

    private let lanes: [Lane]
    private var batch: Batch
    private let protobuf: OTLPDecoder
    private let json: OTLPJSONDecoder

    init(into pipelines: [Pipeline], maxValueDepth: Int, decodedLimit: Int) {
        lanes = pipelines.map { $0.makeLane() }
        batch = Batch(decodedLimit: decodedLimit)
        protobuf = OTLPDecoder(maxValueDepth: maxValueDepth)
        json = OTLPJSONDecoder(maxValueDepth: maxValueDepth)
    }

    /// Decodes the request once for each pipeline, because each changes its batch in place.
    mutating func process(
        _ payload: Payload, _ encoding: OTLPEncoding, receivedAt: Timestamp
    ) throws(Failure) -> Accepted {
        var entries: [(pipeline: Pipeline, entry: Journal.Entry)] = []
        var received = 0
        var rejected = Rejections()
        // What a large request took is not kept until the next one comes: on a quiet loop that could be hours.
        defer { if payload.count > Batch.retained { batch.reset(to: .empty) } }
        for lane in lanes {
            try decode(payload, encoding)
            batch.receivedAt = receivedAt
            received = batch.spanCount
            rejected = batch.rejected
            do throws(Refusal) {
                if let entry = try lane.process(&batch) { entries.append((lane.pipeline, entry)) }
            } catch {
                throw .refused(error)
            }
        }
        return Accepted(entries: entries, spanCount: received, rejected: rejected)
    }

    private mutating func decode(_ payload: Payload, _ encoding: OTLPEncoding) throws(Failure) {
        do throws(DecodeError) {
            switch encoding {
            case .protobuf: try protobuf.decode(payload, into: &batch)
            case .json: try json.decode(payload, into: &batch)
            }
        } catch {
            throw .undecodable(error)
        }
    }
}
