/// What an attribute may be, how it merges, what its text means and how it is printed: one entry of the table
/// that all stages read.
final class Rule: Sendable {
    let traits: Traits
    /// Set where a list is allowed.
    let item: Rule?
    /// Set where a mapping with known keys is allowed.
    let fields: Fields?
    /// Set where a mapping with keys of the user's is allowed.
    let values: Rule?

    init(_ traits: Traits, item: Rule? = nil, fields: Fields? = nil, values: Rule? = nil) {
        self.traits = traits
        self.item = item
        self.fields = fields
        self.values = values
    }

    var cast: Cast { traits.cast }

    /// The rule of a mapping's value; nil for keys that the table does not know.
    func member(_ key: String) -> Rule? { fields?[key] ?? values }

    /// Scalars that a YAML value may be.
    struct Scalars: OptionSet, Sendable {
        let rawValue: UInt8
        static let string = Scalars(rawValue: 1)
        static let integer = Scalars(rawValue: 2)
        /// Integers and fractions.
        static let number = Scalars(rawValue: 6)
        static let boolean = Scalars(rawValue: 8)
        static let null = Scalars(rawValue: 16)
        static let any: Scalars = [.string, .number, .boolean, .null]
    }

    /// What the text of a scalar stands for, in the canonical tree and in output.
    enum Meaning: Sendable {
        /// Left as it is: extensions.
        case verbatim
        case text
        case integer
        case number
        case flag
        /// Held as an integer, printed as text.
        case bytes
        /// Held as integer nanoseconds.
        case duration
        /// Held as an integer, printed as octal text.
        case fileMode
    }

    enum Merge: Sendable {
        /// Mappings by key, lists appended, scalars replaced.
        case natural
        case replace
        /// A mapping or a list of `KEY=VALUE`: by key.
        case keyValues
        /// A string or a list: concatenated.
        case concatenate
        /// A list of names or a mapping: by name.
        case names
        case hosts, build, dependsOn, logging, pools
    }

    /// What makes two elements of a list the same one, so that the later replaces the earlier.
    enum Identity: Sendable {
        case none
        /// The text up to `=`.
        case key
        case volume, device, port, envFile, number
        /// Secrets and configs: the target, by default below this directory.
        case mount(String)
    }

    /// A check of a text's form.
    struct Pattern: Sendable {
        var check: @Sendable (String) -> Bool
        /// The words that describe it.
        var description: String
        /// The same as a regular expression of ECMA-262, for the JSON Schema.
        var expression: String
    }

    struct Traits: Sendable {
        var scalars: Scalars = []
        var meaning: Meaning = .verbatim
        var cast: Cast = .none
        var choices: [String]?
        var pattern: Pattern?
        var range: ClosedRange<Int64>?
        var uniqueItems = false
        /// Keys of a mapping with user-defined keys must be names.
        var namedKeys = false
        var merge: Merge = .natural
        var identity: Identity = .none
        /// Printed even when zero, false or empty.
        var keepsZero = false
        /// As `keepsZero`, in JSON only.
        var keepsZeroInJSON = false
        /// As `keepsZero`, in YAML only.
        var keepsZeroInYAML = false
        /// A flag that is printed when it is off.
        var omitsTrue = false
        /// Key in JSON where it differs.
        var jsonKey: String?
        /// Not printed by `config`, as in the reference.
        var isHidden = false
        /// A fraction is no number here, even where the value is text.
        var wantsWhole = false
        /// Null reads as an empty text.
        var nullIsText = false
        /// A mapping that is printed as a list of `KEY=value`.
        var printsAsList = false
        /// Elements are printed in order of their text.
        var printsSorted = false
        /// Null reads as an empty mapping.
        var nullIsEmpty = false
        /// Why the runtime cannot do it; nil: it can.
        var unsupported: String?
    }

    /// Known keys in the order in which they are printed.
    struct Fields: Sendable {
        let names: [String]
        private let rules: [String: (position: Int, rule: Rule)]
        /// Positions of fields that JSON shows even where they are not given.
        let printedWhenAbsent: [Int]
        let required: [String]
        let allowsExtensions: Bool
        /// Unknown keys are allowed too.
        let isOpen: Bool

        init(_ list: [(String, Rule)], required: [String] = [], allowsExtensions: Bool = true, isOpen: Bool = false) {
            names = list.map(\.0)
            printedWhenAbsent = list.indices.filter { list[$0].1.traits.keepsZeroInJSON }
            var rules: [String: (position: Int, rule: Rule)] = [:]
            for (position, (name, rule)) in list.enumerated() { rules[name] = (position, rule) }
            self.rules = rules
            self.required = required
            self.allowsExtensions = allowsExtensions
            self.isOpen = isOpen
        }

        subscript(_ name: String) -> Rule? { rules[name]?.rule }
        func position(of name: String) -> Int? { rules[name]?.position }
    }
}

extension Rule {
    private func copy(_ change: (inout Traits) -> Void) -> Rule {
        var traits = traits
        change(&traits)
        return Rule(traits, item: item, fields: fields, values: values)
    }

