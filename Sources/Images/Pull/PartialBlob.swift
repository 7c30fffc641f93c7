internal import CLinux
internal import Crypto
internal import LinuxSystem
internal import OCI

/// A blob while it is downloaded. It has a file under its digest, so that a download that was cut off can be gone on
/// with. Whoever uses it holds the blob's lock. Its methods block, and are called one at a time.
final class PartialBlob: @unchecked Sendable {
    let descriptor: ImageDescriptor
    let path: String
    /// What those read who unpack the blob meanwhile.
    let growing: GrowingFile
    private(set) var size: Int64
    private let file: OwnedDescriptor
    private var hash = SHA256()

    /// Goes on with what lies at `path`, or begins there.
    init(_ path: String, _ descriptor: ImageDescriptor) throws {
        self.path = path
        self.descriptor = descriptor
        file = try OwnedDescriptor.open(path, O_RDWR | O_CREAT, mode: 0o600)
        var info = stat()
        let raw = file.raw
        try check("fstat", path) { fstat(raw, &info) }
        size = 0
        // More than the whole is nothing of this blob.
        if Int64(info.st_size) > descriptor.size { try check("ftruncate", path) { ftruncate(raw, 0) } }
        growing = GrowingFile(file, path: path, size: 0)
        try hashWhatIsThere()
    }

    private func hashWhatIsThere() throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        let raw = file.raw
        while true {
            let count = try check("read", path) { read(raw, buffer.baseAddress, buffer.count) }
            if count == 0 { break }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            size += Int64(count)
        }
        growing.grew(to: size)
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        var done = 0
        let raw = file.raw
        while done < bytes.count {
            done += try check("write", path) { CLinux.write(raw, bytes.baseAddress! + done, bytes.count - done) }
        }
        // The disk starts on it now, so that syncing at the end waits less.
        sync_file_range(raw, off64_t(size), off64_t(bytes.count), CUnsignedInt(SYNC_FILE_RANGE_WRITE))
        hash.update(bufferPointer: bytes)
        size += Int64(bytes.count)
        growing.grew(to: size)
    }

    /// Checks what has arrived as a whole. What is wrong is thrown away, as there is nothing in it to go on with.
    /// - Throws: ``ImageError/digestMismatch(subject:expected:actual:)``.
    func verify() throws -> IngestedBlob {
        let digest = hash.finalize().digestString
        guard digest == descriptor.digest, size == descriptor.size else {
            unlink(path)
            throw ImageError.digestMismatch(
                subject: "downloaded layer", expected: descriptor.digest, actual: digest)
        }
        return IngestedBlob(digest: digest, size: size, path: path)
    }
}
