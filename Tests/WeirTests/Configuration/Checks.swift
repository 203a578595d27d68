import Testing

@testable import Weir

/// Reads `yaml` with the sample components, and expects exactly these lines, each without its leading
/// `collector.yaml:`.
func check(
    _ yaml: String, fails expected: String..., environment: [String: String] = [:],
    at location: SourceLocation = #_sourceLocation
) {
    let checked = CheckedConfiguration(
        yaml, file: "collector.yaml", environment: environment, catalogue: .sample)
    #expect(checked.diagnostics.lines == expected.map { "collector.yaml:\($0)" }, sourceLocation: location)
    #expect((checked.configuration == nil) == checked.diagnostics.hasErrors, sourceLocation: location)
}

/// Reads `yaml` with one getter, and expects exactly these problems, as `LINE: KEY: MESSAGE`.
func check<Value>(
    _ yaml: String, _ read: (inout Fields) -> Value, fails expected: String...,
    environment: [String: String] = [:], at location: SourceLocation = #_sourceLocation
) {
    let (_, problems) = value(of: yaml, environment, read)
    #expect(problems == expected, sourceLocation: location)
}

/// Reads `yaml` with one getter, and expects this value and no problem.
func check<Value: Equatable>(
    _ yaml: String, _ read: (inout Fields) -> Value, gives expected: Value,
    environment: [String: String] = [:], at location: SourceLocation = #_sourceLocation
) {
    let (value, problems) = value(of: yaml, environment, read)
    #expect(problems == [], sourceLocation: location)
    #expect(value == expected, sourceLocation: location)
}

private func value<Value>(
    of yaml: String, _ environment: [String: String], _ read: (inout Fields) -> Value
) -> (value: Value, problems: [String]) {
    var reader = YAMLReader(file: "f", environment: environment)
    let root = reader.read(yaml)
    var top = Fields([], file: "f")
    let value = top.descend(into: root, path: "", read).value
    return (value, (reader.diagnostics.entries + top.diagnostics.entries).map { "\($0.description.dropFirst(2))" })
}
