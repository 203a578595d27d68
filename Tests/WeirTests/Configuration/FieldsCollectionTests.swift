import Testing

@testable import Weir

@Suite struct FieldsCollectionTests {
    @Test func stringsCountTheirItems() {
        let read = { (fields: inout Fields) in fields.strings("a", default: ["x"], count: 1...2, "") }
        check("{}", read, gives: ["x"])
        check("a: [p, 5]", read, gives: ["p", "5"])
        check("a: []", read, fails: "1: a: found 0 entries, wanted 1...2")
        check("a: [p, q, r]", read, fails: "1: a: found 3 entries, wanted 1...2")
        check("a: p", read, fails: "1: a: found the string \"p\", wanted a list of 1...2 entries")
        check("a:\n  - p\n  - {}\n", read, fails: "3: a[1]: found a mapping, wanted a string")
        check("a: [~]", read, fails: "1: a[0]: found nothing, wanted a string")
    }

    @Test func stringsWithTooShortADefaultAreRequired() {
        check(
            "{}", { $0.strings("a", default: [], count: 1...2, "") },
            fails: "1: a: is missing, wanted a list of 1...2 entries")
    }

    @Test func parsedListReportsEachItemOnItsLine() {
        let read = { (fields: inout Fields) in fields.parsedList("a", count: 1...9, "", ComponentID.init(parsing:)) }
        check("a: [x, y/z]", read, gives: [ComponentID(type: "x"), ComponentID(type: "y", name: "z")])
        check("{}", read, fails: "1: a: is missing, wanted a list of 1...9 entries")
        let wanted =
            "wanted an id: type or type/name, the type of a-z, 0-9 and _, the name of letters, digits, _, - and ."
        check(
            "a:\n  - X\n  - y\n  - z/", read, fails: "2: a[0]: found \"X\", \(wanted)",
            "4: a[2]: found \"z/\", \(wanted)")
    }

    @Test func sectionLeftOutHasItsDefaults() {
        let read = { (fields: inout Fields) in fields.section("a", "") { $0.int("b", default: 3, in: 0...9, "") } }
        check("{}", read, gives: 3)
        check("a:", read, gives: 3)
        check("a: {b: 4}", read, gives: 4)
        check("a: []", read, fails: "1: a: found a list, wanted a mapping")
        check("a: 5", read, fails: "1: a: found a single value, wanted a mapping")
        check("\na:\n  c: 4", read, fails: "3: a.c: is not a known key, wanted one of b")
    }

    @Test func requiredKeyOfASectionLeftOutIsMissed() {
        check("{}", { $0.section("a", "") { $0.string("b", "") } }, fails: "1: a.b: is missing, wanted a string")
    }

    @Test func requiredKeyOfAMappingThatIsNoneIsNotMissedToo() {
        check(
            "a: 5", { $0.section("a", "") { $0.string("b", "") } },
            fails: "1: a: found a single value, wanted a mapping")
    }

    @Test func optionalSectionLeftOutIsNil() {
        let read = { (fields: inout Fields) in
            fields.optionalSection("a", "") { $0.int("b", default: 3, in: 0...9, "") }
        }
        check("{}", read, gives: nil)
        check("a: {}", read, gives: 3)
        check("a: {b: 10}", read, fails: "1: a.b: found 10, wanted an integer in 0...9")
    }

    @Test func listReadsEachMapping() {
        let read = { (fields: inout Fields) in
            fields.list("a", count: 1...2, "") { $0.int("b", default: 3, in: 0...9, "") }
        }
        check("a: [{}, {b: 4}]", read, gives: [3, 4])
        check("{}", read, fails: "1: a: is missing, wanted a list of 1...2 entries")
        check("a: {}", read, fails: "1: a: found a mapping, wanted a list of 1...2 entries")
        check(
            "a:\n  - b: x\n  - c: 1\n", read,
            fails: "2: a[0].b: found the string \"x\", wanted an integer in 0...9",
            "3: a[1].c: is not a known key, wanted one of b")
        check("a: [x]", read, fails: "1: a[0]: found a single value, wanted a mapping")
        check("a: [{}, {}, {}]", read, fails: "1: a: found 3 entries, wanted 1...2")
    }

    @Test func namedReadsEachEntry() {
        let read = { (fields: inout Fields) in
            fields.named("a", count: 1...2, "") { name, fields in
                "\(name)=\(fields.int("b", default: 3, in: 0...9, ""))"
            }
        }
        check("a: {x: {}, y: {b: 4}}", read, gives: ["x=3", "y=4"])
        check("a: {x: }", read, gives: ["x=3"])
        check("{}", read, fails: "1: a: is missing, wanted 1...2 entries")
        check("a: {}", read, fails: "1: a: found 0 entries, wanted 1...2")
        check("a: {x: {}, y: {}, z: {}}", read, fails: "1: a: found 3 entries, wanted 1...2")
        check("a: {x: {c: 1}}", read, fails: "1: a.x.c: is not a known key, wanted one of b")
    }

    @Test func rejectNamesTheKeyOrTheMapping() {
        check(
            "a: 1",
            { fields in
                _ = fields.int("a", default: 0, in: 0...9, ""); fields.reject("a", "is odd")
            }, fails: "1: a: is odd")
        check("a: {}", { $0.section("a", "") { $0.reject("", "is empty") } }, fails: "1: a: is empty")
    }

    @Test func documentationAsksForEverythingAndMissesNothing() {
        let fields = Fields.documenting { fields in
            _ = fields.string("a", "One.")
            _ = fields.optionalSection("b", "Two.") { $0.int("c", default: 1, in: 1...2, "Three.") }
            _ = fields.list("d", count: 1...5, "Four.") { $0.bool("e", default: true, "Five.") }
        }
        #expect(fields.map(\.key) == ["a", "b", "d"])
        #expect(fields.map(\.isRequired) == [true, false, true])
        #expect(fields[1].children.map(\.range) == ["1...2"])
        #expect(fields[2].children.map(\.default) == [.bool(true)])
    }
}
