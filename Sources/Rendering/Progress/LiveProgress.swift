public import Orchestration

/// The live view: one line an object under a headline, redrawn in place. Pure: events and the time go in, bytes for
/// the terminal come out.
public struct LiveProgress: Sendable {
    private struct Entry: Sendable {
        var event: ProgressEvent
        var started: Double
        var ended: Double?
    }

    private let title: String
    private let colour: Bool
    private var order: [String] = []
    private var entries: [String: Entry] = [:]
    private var drawnLines = 0
    private var frame = 0
    private static let spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]

    /// - Parameter title: what the headline says is going on: `Running`, `Stopping`.
    public init(title: String = "Running", colour: Bool = true) {
        self.title = title
        self.colour = colour
    }

    public var isEmpty: Bool { order.isEmpty }

    /// Something is going on that the spinner should turn for.
    public var isWorking: Bool { entries.values.contains { $0.ended == nil } }

    public mutating func update(_ event: ProgressEvent, now: Double) {
        let key = Self.key(event.label, of: event.parent)
        var entry = entries[key] ?? Entry(event: event, started: now)
        // A second round of work on the same object has a clock of its own.
        if entry.ended != nil, event.status.isWorking { entry.started = now }
        entry.event = event
        entry.ended = event.status.isWorking ? nil : now
        guard entries.updateValue(entry, forKey: key) == nil else { return }
        guard let parent = event.parent else { return order.append(key) }
        // Parts follow what they are parts of.
        let last = order.lastIndex { entries[$0]?.event.parent == parent }
        let whole = order.firstIndex { entries[$0]?.event.object == .image && entries[$0]?.event.name == parent }
        order.insert(key, at: (last ?? whole).map { $0 + 1 } ?? order.count)
    }

    private static func key(_ label: String, of parent: String?) -> String {
        parent.map { "\($0)\u{0}\(label)" } ?? label
    }

    /// What a line begins with: parts are set in.
    private static func title(_ event: ProgressEvent) -> String {
        event.parent == nil ? event.label : "  \(event.label)"
    }

    /// What takes the cursor from below the last frame to the top of it, and draws the next. Lines are cut at
    /// `columns`; where there are more than `rows` can hold, those that are done give way first.
    public mutating func draw(now: Double, columns: Int, rows: Int) -> String {
        guard !isEmpty else { return "" }
        frame += 1
        let lines = [headline] + visible(rows: max(1, rows - 2)).map { line($0, now: now, columns: columns) }
        var out = "\u{1B}[?25l"
        if drawnLines > 0 { out += "\u{1B}[\(drawnLines)A" }
        out += "\r" + lines.map { "\($0)\u{1B}[K\n" }.joined()
        out += "\u{1B}[J\u{1B}[?25h"
        drawnLines = lines.count
        return out
    }

    /// What takes the frame away again, for text to be written in its place.
    public mutating func erase() -> String {
        defer { drawnLines = 0 }
        return drawnLines == 0 ? "" : "\u{1B}[\(drawnLines)A\r\u{1B}[J"
    }

    private var headline: String {
        let whole = entries.values.filter { $0.event.parent == nil }
        let done = whole.count { $0.ended != nil }
        let text = "[+] \(title) \(done)/\(whole.count)"
        return done == whole.count ? paint(text, "34") : text
    }

    private func visible(rows: Int) -> [Entry] {
        let all = order.map { entries[$0]! }
        var surplus = all.count - rows
        guard surplus > 0 else { return all }
        var kept = all.filter { entry in
            guard surplus > 0, entry.ended != nil, entry.event.status != .error else { return true }
            surplus -= 1
            return false
        }
        if kept.count > rows { kept.removeFirst(kept.count - rows) }
        return kept
    }

    private func line(_ entry: Entry, now: Double, columns: Int) -> String {
        let event = entry.event
        let name = Self.title(event)
        let width = entries.values.map { Self.title($0.event).count }.max() ?? 0
        let amount = event.amount.map {
            "\(HumanUnits.size(bytes: $0.done))/\(HumanUnits.size(bytes: $0.total))"
        }
        let status = [event.status.rawValue, event.detail, amount].compactMap { $0 }.joined(separator: " ")
        let seconds = (entry.ended ?? now) - entry.started
        let timer = "\(Self.tenths(seconds))s"

        var text = "\(name)\(String(repeating: " ", count: max(0, width - name.count)))  \(status)"
        // Mark and margins before, at least one space and the timer behind.
        let room = max(0, columns - 3 - timer.count - 2)
        if text.count > room { text = room > 1 ? text.prefix(room - 1) + "…" : String(text.prefix(room)) }
        let gap = String(repeating: " ", count: max(1, columns - 3 - text.count - timer.count - 1))
        let colour = event.status == .error ? "31" : entry.ended == nil ? nil : "34"
        return " \(mark(entry)) \(text)\(gap)" + (colour.map { paint(timer, $0) } ?? timer)
    }

    private func mark(_ entry: Entry) -> String {
        if entry.ended == nil { return paint(Self.spinner[frame % Self.spinner.count], "36") }
        return entry.event.status == .error ? paint("✘", "31") : paint("✔", "32")
    }

    private func paint(_ text: String, _ code: String) -> String {
        colour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    private static func tenths(_ seconds: Double) -> String {
        let tenths = Int((max(0, seconds) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
