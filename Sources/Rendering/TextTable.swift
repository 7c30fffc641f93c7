/// Columns aligned as Docker's listings have them: a cell is padded to the widest of its column plus `padding`, and
/// to `minimumWidth` at least; the last column is not padded.
public struct TextTable: Sendable {
    private var rows: [[String]]
    private let minimumWidth: Int
    private let padding: Int

    public init(header: [String]?, minimumWidth: Int = 10, padding: Int = 3) {
        rows = header.map { [$0] } ?? []
        self.minimumWidth = minimumWidth
        self.padding = padding
    }

    public mutating func add(_ row: [String]) { rows.append(row) }

    /// Every row ends with a newline.
    public var text: String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(minimumWidth) }
                widths[column] = max(widths[column], cell.count + padding)
            }
        }
        var text = ""
        for row in rows {
            for (column, cell) in row.enumerated() {
                text += cell
                if column < row.count - 1 { text += String(repeating: " ", count: widths[column] - cell.count) }
            }
            text += "\n"
        }
        return text
    }
}
