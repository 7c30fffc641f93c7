/// The kinds of faults that loading tells. Raw values are stable: editors and scripts can rely on them.
public enum DiagnosticCode: String, Sendable, CaseIterable {
    // Reading YAML.
    case yamlSyntax = "yaml-syntax"
    case tabIndentation = "tab-indentation"
    case unclosedQuote = "unclosed-quote"
    case missingColon = "missing-colon"
    case encoding = "encoding"
    case duplicateKey = "duplicate-key"
    case nonTextKey = "non-text-key"
    case unknownAnchor = "unknown-anchor"
    case anchorCycle = "anchor-cycle"
    case invalidMergeKey = "invalid-merge-key"
    case tooLarge = "too-large"

    // Attributes and values.
    case unknownAttribute = "unknown-attribute"
    case missingAttribute = "missing-attribute"
    case wrongType = "wrong-type"
    case invalidName = "invalid-name"
    case invalidValue = "invalid-value"
    case notAChoice = "not-a-choice"
    case outOfRange = "out-of-range"
    case duplicateItem = "duplicate-item"
    case invalidPort = "invalid-port"
    case invalidVolume = "invalid-volume"
    case invalidAddress = "invalid-address"
    case invalidDuration = "invalid-duration"
    case invalidSize = "invalid-size"
    case invalidNumber = "invalid-number"
    case invalidCommand = "invalid-command"

    // Variables and env files.
    case invalidInterpolation = "invalid-interpolation"
    case missingVariable = "missing-variable"
    case unsetVariable = "unset-variable"
    case envFileSyntax = "env-file-syntax"

    // Between files.
    case fileNotFound = "file-not-found"
    case fileUnreadable = "file-unreadable"
    case remoteFile = "remote-file"
    case cannotOverride = "cannot-override"
    case extendsNotFound = "extends-not-found"
    case extendsCycle = "extends-cycle"
    case includeCycle = "include-cycle"
    case includeConflict = "include-conflict"
    case emptyFile = "empty-file"
    case noFile = "no-file"
    case ambiguousFile = "ambiguous-file"
    case invalidProjectName = "invalid-project-name"

    // Between attributes and services.
    case undefinedService = "undefined-service"
    case undefinedResource = "undefined-resource"
    case undefinedProfile = "undefined-profile"
    case dependencyCycle = "dependency-cycle"
    case conflictingAttributes = "conflicting-attributes"
    case missingImage = "missing-image"
    case duplicateTarget = "duplicate-target"
    case duplicateContainerName = "duplicate-container-name"

    /// Valid, but not something that the runtime can do. The linter has the same code.
    case unsupportedAttribute = "unsupported-attribute"

    // Warnings.
    case obsoleteVersion = "obsolete-version"
    case deprecated = "deprecated"
    /// Stands for those that are not told.
    case moreWarnings = "more-warnings"
}
