@testable import Weir

/// Spans with something in every field, and with texts that want to be more than text.
enum SampleDebugSpan {
    static let record = JournalRecord(
        sequence: 9, tenant: "a\"b", receivedAt: Timestamp(nanoseconds: SampleBatch.fourOClock), spanCount: 2,
        payload: Message { $0.message(Tag.resourceSpans, writeResource) }.payload)

    /// One span with values that are longer than 16 bytes and more than two of them.
    static let long = JournalRecord(
        sequence: 1, tenant: "t", receivedAt: Timestamp(nanoseconds: 0), spanCount: 1,
        payload: Message { request in
            request.message(Tag.resourceSpans) { resource in
                resource.message(Tag.scopeSpans) { scope in
                    scope.message(Tag.spans) { span in
                        span.identifier(Tag.traceID, 1, 1)
                        span.identifier(Tag.spanID, 1)
                        span.attribute(Tag.attributes, "a") {
                            $0.text(Tag.stringValue, String(repeating: "a", count: 100))
                        }
                        span.attribute(Tag.attributes, "b") { value in
                            value.message(Tag.arrayValue) { array in
                                for count in [9, 1] {
                                    array.message(Tag.arrayValues) {
                                        $0.text(Tag.stringValue, String(repeating: "ä", count: count))
                                    }
                                }
                            }
                        }
                        span.attribute(Tag.attributes, "c") { $0.number(Tag.intValue, 1) }
                    }
                }
            }
        }.payload)

    private static func writeResource(_ container: inout Message) {
        container.message(Tag.resource) { resource in
            resource.attribute(Tag.resourceAttributes, "service.name") { $0.text(Tag.stringValue, "shop") }
            resource.number(Tag.resourceDropped, 1)
            resource.message(Tag.resourceEntityRefs) { entity in
                entity.text(Tag.entitySchemaURL, "https://e")
                entity.text(Tag.entityType, "service")
                entity.text(Tag.entityIDKeys, "service.name")
                entity.text(Tag.entityDescriptionKeys, "x\u{202e}")
            }
        }
        container.text(Tag.resourceSchemaURL, "https://r")
        container.message(Tag.scopeSpans) { scope in
            scope.message(Tag.scope) { scope in
                scope.text(Tag.scopeName, "lib")
                scope.text(Tag.scopeVersion, "1.0")
                scope.attribute(Tag.scopeAttributes, "scope.key") { $0.number(Tag.intValue, 1) }
                scope.number(Tag.scopeDropped, 2)
            }
            scope.message(Tag.spans, writeSpan)
            scope.message(Tag.spans, writeForgery)
            scope.text(Tag.scopeSchemaURL, "https://s")
        }
    }

    private static func writeSpan(_ span: inout Message) {
        span.identifier(Tag.traceID, 10, 11)
        span.identifier(Tag.spanID, 12)
        span.text(Tag.traceState, "a=b")
        span.identifier(Tag.parentSpanID, 13)
        span.text(Tag.name, "GET /")
        span.number(Tag.kind, 2)
        span.fixed64(Tag.startTime, SampleBatch.fourOClock)
        span.fixed64(Tag.endTime, SampleBatch.fourOClock + 1_500_000_000)
        writeAttributes(&span)
        span.number(Tag.droppedAttributes, 3)
        span.message(Tag.events) { event in
            event.fixed64(Tag.eventTime, SampleBatch.fourOClock + 1)
            event.text(Tag.eventName, "boom")
            event.attribute(Tag.eventAttributes, "odd key\n") { $0.number(Tag.intValue, 1) }
            event.number(Tag.eventDropped, 6)
        }
        span.number(Tag.droppedEvents, 4)
        span.message(Tag.links) { link in
            link.identifier(Tag.linkTraceID, 1, 2)
            link.identifier(Tag.linkSpanID, 3)
            link.text(Tag.linkTraceState, "c=d")
            link.attribute(Tag.linkAttributes, "l") { $0.number(Tag.boolValue, 1) }
            link.number(Tag.linkDropped, 7)
            link.fixed32(Tag.linkFlags, 1)
        }
        span.number(Tag.droppedLinks, 5)
        span.message(Tag.status) { status in
            status.text(Tag.statusMessage, "no \"cake\"")
            status.number(Tag.statusCode, 2)
        }
        span.fixed32(Tag.flags, 0x101)
    }

    private static func writeAttributes(_ span: inout Message) {
        span.attribute(Tag.attributes, "text") { $0.text(Tag.stringValue, "a\nb") }
        span.attribute(Tag.attributes, "flag") { $0.number(Tag.boolValue, 1) }
        span.attribute(Tag.attributes, "number") { $0.number(Tag.intValue, UInt64(bitPattern: -7)) }
        span.attribute(Tag.attributes, "ratio") { $0.fixed64(Tag.doubleValue, 0.5.bitPattern) }
        span.attribute(Tag.attributes, "data") { $0.data(Tag.bytesValue, [0, 255]) }
        span.attribute(Tag.attributes, "list") { value in
            value.message(Tag.arrayValue) { array in
                array.message(Tag.arrayValues) { $0.number(Tag.intValue, 1) }
                array.message(Tag.arrayValues) { $0.text(Tag.stringValue, "two") }
            }
        }
        span.attribute(Tag.attributes, "map") { value in
            value.message(Tag.kvlistValue) { list in
                list.message(Tag.kvlistValues) { $0.text(Tag.keyValueKey, "k") }
            }
        }
        span.attribute(Tag.attributes, "nothing") { _ in }
    }

    private static func writeForgery(_ span: inout Message) {
        span.identifier(Tag.traceID, 10, 11)
        span.identifier(Tag.spanID, 14)
        span.text(Tag.name, "\u{1b}[2J\r\nforged")
        span.fixed64(Tag.startTime, SampleBatch.fourOClock)
        span.fixed64(Tag.endTime, SampleBatch.fourOClock - 1)
    }
}
