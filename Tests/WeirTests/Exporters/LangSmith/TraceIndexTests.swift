import Testing

@testable import Weir

@Suite struct TraceIndexTests {
    private static let trace = TraceKey(tenant: "default", high: 0xA, low: 0xB)

    private static func index(spans: Int = 1_000) -> TraceIndex {
        TraceIndex(TraceIndex.Limits(spans: spans, halfLife: .seconds(60)))
    }

    private static func link(_ span: UInt64, _ parent: UInt64 = 0, start: UInt64 = 100) -> SpanLink {
        SpanLink(trace: trace, span: span, parent: parent, start: start)
    }

    private static func path(_ place: RunPlace) -> String {
        place.path.map { "\($0.start)@\($0.id == RunIDs(trace).root ? "root" : "\($0.id.low)")" }
            .joined(separator: " ")
    }

    @Test func aSpanIsCompleteOnceItsAncestorsAreKnown() {
        var index = Self.index()
        index.add(Self.link(3, 2))
        #expect(!index.isComplete(Self.link(3, 2)))
        index.add(Self.link(2, 1))
        #expect(!index.isComplete(Self.link(3, 2)))
        index.add(Self.link(1))
        #expect(index.isComplete(Self.link(3, 2)))
        #expect(Self.path(index.place(Self.link(3, 2))) == "100@root 100@2 100@3")
    }

    @Test func aChildNeverStartsBeforeItsParent() {
        var index = Self.index()
        for link in [Self.link(1, start: 100), Self.link(2, 1, start: 50), Self.link(3, 2, start: 70)] {
            index.add(link)
        }
        #expect(Self.path(index.place(Self.link(3, 2, start: 70))) == "100@root 100@2 100@3")
    }

    @Test func theEarliestOfSeveralRootsIsTheRootAndTheOthersAreItsChildren() {
        var index = Self.index()
        for link in [Self.link(5, start: 200), Self.link(6, start: 100), Self.link(7, start: 100)] { index.add(link) }
        #expect(Self.path(index.place(Self.link(5, start: 200))) == "100@root 200@5")
        #expect(Self.path(index.place(Self.link(7, start: 100))) == "100@root 100@7")
        #expect(Self.path(index.place(Self.link(6, start: 100))) == "100@root")
        #expect(index.place(Self.link(6)).parent == nil)
    }

    @Test func aStandInHoldsThePlaceOfARootThatIsMissing() {
        var index = Self.index()
        let first = index.place(Self.link(3, 2, start: 120))
        #expect(Self.path(first) == "120@root 120@3")
        #expect(first.bringsRoot)
        let second = index.place(Self.link(4, 2, start: 110))
        #expect(Self.path(second) == "120@root 120@4")
        #expect(!second.bringsRoot)
        let root = index.place(Self.link(1, start: 90))
        #expect(Self.path(root) == "120@root")
        #expect(root.isPatch)
        #expect(index.place(Self.link(3, 2, start: 120)).bringsRoot, "a retry is the same")
    }

    /// Of an agent that runs for hours, the root comes last.
    @Test func aTraceWhoseRootIsMissingIsLookedThroughOnce() {
        var index = Self.index(spans: 1 << 20)
        let all = UInt64(2)...UInt64(TraceIndex.maxTraceSpans)
        let before = StepCounter.steps
        for span in all { index.add(Self.link(span, 1)) }
        for span in all { _ = index.place(Self.link(span, 1)) }
        let root = index.place(Self.link(1))
        #expect(root.isPatch && root.parent == nil)
        #expect(StepCounter.steps - before < 3 * TraceIndex.maxTraceSpans)
    }

    @Test func allRunsOfATraceAreInTheProjectThatWasNamedFirst() {
        var index = Self.index()
        var named = Self.link(3, 1, start: 120)
        named.project = .name("other")
        index.add(Self.link(2, 1, start: 110))
        index.add(named)
        #expect(index.place(Self.link(2, 1, start: 110)).project == .name("other"))
        var late = Self.link(1, start: 90)
        late.project = .name("too late")
        #expect(index.place(late).project == .name("other") && index.place(late).root.project == .name("other"))
    }

