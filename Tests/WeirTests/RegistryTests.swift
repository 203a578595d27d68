import Testing

@testable import Weir

@Suite struct RegistryTests {
    private struct Accepted: Processor {
        static let type = "accepted"
        static let help = "Is accepted."
        static let note: String? = "does nothing"

        struct Configuration: Configurable {
            init(_ fields: inout Fields) {
                _ = fields.int("size", default: 1, in: 1...2, "How large.")
            }
        }

        init(_ configuration: Configuration, _ context: Context) {}

        mutating func process(_ batch: inout Batch) throws(Refusal) {}
    }

    @Test func describesAComponentWithoutBuildingIt() {
        let type = Registry.describe(Accepted.self, .processor)
        #expect(type.kind == .processor)
        #expect(type.type == "accepted")
        #expect(type.note == "does nothing")
        #expect(type.fields.map(\.key) == ["size"])
    }

    @Test func namesEachComponentOnce() throws {
        for kind in ComponentKind.allCases {
            let types = Registry.catalogue.types(of: kind).map(\.type)
            #expect(Set(types).count == types.count)
            for type in types { #expect(try ComponentID(parsing: type) == ComponentID(type: type)) }
        }
    }

    @Test func knowsOtlphttpAsTheOpenTelemetryCollectorDoes() {
        #expect(Registry.catalogue.type("otlphttp", of: .exporter)?.type == OTLPHTTPExporter.type)
        #expect(Registry.catalogue.type("otlphttp", of: .receiver) == nil)
    }

    @Test func everyKeyHasAHelpText() {
        func check(_ fields: [FieldDescription], of component: ComponentType) {
            for field in fields {
                #expect(!field.help.isEmpty, "\(component.kind) \(component.type): \(field.key)")
                check(field.children, of: component)
            }
        }
        for type in Registry.catalogue.types { check(type.fields, of: type) }
    }
}
