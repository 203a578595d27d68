import Testing

@testable import Weir

@Suite struct TraceStateTests {
    private static let quarter = SamplingThreshold(probability: 0.25)

    /// What the trace state says, and what it becomes with a quarter; nil where it is not one.
    private func edit(
        _ text: String, _ threshold: SamplingThreshold? = quarter, randomness: UInt64? = nil
    ) -> String? {
        Array(text.utf8).withUnsafeBytes { bytes in
            guard let state = TraceState(bytes) else { return nil }
            var output: [UInt8] = Array("before".utf8)
            let isWritten = state.write(threshold, randomness: randomness.map(SamplingRandomness.init), to: &output)
            return isWritten ? String(decoding: output.dropFirst(6), as: UTF8.self) : "over"
        }
    }

    @Test func readsWhatIsSaidOfSampling() throws {
        func read(_ text: String, _ body: (TraceState) -> Void) throws {
            try Array(text.utf8).withUnsafeBytes { body(try #require(TraceState($0), "\(text)")) }
        }
        try read("") { #expect(!$0.hasSamplingInformation) }
        try read("a=1,b=th:8") { #expect(!$0.hasSamplingInformation) }
        try read("a=1 , ot=th:c;rv:0123456789abcd ,,\t b=2") {
            #expect($0.threshold == Self.quarter)
            #expect($0.randomness?.bits == 0x01_2345_6789_ABCD)
        }
        try read("ot=p:8;r:62") { #expect(!$0.hasSamplingInformation) }
        try read("ot=th:0") { #expect($0.threshold == .always) }
        try read("t3nant@ot=th:8") { #expect(!$0.hasSamplingInformation) }
    }

    @Test func leavesEverythingElseByteForByte() {
        for (before, after) in [
            ("", "ot=th:c"), ("ot=th:8", "ot=th:c"), ("a=1", "ot=th:c,a=1"), ("a=1,ot=th:8,b=2", "ot=th:c,a=1,b=2"),
            ("ot=th:8,b=2", "ot=th:c,b=2"), ("a=1 ,\tot=th:8 ", "ot=th:c,a=1 "),
            (" a=x y!~ ,b=2", "ot=th:c, a=x y!~ ,b=2"),
            ("ot=p:8;th:8;r:62", "ot=p:8;r:62;th:c"),
            ("ot=rv:00000000000001;th:0;zz:A.b_C-9", "ot=rv:00000000000001;zz:A.b_C-9;th:c"),
            ("ot=k:", "ot=k:;th:c"), (",,", "ot=th:c,,,"),
        ] {
            #expect(edit(before) == after)
        }
    }

    @Test func erasesAThreshold() {
        for (before, after) in [
            ("", ""), ("ot=th:8", ""), ("a=1,ot=th:8", "a=1"), ("ot=th:8,a=1", "a=1"), ("a=1,ot=th:8,b=2", "a=1,b=2"),
            ("ot=rv:00000000000001;th:8", "ot=rv:00000000000001"), ("a=1", "a=1"),
        ] {
            #expect(edit(before, nil) == after)
        }
    }

    @Test func writesARandomnessOfItsOwn() {
        #expect(edit("a=1", randomness: 0xABC) == "ot=rv:00000000000abc;th:c,a=1")
        #expect(edit("ot=k:1", randomness: 0xFF_FFFF_FFFF_FFFF) == "ot=rv:ffffffffffffff;k:1;th:c")
    }

    @Test(arguments: [
        "a", "=1", "a=", "A=1", "a=1=2", "a=\u{7F}", "a=ü", "1a=2", "@b=1", "a@1=2", "ot=", "ot=th", "ot=th:",
        "ot=th:x",
        "ot=th:8;;", "ot=;th:8", "ot=th:8;th:9", "ot=rv:1", "ot=TH:8", "ot=th:8,ot=th:8", "ot=a:b:c", "ot=a:b c",
        "ot=th:123456789abcdef", "a=1\n",
    ])
    func doesNotReadWhatIsNotATraceState(_ text: String) {
        #expect(edit(text) == nil)
    }

    @Test func keepsItsLimits() {
        func members(_ count: Int) -> String { (0..<count).map { "k\($0)=1" }.joined(separator: ",") }
        #expect(edit(members(31))?.hasPrefix("ot=th:c,k0=1") == true)
        // A member that is one too many is not written, and none is thrown away for it.
        #expect(edit(members(32)) == "over")
        #expect(edit(members(31) + ",ot=th:8")?.hasPrefix("ot=th:c,k0=1") == true)
        #expect(edit(members(33)) == nil)
        #expect(edit(members(32), nil) == members(32))
        let longest = String(repeating: "v", count: 256)
        #expect(edit("a=\(longest)") == "ot=th:c,a=\(longest)")
        #expect(edit("a=\(longest)v") == nil)
        let list = "ot=k:" + String(repeating: "v", count: 250)
        #expect(edit(list) == "over")
        #expect(edit(list, nil) == list)
        let text =
            (0..<3).map { "k\($0)=\(longest)" }.joined(separator: ",") + ",l=" + String(repeating: "v", count: 238)
        #expect(text.utf8.count == 1020)
        #expect(edit(text) == "over")
        #expect(edit(text + "vvvv", nil) == text + "vvvv")
        #expect(edit(text + "vvvvv", nil) == nil)
        let key = String(repeating: "k", count: 256)
        #expect(edit("\(key)=1") != nil)
        #expect(edit("\(key)k=1") == nil)
        let (tenant, system) = (String(repeating: "0", count: 241), String(repeating: "s", count: 14))
        #expect(edit("\(tenant)@\(system)=1") != nil)
        #expect(edit("\(tenant)0@\(system)=1") == nil)
        #expect(edit("\(tenant)@\(system)s=1") == nil)
    }

    @Test func survivesWhateverComes() {
        var random = SplitMix64(seed: 9)
        let alphabet = Array("ot=th:rv;,0189af \t@kz".utf8)
        for _ in 0..<50_000 {
            let text = (0..<random.below(24)).map { _ in random.pick(alphabet) }
            text.withUnsafeBytes { bytes in
                guard let state = TraceState(bytes) else { return }
                var output: [UInt8] = []
                let isWritten = state.write(Self.quarter, to: &output)
                #expect(isWritten)
                let again = output.withUnsafeBytes { TraceState($0) }
                #expect(again?.threshold == Self.quarter && again?.randomness == state.randomness, "\(text)")
            }
        }
    }
}