    @Test func whatAnotherProgramHasCalledIsTheRootWhereNoOtherComes() {
        var index = Self.index()
        var entry = Self.link(5, 99, start: 80)
        entry.isEntry = true
        let below = Self.link(6, 5, start: 90)
        index.add(entry)
        index.add(below)
        #expect(!index.isComplete(below))
        #expect(Self.path(index.place(below)) == "80@root 90@6")
        let root = index.place(entry)
        #expect(Self.path(root) == "80@root")
        #expect(root.isOrphan && !root.isPatch && !root.bringsRoot)
        #expect(Self.path(index.place(Self.link(99, start: 10))) == "80@root 80@99", "what comes too late")
        #expect(!index.place(below).isOrphan)
    }

    @Test(arguments: [(1, 1), (2, 3)] as [(UInt64, UInt64)])
    func circlesEndAtTheRoot(span: UInt64, parent: UInt64) {
        var index = Self.index()
        index.add(Self.link(span, parent))
        index.add(Self.link(parent, span))
        #expect(index.isComplete(Self.link(span, parent)))
        #expect(index.place(Self.link(span, parent)).path.first?.id == RunIDs(Self.trace).root)
    }

    @Test func whatIsDeeperThanTheLimitIsAChildOfTheRoot() {
        var index = Self.index()
        let links = [Self.link(1)] + (2...400).map { Self.link($0, $0 - 1) }
        for link in links { index.add(link) }
        for link in links {
            #expect(index.place(link).path.count <= TraceIndex.maxDepth + 1)
        }
    }

    @Test func whatIsMoreThanIsRememberedOfATraceIsAChildOfTheRoot() {
        var index = Self.index(spans: 2 * TraceIndex.maxTraceSpans)
        for number in 0..<UInt64(TraceIndex.maxTraceSpans) { index.add(Self.link(number + 1, number)) }
        let late = index.place(Self.link(1 << 32, 2, start: 90))
        #expect(late.path.count == 2 && late.isOrphan && late.bringsRoot, "nobody was sent before it")
        #expect(!index.place(Self.link(1 << 33, 2)).bringsRoot)
        #expect(index.place(Self.link(1)).isPatch)
    }

    @Test func tenantsWithTheSameTraceHaveTwoTrees() {
        var index = Self.index()
        index.add(Self.link(1))
        let other = SpanLink(trace: TraceKey(tenant: "other", high: 0xA, low: 0xB), span: 2, parent: 1, start: 1)
        #expect(!index.isComplete(other))
    }

    @Test func tenantsWithTheSameIDsHaveRunsOfTheirOwn() {
        func path(_ tenant: String) -> [RunID] {
            var index = Self.index()
            let key = TraceKey(tenant: tenant, high: 0xA, low: 0xB)
            let links = [(1, 0), (2, 1), (3, 2)].map { SpanLink(trace: key, span: $0, parent: $1, start: 1) }
            for link in links { index.add(link) }
            return index.place(links[2]).path.map(\.id)
        }
        #expect(path("default") == [RunID(high: 0xA, low: 0xB), RunID(high: 0, low: 2), RunID(high: 0, low: 3)])
        #expect(path("shop") == path("shop"), "a span that is sent again is the same run")
        #expect(Set(["default", "shop", "bank"].flatMap(path)).count == 9)
        // Of a run that is in LangSmith already, from any process and release.
        let root = RunIDs(TraceKey(tenant: "shop", high: 0xA, low: 0xB)).root
        #expect(root == RunID(high: 0x85E8_97F8_980D_A594, low: 0x2BE3_3C58_133F_997A))
    }

