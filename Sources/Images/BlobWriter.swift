internal import CLinux
internal import Crypto
internal import LinuxSystem

/// A blob being written under a temporary name.
final class BlobWriter {
    let path: String
    private let file: OwnedDescriptor
    private var hash = SHA256()
    private(set) var size: Int64 = 0

    init(_ path: String) throws {
        self.path = path
        file = try OwnedDescriptor.open(path, O_WRONLY | O_CREAT | O_EXCL)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var done = 0
        while done < bytes.count {
            done += try check("write", path) {
                CLinux.write(file.raw, bytes.baseAddress! + done, bytes.count - done)
            }
        }
        // The disk starts on it now, so that syncing at the end waits less.
        sync_file_range(file.raw, off64_t(size), off64_t(bytes.count), CUnsignedInt(SYNC_FILE_RANGE_WRITE))
        hash.update(bufferPointer: bytes)
        size += Int64(bytes.count)
    }

    /// What was written is durable only after ``Ingest/publish()``.
    func finish() -> IngestedBlob {
        IngestedBlob(digest: hash.finalize().digestString, size: size, path: path)
    }
}

/// A blob that is whole and has its digest, but not its name in the store.
struct IngestedBlob {
    let digest: String
    let size: Int64
    let path: String
}
