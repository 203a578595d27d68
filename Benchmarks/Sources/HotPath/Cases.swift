import CHotPath

/// One thing that is measured: works on one variant of a body.
struct Case {
    let name: String
    /// Which bodies it reads, and by whose size its speed is counted.
    let format: KeyPath<Bodies, [Payload]>
    let run: (Payload) -> Void
}

/// What every case may use again from one body to the next, as a server does.
final class Workbench {
    var batch = Batch()
    var protobuf = OTLPEncoder()
    var json = OTLPJSONEncoder()
    let copy = UnsafeMutableRawPointer.allocate(byteCount: 16 << 20, alignment: 64)

    deinit {
        copy.deallocate()
    }
}

extension Case {
    static func all(_ bench: Workbench) -> [Case] {
        let first = AttributeKey("http.route")
        let second = AttributeKey("gen_ai.request.model")
        let missing = AttributeKey("weir.seen")
        return [
            Case(name: "memcpy", format: \.protobuf) { bench.copy.copyMemory(from: $0.base, byteCount: $0.count) },
            Case(name: "protobuf-c, malloc", format: \.protobuf) { body in
                check(hotpath_protobuf_c_malloc(body.base.assumingMemoryBound(to: UInt8.self), body.count) > 0)
            },
            Case(name: "protobuf-c, arena", format: \.protobuf) { body in
                check(hotpath_protobuf_c_arena(body.base.assumingMemoryBound(to: UInt8.self), body.count) > 0)
            },
            Case(name: "decode", format: \.protobuf) { decode($0, &bench.batch) },
            Case(name: "decode, drop half, rewrite 2, encode", format: \.protobuf) { body in
                decode(body, &bench.batch)
                let value = bench.batch.store(.string("rewritten by the benchmark"))
                for index in bench.batch.spans.indices {
                    if index % 2 == 1 {
                        bench.batch.drop(span: index)
                        continue
                    }
                    let known = bench.batch.firstIndex(of: first, in: bench.batch.spans[index].attributes) != nil
                    bench.batch.set(known ? first : second, to: value, of: .span(index))
                    bench.batch.set(missing, to: value, of: .span(index))
                }
                check(bench.protobuf.bytes(of: bench.batch).count > 0)
            },
            Case(name: "decode, encode untouched spans", format: \.protobuf) { body in
                decode(body, &bench.batch)
                check(bench.protobuf.bytes(of: bench.batch).count > 0)
            },
            Case(name: "decode, encode as JSON", format: \.protobuf) { body in
                decode(body, &bench.batch)
                check(bench.json.bytes(of: bench.batch).count > 0)
            },
            Case(name: "simdjson", format: \.json) { body in
                check(hotpath_simdjson(body.base.assumingMemoryBound(to: UInt8.self), body.count) > 0)
            },
            Case(name: "JSON decode", format: \.json) { body in
                do { try OTLPJSONDecoder().decode(body, into: &bench.batch) } catch { check(false) }
                check(bench.batch.rejected.count == 0)
            },
        ]
    }

    private static func decode(_ body: Payload, _ batch: inout Batch) {
        do { try OTLPDecoder().decode(body, into: &batch) } catch { check(false) }
    }

    private static func check(_ isSound: Bool) {
        precondition(isSound, "a case did not do its work")
    }
}
