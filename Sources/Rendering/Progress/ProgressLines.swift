public import Orchestration

/// Progress as single lines: plain text and JSON.
public enum ProgressLines {
    /// ` Container web-1  Started`
    public static func plain(_ event: ProgressEvent) -> String {
        let line = " \(event.label)  \(event.status.rawValue)"
        return event.detail.map { "\(line) \($0)" } ?? line
    }

    /// `{"id":"Container web-1","status":"Started"}`
    public static func json(_ event: ProgressEvent) -> String {
        var members: [(String, JSONText)] = [("id", .string(event.label))]
        if let parent = event.parent { members.append(("parent_id", .string("Image \(parent)"))) }
        if let detail = event.detail { members.append(("text", .string(detail))) }
        members.append(("status", .string(event.status.rawValue)))
        if let amount = event.amount {
            members.append(("current", .number(Int(amount.done))))
            members.append(("total", .number(Int(amount.total))))
            if amount.total > 0 { members.append(("percent", .number(Int(100 * amount.done / amount.total)))) }
        }
        return JSONText.object(members).text
    }

    /// `{"error":true,"message":…}`
    public static func json(error: String) -> String {
        JSONText.object([("error", .boolean(true)), ("message", .string(error))]).text
    }

    /// A line that is about no object: a warning.
    public static func json(text: String) -> String {
        JSONText.object([("tail", .boolean(true)), ("text", .string(text))]).text
    }
}
