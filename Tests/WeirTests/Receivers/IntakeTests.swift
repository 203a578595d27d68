import Testing

@testable import Weir

@Suite struct IntakeTests {
    private let payload = SampleBatch.payload([(1, SampleBatch.fourOClock), (2, SampleBatch.fourOClock)])

    @Test func givesARequestToEveryPipeline() async throws {
        let (one, other) = (try PipelineSample("one"), try PipelineSample("other"))
        var intake = try Intake(into: Routes([one.pipeline, other.pipeline]), maxValueDepth: 64, decodedLimit: 1 << 20)
        let receivedAt = Timestamp(nanoseconds: 9)
        let accepted = try intake.process(payload, .protobuf, receivedAt: receivedAt)
        #expect(accepted.spanCount == 2)
        #expect(accepted.rejected.count == 0)
        #expect(await one.taken() == [], "nothing is kept before the commit")
        _ = try await accepted.commit()
        for sample in [one, other] {
            let record = try #require(await sample.reader.read().first)
            #expect(record.spanCount == 2)
            #expect(record.receivedAt == receivedAt)
            #expect(Array(record.payload.bytes) == Array(payload.bytes))
        }
    }

    @Test func givesItToNoneWhereOneIsFull() async throws {
        for fullIsFirst in [false, true] {
            let full = try PipelineSample("full", maxBytes: 64 << 10)
            await full.fill()
            let free = try PipelineSample("free")
            let pipelines = fullIsFirst ? [full.pipeline, free.pipeline] : [free.pipeline, full.pipeline]
            var intake = try Intake(into: Routes(pipelines), maxValueDepth: 64, decodedLimit: 1 << 20)
            let accepted = try intake.process(payload, .protobuf, receivedAt: Timestamp(nanoseconds: 0))
            await #expect(throws: Refusal.self) { try await accepted.commit() }
            #expect(await free.taken() == [])
            #expect(await full.taken().contains(2) == false)
        }
    }

    @Test func refusesWhenAPipelineIsStopping() async throws {
        let sample = try PipelineSample()
        var intake = try Intake(into: Routes([sample.pipeline]), maxValueDepth: 64, decodedLimit: 1 << 20)
        let accepted = try intake.process(payload, .protobuf, receivedAt: Timestamp(nanoseconds: 0))
        sample.pipeline.journal.close()
        await #expect(throws: Refusal.stopping) { try await accepted.commit() }
    }

    /// A reload took one of its pipelines away while the request was on its way.
    @Test func whatIsOnItsWayToAPipelineThatIsGoneIsKeptByTheOthers() async throws {
        for goneIsFirst in [false, true] {
            let (gone, left) = (try PipelineSample("gone"), try PipelineSample("left"))
            let pipelines = goneIsFirst ? [gone.pipeline, left.pipeline] : [left.pipeline, gone.pipeline]
            var intake = try Intake(into: Routes(pipelines), maxValueDepth: 64, decodedLimit: 1 << 20)
            let accepted = try intake.process(payload, .protobuf, receivedAt: Timestamp(nanoseconds: 0))
            gone.pipeline.withdraw()
            gone.pipeline.journal.close()
            #expect(try await accepted.commit().isRepeat == false)
            #expect(await left.taken() == [2])
            #expect(await gone.taken() == [])
            left.pipeline.withdraw()
            left.pipeline.journal.close()
            await #expect(throws: Refusal.stopping) { try await accepted.commit() }
        }
    }

    @Test func keepsNothingOfABatchWhoseSpansAreAllDropped() async throws {
        let emptied = try PipelineSample("emptied", processors: [BluntProcessor(refusing: nil)])
        let other = try PipelineSample("other")
        let routes = Routes([emptied.pipeline, other.pipeline])
        var intake = try Intake(into: routes, maxValueDepth: 64, decodedLimit: 1 << 20)
        let accepted = try intake.process(payload, .protobuf, receivedAt: Timestamp(nanoseconds: 0))
        #expect(accepted.spanCount == 2, "what a filter drops was accepted")
        _ = try await accepted.commit()
        #expect(await emptied.taken() == [])
        #expect(await other.taken() == [2], "one pipeline's processors do not touch another's spans")
    }

    @Test func takesBothEncodingsAndCountsWhatIsRejected() async throws {
        let sample = try PipelineSample()
        var intake = try Intake(into: Routes([sample.pipeline]), maxValueDepth: 64, decodedLimit: 1 << 20)
        let json =
            #"{"resourceSpans":[{"scopeSpans":[{"spans":["#
            + #"{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"a"},"#
            + #"{"traceId":"00","spanId":"eee19b7ec3c1b174","name":"b"}]}]}]}"#
        let accepted = try intake.process(Self.payload(json), .json, receivedAt: Timestamp(nanoseconds: 0))
        #expect(accepted.spanCount == 1)
        #expect(accepted.rejected.count == 1)
        _ = try await accepted.commit()
        _ = try intake.process(payload, .protobuf, receivedAt: Timestamp(nanoseconds: 0))
        #expect(await sample.taken() == [1])
    }

    @Test func goesOnAfterARequestThatItCannotDecode() throws {
        let sample = try PipelineSample()
        var intake = try Intake(into: Routes([sample.pipeline]), maxValueDepth: 64, decodedLimit: 1 << 20)
        do {
            _ = try intake.process(Self.payload("{"), .json, receivedAt: Timestamp(nanoseconds: 0))
            Issue.record("half an object was taken")
        } catch {
            guard case .undecodable(.malformed) = error else { throw error }
        }
        #expect(try intake.process(payload, .protobuf, receivedAt: Timestamp(nanoseconds: 0)).spanCount == 2)
    }

    @Test func passesOnWhatAProcessorRefuses() throws {
        let refusal = Refusal.overloaded("no key", retryAfter: .seconds(9))
        let sample = try PipelineSample(processors: [BluntProcessor(refusing: refusal)])
        var intake = try Intake(into: Routes([sample.pipeline]), maxValueDepth: 64, decodedLimit: 1 << 20)
        do {
            _ = try intake.process(payload, .protobuf, receivedAt: Timestamp(nanoseconds: 0))
            Issue.record("a refused batch was taken")
        } catch {
            guard case .refused(refusal) = error else { throw error }
        }
    }

    @Test func takesNothingOfATenantWhosePipelineIsMissing() throws {
        let sample = try PipelineSample()
        let missing = MissingPipeline(file: "bank", receivers: nil, tenants: .named(["bank"]))
        let routes = Routes([sample.pipeline], missing: [missing])
        let intake = try Intake(into: routes, maxValueDepth: 64, decodedLimit: 1 << 20)
        try intake.admit("shop", at: Timestamp(nanoseconds: 0))
        do {
            try intake.admit("bank", at: Timestamp(nanoseconds: 0))
            Issue.record("spans were taken that another pipeline was to have")
        } catch {
            guard case .refused(.overloaded(let reason, _)) = error else { throw error }
            #expect(reason == "spans of the tenant bank wait for a file of pipelines that is in error: bank")
        }
    }

    private static func payload(_ text: String) -> Payload {
        Array(text.utf8).withUnsafeBytes { .copying($0) }
    }
}
