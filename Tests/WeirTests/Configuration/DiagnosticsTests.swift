import Testing

@testable import Weir

@Suite struct DiagnosticsTests {
    @Test func printsOneLineEachInTheOrderOfTheFile() {
        var diagnostics = Diagnostics(file: "f.yaml")
        #expect(diagnostics.summary == "no problems")
        diagnostics.add(.warning, line: 9, path: "b", "late")
        diagnostics.add(.error, line: 2, path: "a[0].c", "early")
        diagnostics.add(.error, line: 2, path: "", "second on its line")
        diagnostics.add(.note, line: nil, path: "", "of the whole")
        #expect(
            diagnostics.lines == [
                "f.yaml: note: of the whole", "f.yaml:2: a[0].c: early", "f.yaml:2: second on its line",
                "f.yaml:9: warning: b: late",
            ])
        #expect(diagnostics.summary == "2 errors, 1 warning, 1 note")
        #expect(diagnostics.hasErrors)
    }

    @Test func stopsPrintingAtItsLimit() {
        var diagnostics = Diagnostics(file: "f")
        for line in 1...250 { diagnostics.add(.error, line: line, path: "", "x") }
        #expect(diagnostics.lines.count == 201)
        #expect(diagnostics.lines.last == "f: and 50 more")
    }

    @Test func suggestsOnlyWhatIsClose() {
        #expect(suggestion(for: "acton", among: ["value", "action"]) == " (did you mean \"action\"?)")
        #expect(suggestion(for: "colour", among: ["value", "action"]) == "")
        #expect(suggestion(for: "abc", among: ["xyz"]) == "")
        #expect(suggestion(for: "x", among: []) == "")
    }
}
