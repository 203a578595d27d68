/// What stands at the end of a Parquet file: FileMetaData of parquet.thrift, and how long it is.
struct ParquetFooter {
    struct RowGroup {
        let rows: Int
        let chunks: [ParquetChunk]
    }

    let columns: [ParquetColumn]
    let codec: Int
    var groups: [RowGroup] = []

    /// - Parameter notes: what the writer says of the file, by name.
    func bytes(notes: [(name: String, text: String)]) -> [UInt8] {
        let metadata = ThriftWriter { file in
            file.int32(1, 2)
            file.messages(2, [nil] + columns.map(Optional.init)) { element, column in
                if let column { return column.writeSchema(to: &element) }
                element.text(4, "schema")
                element.int32(5, columns.count)
            }
            file.int64(3, groups.reduce(0) { $0 + $1.rows })
            file.messages(4, Array(groups.enumerated())) { write($1.element, number: $1.offset, to: &$0) }
            file.messages(5, notes) { note, pair in
                note.text(1, pair.name)
                note.text(2, pair.text)
            }
            file.text(6, "weir")
            // The order of each column's type, so that readers may rely on the bounds.
            file.messages(7, columns) { order, _ in order.message(1) }
        }
        let length = withUnsafeBytes(of: UInt32(metadata.bytes.count).littleEndian) { Array($0) }
        return metadata.bytes + length + Array("PAR1".utf8)
    }

    private func write(_ group: RowGroup, number: Int, to message: inout ThriftWriter) {
        message.messages(1, Array(zip(columns, group.chunks))) { chunk, pair in
            chunk.int64(2, 0)
            chunk.message(3) { write(pair.1, of: pair.0, rows: group.rows, to: &$0) }
        }
        message.int64(2, group.chunks.reduce(0) { $0 + $1.rawSize })
        message.int64(3, group.rows)
        message.int64(5, group.chunks.first.map { $0.dictionaryOffset ?? $0.dataOffset } ?? 0)
        message.int64(6, group.chunks.reduce(0) { $0 + $1.size })
    }

    private func write(_ chunk: ParquetChunk, of column: ParquetColumn, rows: Int, to data: inout ThriftWriter) {
        data.int32(1, column.physicalType)
        var encodings = [chunk.encoding]
        if chunk.encoding != .runLengths, column.isOptional { encodings.append(.runLengths) }
        if chunk.encoding == .dictionary { encodings.append(.plain) }
        data.int32s(2, encodings.map(\.rawValue))
        data.texts(3, [column.name])
        data.int32(4, codec)
        data.int64(5, rows)
        data.int64(6, chunk.rawSize)
        data.int64(7, chunk.size)
        data.int64(9, chunk.dataOffset)
        if let offset = chunk.dictionaryOffset { data.int64(11, offset) }
        data.message(12) { statistics in
            statistics.int64(3, chunk.nulls)
            guard let bounds = chunk.bounds else { return }
            statistics.binary(5, bounds.greatest)
            statistics.binary(6, bounds.least)
        }
        guard let place = chunk.filterPlace else { return }
        data.int64(14, place.lowerBound)
        data.int32(15, place.count)
    }
}
