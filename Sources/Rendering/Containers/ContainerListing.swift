/// What `ps` prints, in each of its forms.
public enum ContainerListing {
    private static let columns = ["Name", "Image", "Command", "Service", "RunningFor", "Status", "Ports"]

    /// - Parameter format: `table`, `json`, `table TEMPLATE` or a template.
    /// - Throws: ``InvalidTemplate``.
    public static func render(_ rows: [ContainerRow], format: String) throws(InvalidTemplate) -> String {
        switch format {
        case "", "table":
            var table = TextTable(header: columns.map(ContainerRow.heading))
            for row in rows { table.add(columns.map { text(row, $0) }) }
            return table.text
        case "json":
            return rows.map { $0.json + "\n" }.joined()
        default:
            let isTable = format.hasPrefix("table ")
            let template = try Template(
                isTable ? String(format.dropFirst(6)) : format, fields: ContainerRow.fields)
            let lines = rows.map { row in
                template.render(value: { row.value($0)! }, whole: { row.json }, label: row.label)
            }
            guard isTable else { return lines.map { $0 + "\n" }.joined() }
            var table = TextTable(header: split(template.renderHeading(ContainerRow.heading)))
            for line in lines { table.add(split(line)) }
            return table.text
        }
    }

    private static func text(_ row: ContainerRow, _ field: String) -> String {
        if case .string(let text)? = row.value(field) { return text }
        return ""
    }

    private static func split(_ line: String) -> [String] {
        line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
}
