internal import CLinux
internal import LinuxSystem
internal import SystemPackage

/// Unpacks one layer's archive into an empty directory, in the form that overlayfs stacks: deleted names become
/// character devices 0:0, opaque directories carry an attribute.
struct LayerUnpacker {
    /// What the archive is called in errors.
    let subject: String
    let limits: LayerLimits
    private let tree: TreeRoot
    private var entries = 0
    private var bytes: Int64 = 0
    /// To be set when all entries are there: making an entry changes its directory's times.
    private var directories: [TreePath: TreeAttributes] = [:]

    private static let whiteoutPrefix = Array(".wh.".utf8CString.dropLast())
    private static let opaqueMarker = Array(".wh..wh..opq".utf8CString)
    private static let opaque = ExtendedAttribute("trusted.overlay.opaque", [0x79])

    init(into directory: OwnedDescriptor, subject: String, limits: LayerLimits) {
        tree = TreeRoot(directory)
        self.subject = subject
        self.limits = limits
    }

    /// Directories that the archive puts something into without having an entry for them. They hide the attributes of
    /// the same directory in the layers below, which are to be copied.
    var impliedDirectories: [TreePath] { tree.impliedDirectories.sorted { $0.depth < $1.depth } }

    /// Reads `source` to its end.
    /// - Throws: ``ImageError``, or ``SystemError`` where the disk does not take it.
    mutating func unpack(_ source: any ByteSource) throws {
        let reader = TarReader(source, headerLimit: limits.headerBytes)
        do {
            while let entry = try reader.next() {
                entries += 1
                if entries > limits.entries { throw limit("it has more than \(limits.entries) entries") }
                try unpack(entry, reader)
            }
            if entries == 0 { throw TarError("it is empty") }
            try reader.drain()
        } catch let error as TarError {
            throw ImageError.malformed(subject: subject, reason: error.reason)
        }
        for (path, attributes) in directories {
            // Gone where a later entry replaced it by something else.
            guard (try? tree.kind(of: path)) == .directory else { continue }
            try tree.setAttributes(ofDirectory: path, attributes)
        }
    }

    private mutating func unpack(_ entry: TarEntry, _ reader: TarReader) throws {
        let path = try checkedPath(entry.path, of: entry)
        if try unpackMarker(path, entry) { return }
        do {
            switch entry.kind {
            case .directory: try unpackDirectory(path, entry)
            case _ where path.isRoot: throw malformed(entry, "the root must be a directory")
            case .file: try unpackFile(path, entry, reader)
            case .symbolicLink(let target): try unpackLink(path, entry, target: target)
            case .hardLink(let target):
                let target = try checkedPath(target, of: entry)
                guard !target.isRoot else { throw malformed(entry, "it links to the root") }
                try tree.makeHardLink(path, to: target)
            case .fifo: try tree.makeNode(path, .fifo, attributes: entry.attributes)
            case .characterDevice(let major, let minor):
                try tree.makeNode(
                    path, .characterDevice(major: major, minor: minor), attributes: entry.attributes)
            case .blockDevice(let major, let minor):
                try tree.makeNode(path, .blockDevice(major: major, minor: minor), attributes: entry.attributes)
            }
        } catch let error as SystemError {
            throw explained(error, entry)
        }
    }

    private mutating func unpackDirectory(_ path: TreePath, _ entry: TarEntry) throws {
        var attributes = entry.attributes
        // Deleted and made anew: what lower layers have in it stays hidden.
        if try tree.makeDirectory(path) == .whiteout || directories[path]?.extended.contains(Self.opaque) == true {
            attributes.extended.append(Self.opaque)
        }
        directories[path] = attributes
    }

    private mutating func unpackFile(_ path: TreePath, _ entry: TarEntry, _ reader: TarReader) throws {
        let (total, overflow) = bytes.addingReportingOverflow(entry.size)
        bytes = total
        if overflow || bytes > limits.bytes || entry.logicalSize > limits.bytes {
            throw limit("its files hold more than \(limits.bytes) bytes")
        }
        let file = try tree.makeFile(path)
        if let extents = entry.extents {
            var cursor = ExtentCursor(extents)
            try reader.readContent { piece in
                try cursor.place(piece) { piece, offset in
                    try write(piece, entry) { pwrite(file.raw, $0, $1, off_t(offset + $2)) }
                }
            }
            try check("ftruncate", entry.name) { ftruncate(file.raw, off_t(entry.logicalSize)) }
        } else {
            try reader.readContent { piece in
                try write(piece, entry) { base, count, _ in CLinux.write(file.raw, base, count) }
            }
        }
        try entry.attributes.apply(to: file.raw, subject: entry.name)
    }