    func merging(_ merge: Merge) -> Rule { copy { $0.merge = merge } }
    func identified(by identity: Identity) -> Rule { copy { $0.identity = identity } }
    func casting(_ cast: Cast) -> Rule { copy { $0.cast = cast } }
    func choice(of choices: [String]) -> Rule { copy { $0.choices = choices } }
    func within(_ range: ClosedRange<Int64>) -> Rule { copy { $0.range = range } }
    func alsoNull() -> Rule { copy { $0.scalars.insert(.null) } }
    func whole() -> Rule { copy { $0.wantsWhole = true } }
    func unique() -> Rule { copy { $0.uniqueItems = true } }
    func keepingZero() -> Rule { copy { $0.keepsZero = true } }
    func keepingZeroInJSON() -> Rule { copy { $0.keepsZeroInJSON = true } }
    func keepingZeroInYAML() -> Rule { copy { $0.keepsZeroInYAML = true } }
    func omittingTrue() -> Rule { copy { $0.omitsTrue = true } }
    func inJSON(_ key: String) -> Rule { copy { $0.jsonKey = key } }
    func hidden() -> Rule { copy { $0.isHidden = true } }
    func emptyForNull() -> Rule {
        copy {
            $0.nullIsEmpty = true
            $0.scalars.insert(.null)
        }
    }
    func matching(_ description: String, _ expression: String, _ check: @escaping @Sendable (String) -> Bool) -> Rule {
        copy { $0.pattern = Pattern(check: check, description: description, expression: expression) }
    }
    /// Parsed, checked, merged and printed, but refused when containers are made.
    func later(_ reason: String = "is not supported yet") -> Rule { copy { $0.unsupported = reason } }

    // The vocabulary of the tables.
    static let text = Rule(Traits(scalars: .string, meaning: .text))
    static let textOrNumber = Rule(Traits(scalars: [.string, .number], meaning: .text))
    static let flag = Rule(Traits(scalars: [.boolean, .string], meaning: .flag, cast: .boolean))
    static let flagWithoutText = Rule(Traits(scalars: .boolean, meaning: .flag))
    static let integer = Rule(Traits(scalars: [.integer, .string], meaning: .integer, cast: .integer))
    static let looseInteger = Rule(Traits(scalars: [.number, .string], meaning: .integer, cast: .integer))
    static let number = Rule(Traits(scalars: [.number, .string], meaning: .number, cast: .number))
    static let bytes = Rule(Traits(scalars: [.number, .string], meaning: .bytes))
    static let wholeBytes = Rule(Traits(scalars: [.integer, .string], meaning: .bytes))
    static let duration = Rule(Traits(scalars: .string, meaning: .duration))
    static let fileMode = Rule(Traits(scalars: [.number, .string], meaning: .fileMode, keepsZero: true))
    static let anything = Rule(
        Traits(scalars: .any), item: Rule(Traits(scalars: .any)), values: Rule(Traits(scalars: .any)))
    /// A list of distinct strings.
    static let strings = list(.text).unique()
    static let stringOrList = Rule(Traits(scalars: .string, merge: .concatenate), item: .text)
    /// A shell command line or its words.
    static let command = Rule(Traits(scalars: [.string, .null], merge: .replace), item: .text)
    /// `KEY: value` or a list of `KEY=value`; a missing value is an empty one.
    static let pairs = Rule(
        Traits(uniqueItems: true, merge: .keyValues, identity: .key), item: .text,
        values: Rule(Traits(scalars: .any, meaning: .text, keepsZero: true, nullIsText: true)))
    /// As ``pairs``; a missing value is taken from the environment.
    static let variables = Rule(
        Traits(uniqueItems: true, merge: .keyValues, identity: .key), item: .text,
        values: Rule(Traits(scalars: .any, meaning: .text, keepsZero: true)))
    static let keys = Rule(
        Traits(uniqueItems: true, merge: .keyValues, identity: .key, printsAsList: true), item: .text,
        values: Rule(Traits(scalars: .any, meaning: .text, keepsZero: true)))
    static let options = map(of: Rule(Traits(scalars: [.string, .number], meaning: .text, keepsZero: true)))
    static let hosts = Rule(
        Traits(uniqueItems: true, merge: .hosts, printsSorted: true), item: .text,
        values: Rule(Traits(scalars: .string), item: .text))

    static func list(_ item: Rule) -> Rule { Rule(Traits(), item: item) }
    static func map(of value: Rule) -> Rule { Rule(Traits(), values: value) }
    static func object(
        _ fields: [(String, Rule)], required: [String] = [], extensions: Bool = true, open: Bool = false
    ) -> Rule {
        Rule(Traits(), fields: Fields(fields, required: required, allowsExtensions: extensions, isOpen: open))
    }
    /// A mapping with user-defined names for keys.
    static func named(_ value: Rule) -> Rule { Rule(Traits(namedKeys: true), values: value) }
    /// This form or the short one, a string.
    func orText() -> Rule { copy { $0.scalars.insert(.string) } }
    func or(_ scalars: Scalars) -> Rule { copy { $0.scalars.formUnion(scalars) } }
    /// This mapping or a list.
    func orList(_ item: Rule) -> Rule {
        var traits = traits
        traits.uniqueItems = true
        return Rule(traits, item: item, fields: fields, values: values)
    }
}
