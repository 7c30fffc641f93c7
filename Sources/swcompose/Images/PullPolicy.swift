/// When an image is pulled: what `pull_policy` and `--pull` say.
enum PullPolicy: Equatable {
    case always, never, missing, build
    /// Where the name was given to the image longer ago than this many seconds.
    case refresh(seconds: Double)

    /// nil for what is none.
    init?(_ text: String) {
        switch text {
        case "always": self = .always
        case "never": self = .never
        case "missing", "if_not_present": self = .missing
        case "build": self = .build
        case "daily": self = .refresh(seconds: 86_400)
        case "weekly": self = .refresh(seconds: 7 * 86_400)
        default:
            guard text.hasPrefix("every_"), let seconds = Self.seconds(text.dropFirst("every_".count)) else {
                return nil
            }
            self = .refresh(seconds: seconds)
        }
    }

    /// `1w2d3h4m5s`, in any order.
    private static func seconds(_ text: Substring) -> Double? {
        let units: [Character: Double] = ["w": 7 * 86_400, "d": 86_400, "h": 3600, "m": 60, "s": 1]
        var total = 0.0
        var number = ""
        for character in text {
            if character.isASCII, character.isNumber || character == "." {
                number.append(character)
                continue
            }
            guard let unit = units[character], let value = Double(number) else { return nil }
            total += value * unit
            number = ""
        }
        return number.isEmpty && !text.isEmpty ? total : nil
    }

    /// - Parameters:
    ///   - isHere: whether the image is in the store.
    ///   - age: seconds since it got its name; nil where that is not known.
    func pulls(isHere: Bool, age: Double?) -> Bool {
        switch self {
        case .always: true
        case .never, .build: false
        case .missing: !isHere
        case .refresh(let seconds): !isHere || age.map { $0 > seconds } ?? true
        }
    }
}
