import Testing

@testable import Weir

@Suite struct DecisionMarksTests {
    private func marked(_ span: SpanFixture, _ threshold: SamplingThreshold) throws -> (state: String, count: Double?) {
        var batch = try SpanFixture.batch([span])
        var marks = DecisionMarks()
        marks.begin()
        marks.mark(0, threshold, batch.store(.string("rule")), in: &batch)
        return (batch.text(batch.spans[0].traceState), batch.adjustedCount(of: batch.spans[0]))
    }

    private func span(_ state: String, _ weight: Double? = nil) -> SpanFixture {
        var span = SpanFixture()
        span.traceState = state
        if let weight { span.attributes = [NewPair(key: "weir.sampling.adjusted_count", value: .double(weight))] }
        return span
    }

    /// A page or a session was chosen before, by something else than the trace's randomness: both chances multiply.
    @Test func aWeightFromBeforeIsMultiplied() throws {
        let quarter = SamplingThreshold(probability: 0.25)
        let most = "ot=rv:ffffffffffffff"
        #expect(try marked(span(most, 2), quarter) == ("ot=rv:ffffffffffffff;th:c", 8))
        #expect(try marked(span(most + ";th:8", 10), quarter) == ("ot=rv:ffffffffffffff;th:c", 20))
        #expect(try marked(span(most), quarter) == ("ot=rv:ffffffffffffff;th:c", 4))
        #expect(try marked(span(most, 2), .always) == ("ot=rv:ffffffffffffff;th:0", 2))
    }

    /// "The rejection threshold MUST NOT exceed the randomness of a sampled span."
    @Test func aThresholdAboveTheRandomnessIsNotWritten() throws {
        let quarter = SamplingThreshold(probability: 0.25)
        #expect(try marked(span("ot=rv:00000000000000;th:0"), quarter) == ("ot=rv:00000000000000", nil))
    }

    @Test func whatWasCalledBackStandsForNone() throws {
        var batch = try SpanFixture.batch([span("a=1,ot=th:8", 3)])
        var marks = DecisionMarks()
        marks.begin()
        marks.markPromoted(0, batch.store(.string("promoted")), in: &batch)
        #expect(batch.text(batch.spans[0].traceState) == "a=1")
        #expect(batch.adjustedCount(of: batch.spans[0]) == 0)
    }
}
