/// A line of a source file as it is shown: tabs widened, nothing in it that acts on the terminal, cut around the
/// fault where it is longer than the page, and where in it the fault is.
struct Excerpt: Equatable {
    let text: String
    /// Cells in front of the fault.
    let indent: Int
    /// Cells that the fault takes, at least 1.
    let length: Int

    private static let tabWidth = 4

    private struct Cell {
        var text: String.UnicodeScalarView
        var width: Int
    }

    /// - Parameters:
    ///   - column: of the fault's first character, from 1.
    ///   - endColumn: of the first character after it; nil: not known, or on a later line.
    ///   - width: cells of the page.
    init(line: String, column: Int, endColumn: Int?, width: Int) {
        // A line of many megabytes is looked at around the fault only.
        let scalars = line.unicodeScalars
        let reach = max(width, 1) * 2
        let skipped = max(0, column - 1 - reach)
        let start =
            scalars.index(scalars.startIndex, offsetBy: skipped, limitedBy: scalars.endIndex) ?? scalars.endIndex
        let cells = scalars[start...].prefix(reach * 2).map(Self.cell)
        let isCutAfter = scalars[start...].dropFirst(reach * 2).first != nil
        let fault = min(max(0, column - 1 - skipped), cells.count)
        let faultEnd = min(max(fault, (endColumn ?? column) - 1 - skipped), cells.count)

        let total = cells.reduce(0) { $0 + $1.width }
        var lower = 0
        var upper = cells.count
        if total > width || skipped > 0 || isCutAfter {
            // A third of the page in front of the fault, the rest behind it; what one side does not need goes to
            // the other. Two cells are kept for the ellipses.
            let room = max(width - 2, 8)
            var used = 0
            lower = fault
            while lower > 0, used + cells[lower - 1].width <= room / 3 {
                lower -= 1
                used += cells[lower].width
            }
            upper = fault
            while upper < cells.count, used + cells[upper].width <= room {
                used += cells[upper].width
                upper += 1
            }
            while lower > 0, used + cells[lower - 1].width <= room {
                lower -= 1
                used += cells[lower].width
            }
        }
        var view = String.UnicodeScalarView()
        let cutsBefore = lower > 0 || skipped > 0
        if cutsBefore { view.append("…") }
        for cell in cells[lower..<upper] { view.append(contentsOf: cell.text) }
        if upper < cells.count || isCutAfter { view.append("…") }
        text = String(view)
        indent = cells[lower..<fault].reduce(0) { $0 + $1.width } + (cutsBefore ? 1 : 0)
        length = max(1, cells[fault..<max(fault, min(faultEnd, upper))].reduce(0) { $0 + $1.width })
    }

    private static func cell(_ scalar: Unicode.Scalar) -> Cell {
        if scalar == "\t" {
            return Cell(text: String(repeating: " ", count: tabWidth).unicodeScalars, width: tabWidth)
        }
        if DisplayWidth.isUnsafe(scalar) { return Cell(text: "\u{FFFD}".unicodeScalars, width: 1) }
        return Cell(text: String(scalar).unicodeScalars, width: DisplayWidth.of(scalar))
    }
}
