/// Rows of text in columns, for a terminal.
struct TextTable {
    struct Column {
        let title: String
        /// Numbers stand to the right.
        var isNumber = false
        /// What is cut where the table is too wide.
        var isFlexible = false
    }

    static let width = 120
    private static let gap = 2
    /// A flexible column gets no narrower.
    private static let narrowest = 8

    let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    /// - Parameter cells: one for each column; what senders chose of it may be anything.
    mutating func add(_ cells: [String]) {
        rows.append(cells.map(Self.harmless))
    }

    /// With a line for the titles.
    var text: String {
        let all = [columns.map(\.title)] + rows
        let widths = widths(of: all)
        return all.map { cells in
            let line = zip(columns, zip(cells, widths)).map { column, cell in
                let text = Self.cut(cell.0, cell.1)
                let space = String(repeating: " ", count: max(0, cell.1 - text.unicodeScalars.count))
                return column.isNumber ? space + text : text + space
            }.joined(separator: String(repeating: " ", count: Self.gap))
            let end = line.lastIndex { $0 != " " }
            return (end.map { String(line[...$0]) } ?? "") + "\n"
        }.joined()
    }

    /// As wide as the widest cell, as long as all fit; else the widest flexible columns give way.
    private func widths(of rows: [[String]]) -> [Int] {
        var widths = columns.indices.map { column in rows.map { $0[column].unicodeScalars.count }.max() ?? 0 }
        var excess = widths.reduce(Self.gap * (widths.count - 1), +) - Self.width
        while excess > 0 {
            let flexible = columns.indices.filter { columns[$0].isFlexible && widths[$0] > Self.narrowest }
            guard let widest = flexible.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }

    private static func cut(_ text: String, _ width: Int) -> String {
        guard text.unicodeScalars.count > width else { return text }
        var cut = String.UnicodeScalarView()
        cut.append(contentsOf: text.unicodeScalars.prefix(max(0, width - 1)))
        return String(cut) + "…"
    }

    /// With ``Unicode/Scalar/harmless`` characters.
    static func harmless(_ text: String) -> String { text.unicodeScalars.map(\.harmless).joined() }
}
