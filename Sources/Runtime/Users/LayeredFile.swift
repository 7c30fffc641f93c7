internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// A file below a directory of a stack of overlay layers, found without mounting them: a mount that nobody else sees
/// takes the kernel milliseconds to give up again. The rules are overlayfs's: the topmost layer that has a name decides,
/// a character device 0:0 says that it is gone, an opaque directory hides those below.
enum LayeredFile {
    enum Lookup: Equatable {
        /// Path on the host.
        case found(String)
        case absent
        /// Links and what else takes the kernel's own eyes.
        case unclear
    }

    /// - Parameters:
    ///   - directory, name: one component each.
    ///   - layers: topmost first.
    static func look(_ name: String, in directory: String, layers: [String]) -> Lookup {
        for layer in layers {
            let parent = "\(layer)/\(directory)"
            switch kind(parent) {
            case nil: continue
            case .whiteout: return .absent
            case .directory: break
            case .file, .other: return .unclear
            }
            // A directory that was renamed has its lower half under another name.
            if has("trusted.overlay.redirect", parent) { return .unclear }
            switch kind("\(parent)/\(name)") {
            case .file:
                // One whose content is still in the layer below.
                return has("trusted.overlay.metacopy", "\(parent)/\(name)") ? .unclear : .found("\(parent)/\(name)")
            case .whiteout: return .absent
            case nil: if has("trusted.overlay.opaque", parent) { return .absent }
            case .directory, .other: return .unclear
            }
        }
        return .absent
    }

    private enum Kind { case file, directory, whiteout, other }

    /// nil: there is nothing.
    private static func kind(_ path: String) -> Kind? {
        var info = stat()
        guard lstat(path, &info) == 0 else { return swc_errno() == ENOENT ? nil : .other }
        switch info.st_mode & mode_t(S_IFMT) {
        case mode_t(S_IFREG): return .file
        case mode_t(S_IFDIR): return .directory
        case mode_t(S_IFCHR) where info.st_rdev == 0: return .whiteout
        default: return .other
        }
    }

    private static func has(_ attribute: String, _ path: String) -> Bool { lgetxattr(path, attribute, nil, 0) >= 0 }
}
