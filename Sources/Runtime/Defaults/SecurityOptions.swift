public enum SecurityOptionError: Error, Sendable, Equatable, CustomStringConvertible {
    case invalid(String)
    case unsupported(String, String)

    public var description: String {
        switch self {
        case .invalid(let option):
            "invalid security_opt \"\(option)\": known are no-new-privileges[:true|false], seccomp=PROFILE, systempaths=unconfined, apparmor=PROFILE and label=…"
        case .unsupported(let option, let why): "security_opt \"\(option)\" cannot be had: \(why)"
        }
    }
}

/// `security_opt`, understood.
public struct SecurityOptions: Sendable, Equatable {
    public enum Seccomp: Sendable, Equatable {
        case docker
        case unconfined
        /// Path of a profile in Docker's format.
        case profile(String)
    }
    public var noNewPrivileges = false
    public var seccomp = Seccomp.docker
    public var unconfinedSystemPaths = false

    /// - Parameter hasAppArmor: Whether the host's kernel enforces it.
    /// - Throws: ``SecurityOptionError``
    public init(parsing options: [String], hasAppArmor: Bool = AppArmor.isEnabled) throws {
        for option in options {
            // Docker takes `=` and, for old files, `:`.
            let separator = option.firstIndex { $0 == "=" || $0 == ":" }
            let name = option[..<(separator ?? option.endIndex)]
            let value = separator.map { String(option[option.index(after: $0)...]) }
            switch (name, value) {
            case ("no-new-privileges", nil), ("no-new-privileges", "true"): noNewPrivileges = true
            case ("no-new-privileges", "false"): noNewPrivileges = false
            case ("seccomp", "unconfined"): seccomp = .unconfined
            case ("seccomp", "builtin"): seccomp = .docker
            case ("seccomp", let path?) where !path.isEmpty: seccomp = .profile(path)
            case ("systempaths", "unconfined"): unconfinedSystemPaths = true
            case ("apparmor", "unconfined"), ("label", _?): break  // what is not enforced is already so
            case ("apparmor", let profile?) where !profile.isEmpty:
                throw SecurityOptionError.unsupported(
                    option, hasAppArmor ? "AppArmor profiles are not done yet" : "this kernel has no AppArmor")
            default: throw SecurityOptionError.invalid(option)
            }
        }
    }
}
