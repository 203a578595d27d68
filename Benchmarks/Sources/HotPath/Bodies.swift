import Foundation

/// The bodies of one kind, as make_bodies.py wrote them: several variants, so that no cache learns one by heart.
struct Bodies {
    let name: String
    let spans: Int
    let protobuf: [Payload]
    let json: [Payload]

    init(_ name: String, in folder: String) throws {
        self.name = name
        protobuf = try Bodies.load(name, "pb", folder)
        json = try Bodies.load(name, "json", folder)
        var batch = Batch()
        try OTLPDecoder().decode(protobuf[0], into: &batch)
        spans = batch.spanCount
    }

    private static func load(_ name: String, _ suffix: String, _ folder: String) throws -> [Payload] {
        try (0..<16).map { variant in
            let file = URL(filePath: folder).appending(path: "\(name)-\(variant).\(suffix)")
            return try Data(contentsOf: file).withUnsafeBytes { Payload.copying($0) }
        }
    }
}
