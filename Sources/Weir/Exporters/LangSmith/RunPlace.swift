/// Where a run stands in its tree.
struct RunPlace: Sendable {
    struct Step: Equatable, Sendable {
        let id: RunID
        /// Microseconds since 1970, not before those of the step above.
        let start: UInt64
    }

    /// From the root to the run itself; never empty.
    let path: [Step]
    /// It does not stand below the run of its span's parent.
    var isOrphan = false
    /// The root was missing when the first of its runs was sent, and a stand-in was posted: this is a patch to it.
    var isPatch = false
    /// Nobody else posts the stand-in for the missing root.
    var bringsRoot = false
    /// Nil where no span of the trace named one in time.
    var project: RunProject?

    var id: RunID { path[path.count - 1].id }
    var start: UInt64 { path[path.count - 1].start }
    var trace: RunID { path[0].id }
    var parent: RunID? { path.count > 1 ? path[path.count - 2].id : nil }

    /// The stand-in's own place.
    var root: RunPlace { RunPlace(path: [path[0]], project: project) }

    func salted(_ salt: UInt64) -> RunPlace {
        guard salt != 0 else { return self }
        return RunPlace(
            path: path.map { Step(id: $0.id.salted(salt), start: $0.start) }, isOrphan: isOrphan, isPatch: isPatch,
            bringsRoot: bringsRoot, project: project)
    }
}

/// What of a span decides where its run stands.
struct SpanLink: Sendable {
    let trace: TraceKey
    let span: UInt64
    /// 0 where there is none.
    let parent: UInt64
    /// Microseconds since 1970.
    let start: UInt64
    /// Another program has called it, so that its parent may never come.
    var isEntry = false
    var project: RunProject?
}

extension JSONWriter {
    /// LangSmith's `dotted_order`, without quotes: for each step the time, to the microsecond, and the id.
    mutating func dottedOrder(_ path: [RunPlace.Step]) {
        for (index, step) in path.enumerated() {
            if index > 0 { byte(UInt8(ascii: ".")) }
            let time = CalendarTime(secondsSince1970: Int(step.start / 1_000_000))
            decimal(time.year, digits: 4)
            decimal(time.month, digits: 2)
            decimal(time.day, digits: 2)
            byte(UInt8(ascii: "T"))
            decimal(time.hour, digits: 2)
            decimal(time.minute, digits: 2)
            decimal(time.second, digits: 2)
            decimal(Int(step.start % 1_000_000), digits: 6)
            byte(UInt8(ascii: "Z"))
            uuid(step.id)
        }
    }

    /// `"2026-02-03T04:05:06.000007Z"`
    mutating func time(microseconds: UInt64) {
        let time = CalendarTime(secondsSince1970: Int(microseconds / 1_000_000))
        byte(UInt8(ascii: "\""))
        decimal(time.year, digits: 4)
        byte(UInt8(ascii: "-"))
        decimal(time.month, digits: 2)
        byte(UInt8(ascii: "-"))
        decimal(time.day, digits: 2)
        byte(UInt8(ascii: "T"))
        decimal(time.hour, digits: 2)
        byte(UInt8(ascii: ":"))
        decimal(time.minute, digits: 2)
        byte(UInt8(ascii: ":"))
        decimal(time.second, digits: 2)
        byte(UInt8(ascii: "."))
        decimal(Int(microseconds % 1_000_000), digits: 6)
        raw("Z\"")
    }
}
