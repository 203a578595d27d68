import Foundation
import Testing

@testable import Weir

@Suite struct ReloadWatchTests {
    private let temporary: TemporaryDirectory
    private let main: String
    private let prices: String

    init() throws {
        temporary = try TemporaryDirectory()
        main = "\(temporary.path)/collector.yaml"
        prices = "\(temporary.path)/prices.yaml"
        try write("a", to: main)
        try write("b", to: prices)
    }

    private func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    private func reading(_ paths: String...) -> ConfigSources {
        var sources = ConfigSources()
        for path in paths { sources.note(path, ConfigSources.digest(of: path)) }
        return sources
    }

    @Test func aChangeIsFoundOnceItIsLeftAlone() throws {
        var watch = ReloadWatch(reading(main, prices))
        for _ in 0..<3 { #expect(watch.look() == []) }
        try write("c", to: main)
        #expect(watch.look() == [], "somebody may still write")
        try write("d", to: main)
        #expect(watch.look() == [])
        #expect(watch.look() == [main])
    }

    @Test func whatChangedBetweenTheReadingAndTheFirstLookIsFound() throws {
        var watch = ReloadWatch(reading(main))
        try write("c", to: main)
        #expect(watch.look() == [])
        #expect(watch.look() == [main])
    }

    @Test func aFileThatIsTouchedOrComesBackAsItWasIsNoChange() throws {
        var watch = ReloadWatch(reading(main))
        #expect(watch.look() == [])
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: main)
        for _ in 0..<3 { #expect(watch.look() == []) }
        try write("c", to: main)
        #expect(watch.look() == [])
        try write("a", to: main)
        for _ in 0..<3 { #expect(watch.look() == []) }
    }

    @Test func whatWasReadIsNotFoundAgainUntilItChangesAgain() throws {
        var watch = ReloadWatch(reading(main, prices))
        try write("c", to: main)
        try write("d", to: prices)
        _ = watch.look()
        #expect(watch.look() == [main, prices])
        watch.begin()
        // It was rejected at the first file, and has not looked at the second.
        watch.end(reading(main), isWhole: false)
        for _ in 0..<3 { #expect(watch.look() == []) }
        try write("e", to: prices)
        _ = watch.look()
        #expect(watch.look() == [prices])
        watch.begin()
        watch.end(reading(main), isWhole: true)
        try write("f", to: prices)
        for _ in 0..<3 { #expect(watch.look() == [], "nothing names it any more") }
    }

    @Test func aFileThatIsGoneOrThatComesIsAChange() throws {
        let missing = "\(temporary.path)/missing"
        var watch = ReloadWatch(reading(main, missing))
        try FileManager.default.removeItem(atPath: main)
        try write("", to: missing)
        _ = watch.look()
        #expect(watch.look() == [main, missing])
        watch.begin()
        watch.end(reading(main), isWhole: false)
        for _ in 0..<3 { #expect(watch.look() == []) }
    }

    @Test func aLinkThatLeadsElsewhereIsAChange() throws {
        // As Kubernetes does it: the link of the directory is replaced, and no file in it.
        let manager = FileManager.default
        for (name, text) in [("1", "a"), ("2", "b")] {
            try manager.createDirectory(atPath: "\(temporary.path)/\(name)", withIntermediateDirectories: true)
            try write(text, to: "\(temporary.path)/\(name)/x.yaml")
        }
        let link = "\(temporary.path)/data"
        try manager.createSymbolicLink(atPath: link, withDestinationPath: "1")
        var watch = ReloadWatch(reading("\(link)/x.yaml"))
        for _ in 0..<3 { #expect(watch.look() == []) }
        try manager.createSymbolicLink(atPath: "\(link).new", withDestinationPath: "2")
        #expect(rename("\(link).new", link) == 0)
        _ = watch.look()
        #expect(watch.look() == ["\(link)/x.yaml"])
    }

    @Test func aDirectoryIsItsNames() throws {
        let directory = temporary.path
        var watch = ReloadWatch(reading(directory))
        try write("", to: "\(directory)/.shop.yaml.swp")
        for _ in 0..<3 { #expect(watch.look() == []) }
        try write("", to: "\(directory)/shop.yaml")
        _ = watch.look()
        #expect(watch.look() == [directory])
    }
}
