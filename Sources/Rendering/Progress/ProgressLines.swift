public import Orchestration

/// Progress as single lines: plain text and JSON.
public enum ProgressLines {
    /// ` Container web-1  Started`
    public static func plain(_ event: ProgressEvent) -> String {
        let line = " \(event.object.rawValue) \(event.name)  \(event.status.rawValue)"
        return event.detail.map { "\(line) \($0)" } ?? line
    }

    /// `{"id":"Container web-1","status":"Started"}`
    public static func json(_ event: ProgressEvent) -> String {
        var members: [(String, JSONText)] = [("id", .string("\(event.object.rawValue) \(event.name)"))]
        if let detail = event.detail { members.append(("text", .string(detail))) }
        members.append(("status", .string(event.status.rawValue)))
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
