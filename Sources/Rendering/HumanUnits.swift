/// Durations and sizes in the words Docker has for them.
public enum HumanUnits {
    /// "Less than a second", "2 minutes", "About an hour", "3 weeks".
    public static func duration(seconds: Double) -> String {
        let seconds = Int(max(0, seconds))
        switch seconds {
        case 0: return "Less than a second"
        case 1: return "1 second"
        case ..<60: return "\(seconds) seconds"
        default: break
        }
        let minutes = seconds / 60
        if minutes == 1 { return "About a minute" }
        if minutes < 60 { return "\(minutes) minutes" }
        // Hours are rounded to the nearest, everything above counts whole hours.
        let hours = Int((Double(seconds) / 3600).rounded())
        if hours == 1 { return "About an hour" }
        if hours < 48 { return "\(hours) hours" }
        if hours < 24 * 7 * 2 { return "\(hours / 24) days" }
        if hours < 24 * 30 * 2 { return "\(hours / 24 / 7) weeks" }
        if hours < 24 * 365 * 2 { return "\(hours / 24 / 30) months" }
        return "\(hours / 24 / 365) years"
    }

    /// Decimal units and three significant digits: "4.26MB".
    public static func size(bytes: Int64) -> String {
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
        var value = Double(bytes)
        var unit = 0
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return significant(value, digits: 3) + units[unit]
    }

    /// As C's `%.<digits>g` prints numbers from 0 to 1000: no trailing zeros.
    private static func significant(_ value: Double, digits: Int) -> String {
        let whole = value < 10 ? 1 : value < 100 ? 2 : 3
        var scale = 1.0
        for _ in 0..<max(0, digits - whole) { scale *= 10 }
        let scaled = Int((value * scale).rounded(.toNearestOrEven))
        var (integer, fraction) = scaled.quotientAndRemainder(dividingBy: Int(scale))
        if fraction == 0 { return String(integer) }
        var places = max(0, digits - whole)
        while fraction % 10 == 0 {
            fraction /= 10
            places -= 1
        }
        let text = String(fraction)
        integer = max(0, integer)
        return "\(integer)." + String(repeating: "0", count: places - text.count) + text
    }
}
