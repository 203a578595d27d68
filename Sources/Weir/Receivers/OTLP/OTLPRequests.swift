/// What every protocol of the receiver does with a request on one event loop once its head is understood: decompress
/// it, run it through the pipelines, wait for their journals, and count.
final class OTLPRequests {
    private let limits: OTLPLimits
    private let telemetry: ReceiverTelemetry
    private var intake: Intake
    private var inflater: Inflater

    init(_ limits: OTLPLimits, _ intake: consuming Intake, _ telemetry: ReceiverTelemetry) throws {
        self.limits = limits
        self.telemetry = telemetry
        self.intake = intake
        inflater = try Inflater()
    }

    /// Returns when every pipeline has the request. That is the acknowledgement.
    /// - Parameter budget: what is decompressed holds its bytes there until then; nil where nobody counts.
    /// - Returns: what the client is to be told about rejected spans.
    func take(
        _ payload: Payload, _ coding: ContentEncoding, _ encoding: OTLPEncoding, from identity: Identity?,
        _ budget: ByteBudget?
    ) async throws(Intake.Failure) -> Rejections {
        var held = 0
        defer { budget?.release(held, of: identity?.tenant) }
        let accepted = try read(payload, coding, encoding, identity, budget, &held)
        let answer: (rejected: Rejections, isRepeat: Bool)
        do throws(Refusal) {
            answer = try await accepted.commit()
        } catch {
            telemetry.refused.add(accepted.spanCount)
            throw .refused(error)
        }
        if answer.isRepeat {
            telemetry.duplicates.add()
        } else {
            telemetry.accepted.add(accepted.spanCount)
            telemetry.count(accepted.rejected)
        }
        return answer.rejected
    }

    /// Everything up to the journal, without giving up the event loop.
    private func read(
        _ payload: Payload, _ coding: ContentEncoding, _ encoding: OTLPEncoding, _ identity: Identity?,
        _ budget: ByteBudget?, _ held: inout Int
    ) throws(Intake.Failure) -> Intake.Accepted {
        let now = Timestamp.now()
        try intake.admit(identity?.tenant, at: now)
        var payload = payload
        if coding != .identity {
            let compressed = payload.count
            do throws(InflateError) {
                payload = try inflater.inflate(payload.bytes, encoding: coding, limit: limits.maxMessageBytes)
            } catch {
                let bytes = if case .tooLarge(let limit) = error { limit } else { payload.count }
                intake.charge(identity?.tenant, bytes: bytes, at: now)
                throw .unreadable(error)
            }
            // The body as it came holds its own until the answer.
            let more = max(0, payload.count - compressed)
            guard budget?.acquire(more, of: identity?.tenant) ?? true else {
                intake.charge(identity?.tenant, bytes: payload.count, at: now)
                let reason = "requests hold max_in_flight_bytes already, or this client its part"
                throw .refused(.overloaded(reason, retryAfter: .zero))
            }
            held = more
        }
        return try intake.process(payload, encoding, tenant: identity?.tenant, receivedAt: now)
    }
}
