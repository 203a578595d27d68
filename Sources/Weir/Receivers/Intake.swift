/// What one receiver does with a request on one event loop: decode it, run it through the lanes of its pipelines, and
/// hand it to their journals.
struct Intake: ~Copyable {
    /// What the pipelines are to keep of one request.
    struct Accepted: Sendable {
        let entries: [(pipeline: Pipeline, entry: JournalEntry)]
        let spanCount: Int
        let rejected: Rejections
        /// Some pipeline has kept the same request before.
        let isKnown: Bool

        /// Returns when every pipeline has its entry. That is the acknowledgement.
        /// - Returns: what the client is to be told about rejected spans, and whether the request is a resend of which
        ///   nothing was missing.
        func commit() async throws(Refusal) -> (rejected: Rejections, isRepeat: Bool) {
            // With several pipelines, room is asked for in all of them first: a client that is refused sends again, and
            // where `dedupe_window` is 0s what one pipeline had kept already would be there twice.
            if entries.count > 1 {
                for (pipeline, entry) in entries where !pipeline.isWithdrawn {
                    if let refusal = pipeline.refusal(of: entry) { throw refusal }
                }
            }
            var answer = rejected
            var isRepeat = isKnown
            var withdrawn = 0
            for (pipeline, entry) in entries {
                do throws(Refusal) {
                    switch try await pipeline.append(entry) {
                    case .kept: isRepeat = false
                    case .repeated(let first):
                        answer = first
                        if entries.count == 1 { isRepeat = true }
                    }
                } catch {
                    // A reload took it away while the request was on its way.
                    guard error == .stopping, pipeline.isWithdrawn, entries.count > 1 else { throw error }
                    withdrawn += 1
                }
            }
            if withdrawn == entries.count, withdrawn > 0 { throw .stopping }
            return (answer, isRepeat)
        }
    }

    enum Failure: Error {
        case undecodable(DecodeError)
        case unreadable(InflateError)
        case refused(Refusal)
        /// No pipeline takes spans of the tenant.
        case unrouted(tenant: String)
    }

    private let routes: Routes
    private let lanes: [Lane]
    private var batch: Batch
    private let protobuf: OTLPDecoder
    private let json: OTLPJSONDecoder
    /// By which a request is known when it comes again; nil where no pipeline wants to know.
    private var hash: RequestHash?
    /// Nil where tenants may send what they like.
    private let quotas: Quotas?

    init(into routes: Routes, maxValueDepth: Int, decodedLimit: Int, quotas: Quotas? = nil) throws {
        self.quotas = quotas
        self.routes = routes
        lanes = routes.pipelines.map { $0.makeLane() }
        batch = Batch(decodedLimit: decodedLimit)
        protobuf = OTLPDecoder(maxValueDepth: maxValueDepth)
        json = OTLPJSONDecoder(maxValueDepth: maxValueDepth)
        if let pipeline = routes.pipelines.first(where: { $0.journal.limits.dedupes }) {
            hash = try RequestHash(key: pipeline.journal.limits.dedupeKey)
        }
    }

    /// Throws where a tenant has sent too much lately, or a pipeline that would take its spans is not there. Asked
    /// before anything is done with its request.
    func admit(_ tenant: String?, at now: Timestamp) throws(Failure) {
        let tenant = tenant ?? Batch.anybody
        if let refusal = routes.refusal(of: tenant) { throw .refused(refusal) }
        do throws(Refusal) { try quotas?.admit(tenant, at: now) } catch { throw .refused(error) }
    }

    /// Notes what a request took of which nothing can be decoded.
    func charge(_ tenant: String?, bytes: Int, at now: Timestamp) {
        quotas?.charge(tenant ?? Batch.anybody, spans: 0, bytes: bytes, at: now)
    }

    /// Decodes the request once for each pipeline, because each changes its batch in place.
    /// - Parameter tenant: whose key came with it; nil where nobody was asked for one.
    mutating func process(
        _ payload: Payload, _ encoding: OTLPEncoding, tenant: String? = nil, receivedAt: Timestamp
    ) throws(Failure) -> Accepted {
        try process(payload, encoding, knownBy: payload, tenant: tenant, receivedAt: receivedAt)
    }

    /// - Parameter original: what the client has sent, where that is not `payload`: by it a resend is known. Nil takes
    ///   the request for a new one, whatever came before.
    mutating func process(
        _ payload: Payload, _ encoding: OTLPEncoding, knownBy original: Payload?, tenant: String?,
        receivedAt: Timestamp
    ) throws(Failure) -> Accepted {
        var entries: [(pipeline: Pipeline, entry: JournalEntry)] = []
        var received = 0
        var rejected = Rejections()
        var isKnown = false
        batch.tenant = tenant ?? Batch.anybody
        var key = RequestKey.none
        if let original { key = self.key(of: original, encoding) }
        defer { quotas?.charge(batch.tenant, spans: received, bytes: payload.count, at: receivedAt) }
        // What a large request took is not kept until the next one comes: on a quiet loop that could be hours.
        defer { if payload.count > Batch.retained { batch.reset(to: .empty) } }
        var isTaken = false
        for lane in lanes where lane.pipeline.tenants?.contains(batch.tenant) ?? true {
            isTaken = true
            if let first = lane.pipeline.journal.recall(key) {
                rejected = first
                isKnown = true
                continue
            }
            try decode(payload, encoding)
            batch.receivedAt = receivedAt
            received = batch.spanCount
            rejected = batch.rejected
            do throws(Refusal) {
                if var entry = try lane.process(&batch) {
                    if lane.pipeline.journal.limits.dedupes { entry.key = key }
                    entries.append((lane.pipeline, entry))
                }
            } catch {
                throw .refused(error)
            }
        }
        guard isTaken else { throw .unrouted(tenant: batch.tenant) }
        return Accepted(entries: entries, spanCount: received, rejected: rejected, isKnown: isKnown)
    }

    private mutating func key(of payload: Payload, _ encoding: OTLPEncoding) -> RequestKey {
        // A request says the same again only to the same tenant and in the same encoding.
        var prefix = encoding == .json ? "json " : "protobuf "
        prefix += batch.tenant
        let pair = prefix.withUTF8 { prefix in
            hash?.hash(prefix: UnsafeRawBufferPointer(prefix), body: payload.bytes)
        }
        return pair.map { RequestKey(high: $0.0, low: $0.1) } ?? .none
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
