import Glibc
import Testing

@testable import Weir

@Suite struct PlaceFilesTests {
    private let directory: TemporaryDirectory
    private let key = TraceKey(tenant: "shop", high: 8, low: 9)

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func index() -> TraceIndex {
        TraceIndex(TraceIndex.Limits(spans: 100, halfLife: .seconds(60)))
    }

    private func link(_ span: UInt64, _ parent: UInt64) -> SpanLink {
        SpanLink(trace: key, span: span, parent: parent, start: span)
    }

    @Test func whatWasFixedIsKnownToTheNextProcess() throws {
        var first = index()
        var files: PlaceFiles? = try PlaceFiles(directory.path)
        first.add(link(1, 0))
        _ = first.place(link(2, 1))
        let news = first.takeNews()
        try files?.append(news.places, hasTurned: news.hasTurned, isSafe: true)
        for isOwn in [false, true] {
            if isOwn { files = nil }
            var second = index()
            var again = try PlaceFiles(directory.path)
            #expect(again.isOwn == isOwn, "one writes, all may read")
            try again.restore(into: &second)
            try again.append([], hasTurned: !isOwn, isSafe: true)
            #expect(second.isComplete(link(2, 1)))
            #expect(second.place(link(3, 2)).path.map(\.start) == [1, 2, 3])
            #expect(second.takeNews().places.count == 1)
        }
    }

    @Test(
        arguments: [RunProject.name("a\n\"b\" \u{0}ü"), .id("5f0c8a3e-6a0f-4a5e-9d3b-0c1d2e3f4a5b")], [UInt64(0), 9])
    func theProjectIsKnownToTheNextProcess(project: RunProject, parent: UInt64) throws {
        var first = index()
        var files: PlaceFiles? = try PlaceFiles(directory.path)
        var span = link(2, parent)
        span.project = project
        _ = first.place(span)
        try files?.append(first.takeNews().places, hasTurned: false, isSafe: true)
        files = nil
        var second = index()
        var again = try PlaceFiles(directory.path)
        try again.restore(into: &second)
        #expect(second.place(link(3, 2)).project == project)
    }

    @Test func aLineThatACrashLeftUnfinishedIsCutOff() throws {
        var first = index()
        _ = first.place(link(1, 0))
        var files: PlaceFiles? = try PlaceFiles(directory.path)
        try files?.append(first.takeNews().places, hasTurned: false, isSafe: false)
        files = nil
        let young = try AppendFile(extending: "\(directory.path)/young")
        try Array("000000".utf8).withUnsafeBytes { try young.append($0) }
        for _ in 0..<2 {
            var second = index()
            var again = try PlaceFiles(directory.path)
            try again.restore(into: &second)
            #expect(second.isComplete(link(1, 0)))
            try again.append(first.takeNews().places, hasTurned: false, isSafe: false)
        }
        // With what is written next.
        _ = first.place(link(2, 1))
        var last = try PlaceFiles(directory.path)
        try last.append(first.takeNews().places, hasTurned: false, isSafe: false)
        var third = index()
        try last.restore(into: &third)
        #expect(third.isComplete(link(1, 0)) && third.isComplete(link(2, 1)))
    }

    @Test func theFilesOfAProcessThatEndedAreTakenOver() throws {
        var first: PlaceFiles? = try PlaceFiles(directory.path)
        try first?.append([], hasTurned: true, isSafe: false)
        var second = try PlaceFiles(directory.path)
        var one = index()
        _ = one.place(link(1, 0))
        try second.takeOver()
        try second.append(one.takeNews().places, hasTurned: false, isSafe: false)
        #expect(!second.isOwn)
        let young = try AppendFile(extending: "\(directory.path)/young")
        try Array("000000".utf8).withUnsafeBytes { try young.append($0) }
        first = nil
        try second.takeOver()
        #expect(second.isOwn)
        one.turn(at: Timestamp(nanoseconds: 1))
        _ = one.place(link(2, 1))
        one.tellAgain()
        try second.append(one.takeNews().places, hasTurned: false, isSafe: false)
        var next = index()
        try second.restore(into: &next)
        #expect(next.isComplete(link(1, 0)) && next.isComplete(link(2, 1)))
    }

    @Test(arguments: [true, false]) func aTurnThatFailsIsNotTheEnd(isDirectory: Bool) throws {
        var files = try PlaceFiles(directory.path)
        var one = index()
        _ = one.place(link(1, 0))
        try files.append(one.takeNews().places, hasTurned: false, isSafe: false)
        let old = "\(directory.path)/old"
        if isDirectory { try Directory.create(old) } else { #expect(symlink("nothing", old) == 0) }
        _ = one.place(link(2, 1))
        do throws(FileError) {
            try files.append(one.takeNews().places, hasTurned: true, isSafe: false)
        } catch {
            #expect(isDirectory)
        }
        if isDirectory { try Directory.remove(old) }
        _ = one.place(link(3, 2))
        try files.append(one.takeNews().places, hasTurned: false, isSafe: true)
        var next = index()
        try files.restore(into: &next)
        #expect(next.isComplete(link(1, 0)) && next.isComplete(link(3, 2)))
    }

    @Test func whatIsOldIsForgottenAtTheSecondTurn() throws {
        var files = try PlaceFiles(directory.path)
        var one = index()
        for (turn, known) in [true, true, false].enumerated() {
            if turn == 0 { _ = one.place(link(1, 0)) }
            try files.append(one.takeNews().places, hasTurned: turn > 0, isSafe: false)
            var next = index()
            try files.restore(into: &next)
            #expect(next.isComplete(link(1, 0)) == known)
        }
    }
}