    private func write(
        _ piece: UnsafeRawBufferPointer, _ entry: TarEntry, _ call: (UnsafeRawPointer, Int, Int64) -> Int
    ) throws {
        var done = 0
        while done < piece.count {
            done += try check("write", entry.name) { call(piece.baseAddress! + done, piece.count - done, Int64(done)) }
        }
    }

    private func unpackLink(_ path: TreePath, _ entry: TarEntry, target: [UInt8]) throws {
        guard !target.isEmpty, !target.contains(0), target.count <= 4095 else {
            throw malformed(entry, "its link target is empty or too long")
        }
        try tree.makeSymlink(
            path, target: target.map { CChar(bitPattern: $0) } + [0], attributes: entry.attributes)
    }

    /// Handles `.wh.name` (name is deleted) and `.wh..wh..opq` (all that lower layers have in the directory is).
    /// - Returns: whether the entry was one of these.
    private mutating func unpackMarker(_ path: TreePath, _ entry: TarEntry) throws -> Bool {
        let name = path.name
        guard name.starts(with: Self.whiteoutPrefix) else { return false }
        do {
            if name == Self.opaqueMarker {
                try markOpaque(path.parent)
                return true
            }
            let hidden = Array(name.dropFirst(Self.whiteoutPrefix.count))
            // Books that aufs kept; nothing that belongs to the image.
            if hidden.starts(with: Self.whiteoutPrefix) { return true }
            guard hidden != [0], hidden != [0x2e, 0], hidden != [0x2e, 0x2e, 0] else {
                throw malformed(entry, "it deletes no name")
            }
            let target = path.sibling(hidden)
            switch try tree.kind(of: target) {
            case nil: try tree.makeNode(target, .whiteout, attributes: TreeAttributes(mode: 0))
            // A deletion is about lower layers only; what this one has under the name stays.
            case .directory: try markOpaque(target)
            default: break
            }
        } catch let error as SystemError {
            throw explained(error, entry)
        }
        return true
    }

    private mutating func markOpaque(_ path: TreePath) throws {
        if try tree.kind(of: path) == nil {
            try tree.makeDirectory(path)
        }
        var attributes = directories[path] ?? TreeAttributes(mode: 0o755)
        if !attributes.extended.contains(Self.opaque) { attributes.extended.append(Self.opaque) }
        directories[path] = attributes
    }

    private func checkedPath(_ bytes: [UInt8], of entry: TarEntry) throws -> TreePath {
        let path: TreePath
        do { path = try TreePath(bytes) } catch { throw malformed(entry, error.description) }
        if path.depth > limits.depth { throw limit("\(entry.name) is nested deeper than \(limits.depth) directories") }
        let parts = path.cString.split(separator: 0x2f)
        if parts.dropLast().contains(where: { $0.starts(with: Self.whiteoutPrefix) }) {
            throw malformed(entry, "it lies below a name reserved for deletions (.wh.)")
        }
        if let attribute = entry.attributes.extended.first(where: \.isOverlay) {
            throw malformed(entry, "attribute \(attribute.text) is reserved for the overlay file system")
        }
        return path
    }

    private func malformed(_ entry: TarEntry, _ reason: String) -> ImageError {
        .malformed(subject: "\(subject): entry \"\(entry.name)\"", reason: reason)
    }

    private func limit(_ reason: String) -> ImageError { .limit(subject: subject, reason: reason) }

    /// Says in the archive's terms what the kernel refused because of the archive.
    private func explained(_ error: SystemError, _ entry: TarEntry) -> any Error {
        switch error.errno {
        case .tooManySymbolicLinkLevels: malformed(entry, "its path goes through a symbolic link")
        case .notDirectory: malformed(entry, "its path goes through something that is no directory")
        case .improperLink: malformed(entry, "its path leads out of the layer")
        case .noSuchFileOrDirectory: malformed(entry, "it links to something that is not there (\(error.subject))")
        case .notPermitted where error.call.hasPrefix("link"): malformed(entry, "it links to a directory")
        default: error
        }
    }
}

/// Where in a sparse file each piece of the content belongs.
private struct ExtentCursor {
    private let extents: [TarEntry.Extent]
    private var index = 0
    private var used: Int64 = 0

    init(_ extents: [TarEntry.Extent]) { self.extents = extents }

    mutating func place(
        _ piece: UnsafeRawBufferPointer, _ write: (UnsafeRawBufferPointer, Int64) throws -> Void
    ) rethrows {
        var rest = piece
        while !rest.isEmpty {
            // The extents are as long together as the content: checked when they were read.
            while extents[index].length == used {
                index += 1
                used = 0
            }
            let count = Int(min(extents[index].length - used, Int64(rest.count)))
            try write(UnsafeRawBufferPointer(rebasing: rest[..<count]), extents[index].offset + used)
            used += Int64(count)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}
