/// The operations that have sums of their own: the first of them. Of all others there is one for each service, kind and
/// model, so that who gives each span a name of its own does not get as many sums as spans.
struct KnownOperations {
    /// The name of all others, in the manner of OpenTelemetry's conventions for methods that nobody knows.
    static let other: StaticString = "_OTHER"

    private let limit: Int
    /// What they are told apart by.
    private var hashes: Set<UInt64> = []

    init(limit: Int) {
        self.limit = limit
    }

    /// Whether the operation has sums of its own. It is known from then on.
    mutating func admits(_ key: Rollups.Key) -> Bool {
        if hashes.count < limit {
            hashes.insert(key.hash)
            return true
        }
        return hashes.contains(key.hash) || AttributeKey.areEqual(key.name.bytes, Self.otherName)
    }

    /// The same of a key with Strings.
    mutating func admits(_ key: RollupRow.Key) -> Bool {
        var (service, name, model) = (key.service, key.name, key.model)
        return service.withUTF8 { service in
            name.withUTF8 { name in
                model.withUTF8 { model in
                    admits(
                        Rollups.Key(
                            minute: key.minute, tenantID: key.tenantID, operation: key.operation, kind: key.kind,
                            service: .init(UnsafeRawBufferPointer(service)),
                            name: .init(UnsafeRawBufferPointer(name)), model: .init(UnsafeRawBufferPointer(model))))
                }
            }
        }
    }

    /// For ever, since it is static.
    fileprivate static var otherName: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: other.utf8Start, count: other.utf8CodeUnitCount)
    }
}

extension Rollups.Key {
    /// Of all operations that have no sums of their own.
    var other: Rollups.Key {
        Rollups.Key(
            minute: minute, tenantID: tenantID, operation: operation, kind: kind, service: service,
            name: .init(KnownOperations.otherName), model: model)
    }
}