    @Test func tracesThatNobodyAsksForAreForgottenAndTheOthersNot() {
        var index = Self.index(spans: 20)
        func other(_ number: UInt64) -> SpanLink {
            SpanLink(trace: TraceKey(tenant: "1", high: 1, low: number), span: 1, parent: 0, start: 1)
        }
        for number in 1...100 as ClosedRange<UInt64> {
            index.turn(at: Timestamp(nanoseconds: number))
            index.add(Self.link(number))
            _ = index.place(other(number))
        }
        #expect(index.young.count + index.old.count <= 22)
        #expect(!index.isComplete(other(1)))
        #expect(index.isComplete(Self.link(1)))
        index.turn(at: Timestamp(nanoseconds: 61_000_000_000))
        index.turn(at: Timestamp(nanoseconds: 122_000_000_001))
        index.turn(at: Timestamp(nanoseconds: 183_000_000_002))
        #expect(index.young.isEmpty && index.old.isEmpty)
    }

    /// Whatever the order, the parents, the clocks and what is missing, and whoever is asked first: one valid tree,
    /// and the same after a restart in the middle.
    @Test func everyTraceBecomesOneValidTree() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        for _ in 0..<300 {
            let count = UInt64.random(in: 1...12, using: &random)
            let links = (1...count).map { span in
                var link = Self.link(
                    span, .random(in: 0...count + 1, using: &random), start: .random(in: 0...9, using: &random))
                link.isEntry = .random(using: &random)
                return link
            }.shuffled(using: &random)
            var index = Self.index()
            var places: [RunID: RunPlace] = [:]
            var hasStandIn = false
            for link in links {
                index.add(link)
                if Bool.random(using: &random) { continue }
                if Bool.random(using: &random) { index = try Self.restarted(index) }
                let place = index.place(link)
                hasStandIn = hasStandIn || place.bringsRoot
                places[place.id] = place
            }
            for link in links {
                let place = index.place(link)
                hasStandIn = hasStandIn || place.bringsRoot
                #expect(places[place.id].map { $0.path == place.path } ?? true, "seed \(seed)")
                places[place.id] = place
            }
            let root = RunIDs(Self.trace).root
            #expect(hasStandIn || places[root] != nil, "seed \(seed)")
            #expect(places.count == Int(count), "seed \(seed)")
            for place in places.values {
                #expect(place.trace == root, "seed \(seed)")
                #expect(place.path.map(\.start) == place.path.map(\.start).sorted(), "seed \(seed)")
                #expect(Set(place.path.map(\.id)).count == place.path.count, "seed \(seed)")
                guard let parent = place.parent.flatMap({ places[$0] }) else {
                    #expect(place.path.count == (place.id == root ? 1 : 2), "seed \(seed)")
                    continue
                }
                #expect(Array(place.path.dropLast()) == parent.path, "seed \(seed)")
            }
        }
    }

    /// Another process, which knows what this one has fixed and gets the rest again.
    private static func restarted(_ index: TraceIndex) throws -> TraceIndex {
        let directory = try TemporaryDirectory()
        var old = index
        var files = try PlaceFiles("\(directory.path)/places")
        let all = (old.young.merging(old.old) { young, _ in young }).flatMap { key, trace in
            trace.spans.filter(\.value.isFixed).map { FixedPlace(key, $0.key, $0.value, trace.project) }
                + (trace.root == 0
                    ? trace.rootStart.map { [FixedPlace(standIn: key, start: $0, trace.project)] } ?? [] : [])
        }.sorted { $0.span.depth < $1.span.depth }
        try files.append(all, hasTurned: false, isSafe: true)
        var new = Self.index()
        try files.restore(into: &new)
        // What was not fixed is still in the journal.
        for (key, trace) in old.young {
            for (id, span) in trace.spans where !span.isFixed {
                new.add(
                    SpanLink(
                        trace: key, span: id, parent: span.parent, start: span.start, isEntry: span.isEntry))
            }
        }
        _ = old.takeNews()
        return new
    }
}
