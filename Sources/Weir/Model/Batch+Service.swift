extension Batch {
    static let serviceName = AttributeKey("service.name")

    /// The name of the service that a resource is; nil where it has none.
    func serviceName(of resource: ResourceRecord) -> UnsafeRawBufferPointer? {
        guard case .string(let name)? = value(of: Self.serviceName, in: resource.attributes), !name.isEmpty else {
            return nil
        }
        return name
    }
}
