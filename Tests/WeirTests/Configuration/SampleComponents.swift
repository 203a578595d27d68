@testable import Weir

extension Catalogue {
    /// Components that together use every getter.
    static let sample = Catalogue(types: [
        ComponentType(
            kind: .receiver, type: "door", help: "Lets spans in.", note: nil, configuration: Door.self),
        ComponentType(
            kind: .processor, type: "paint", help: "Paints spans.", note: nil, configuration: Paint.self),
        ComponentType(
            kind: .processor, type: "batch", help: "Does nothing.", note: "does nothing: delivery batches",
            configuration: Nothing.self),
        ComponentType(
            kind: .exporter, type: "shelf", help: "Keeps spans.", note: nil, configuration: Shelf.self),
        ComponentType(
            kind: .extension, type: "bell", help: "Knows who rings.", note: nil, configuration: Nothing.self,
            role: .authenticator),
        ComponentType(
            kind: .extension, type: "lamp", help: "Is of no use here.", note: nil, configuration: Nothing.self),
    ])
}

struct Nothing: Configurable {
    init(_ fields: inout Fields) {}
}

struct Door: Configurable, Equatable {
    let endpoint: Endpoint
    let maxSize: ByteCount
    let readTimeout: Duration
    let certificate: String?

    init(_ fields: inout Fields) {
        (endpoint, maxSize, readTimeout) = fields.section("http", "The door itself.") { fields in
            (
                fields.endpoint("endpoint", default: Endpoint(host: "127.0.0.1", port: 4318), "Where it is."),
                fields.bytes(
                    "max_size", default: .mebibytes(64), in: .kibibytes(1) ... .gibibytes(1), "What fits through."),
                fields.duration(
                    "read_timeout", default: .seconds(30), in: .zero ... .seconds(3600), "How long it waits.")
            )
        }
        certificate = fields.optionalSection("tls", "The lock.") { fields in
            fields.string("cert_file", "The certificate.")
        }
    }
}

struct Paint: Configurable, Equatable {
    enum Action: String, CaseIterable, Sendable {
        case insert, upsert, delete
    }

    struct Stroke: Equatable {
        let key: String
        let value: ConfigScalar?
        let action: Action

        init(_ fields: inout Fields) {
            key = fields.string("key", "The attribute.")
            value = fields.scalar("value", "What it becomes.")
            action = fields.choice("action", default: nil, "What is done.")
            if action != .delete && value == nil {
                fields.reject("value", "is missing, wanted a value for \(action.rawValue)")
            }
        }
    }

    let strokes: [Stroke]
    let share: Double
    let layers: Int
    let isDry: Bool
    let colours: [String]

    init(_ fields: inout Fields) {
        strokes = fields.list("actions", count: 0...100, "What to do, in order.", Stroke.init)
        share = fields.number("share", default: 20, in: 0...100, "Percent of the spans.")
        layers = fields.int("layers", default: 1, in: 1...10, "How often.")
        isDry = fields.bool("dry", default: true, "Whether it dries.")
        colours = fields.strings("colours", default: ["red"], count: 1...3, "Which ones.")
    }
}

struct Shelf: Configurable, Equatable {
    let directory: String
    let apiKey: String?
    let level: Int?

    init(_ fields: inout Fields) throws(ConfigError) {
        directory = fields.string("directory", default: "data", "Where it stands.")
        apiKey = fields.optionalString("api_key", secret: true, "Opens it.")
        level = fields.parsed("level", default: nil, "Which board.") { text throws(ConfigError) -> Int? in
            guard let level = ["low": 1, "high": 2][text] else { throw ConfigError(found: text, wanted: "low or high") }
            return level
        }
        guard directory != "/" else {
            throw ConfigError(found: "the root directory", wanted: "one for the spans alone")
        }
    }
}
