/// What the end of a Parquet file says of the values of one column in one row group.
struct ParquetChunk {
    /// parquet.thrift, enum Encoding.
    enum Encoding: Int {
        case plain = 0
        case runLengths = 3
        case deltas = 5
        case deltaLengths = 6
        case dictionary = 8
    }

    var nulls = 0
    var encoding = Encoding.plain
    /// In the file.
    var dictionaryOffset: Int?
    var dataOffset = 0
    /// Bytes, with the pages' headers.
    var rawSize = 0
    var size = 0
    /// Encoded as PLAIN, without a length in front; nil where they are not known.
    var bounds: (least: [UInt8], greatest: [UInt8])?
    var filterPlace: Range<Int>?
}

extension ParquetColumn {
    /// parquet.thrift, enum Type.
    var physicalType: Int {
        switch kind {
        case .flag: 0
        case .int32: 1
        case .int64, .timestamp, .decimal: 2
        case .text: 6
        }
    }

    /// A SchemaElement.
    func writeSchema(to element: inout ThriftWriter) {
        element.int32(1, physicalType)
        element.int32(3, isOptional ? 1 : 0)
        element.text(4, name)
        switch kind {
        case .text:
            element.int32(6, 0)
            element.message(10) { $0.message(1) }
        case .timestamp:
            element.int32(6, 10)
            element.message(10) { type in
                type.message(8) { time in
                    time.flag(1, true)
                    // TimeUnit.MICROS
                    time.message(2) { $0.message(2) }
                }
            }
        case .decimal(let scale):
            element.int32(6, 5)
            element.int32(7, scale)
            element.int32(8, 18)
            element.message(10) { type in
                type.message(5) { decimal in
                    decimal.int32(1, scale)
                    decimal.int32(2, 18)
                }
            }
        case .int32, .int64, .flag: break
        }
    }
}
