import CLinux

typealias CPath = UnsafePointer<CChar>

/// A step that failed: which, and errno.
struct Failure: Error {
    var errno: CInt
    var step: StaticString

    init(_ step: StaticString, _ errno: CInt = swc_errno()) {
        self.step = step
        self.errno = errno
    }
}

/// Runs a call that returns -1 on failure, again while it is interrupted.
@discardableResult
func check<T: SignedInteger>(_ step: StaticString, _ body: () -> T) throws(Failure) -> T {
    while true {
        let result = body()
        if result != -1 { return result }
        if swc_errno() != EINTR { throw Failure(step) }
    }
}

/// argv, which Embedded Swift does not offer. The System V ABI lays out argc, argv, a null, and envp in that order.
func processArguments() -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
    var argv = swc_environment()! - 1
    var count: UInt = 0
    while UInt(bitPattern: (argv - 1).pointee) != count {
        argv -= 1
        count += 1
    }
    return argv
}

func complain(_ text: StaticString) { _ = write(2, text.utf8Start, text.utf8CodeUnitCount) }

func closeAll(_ descriptors: CInt...) {
    for descriptor in descriptors where descriptor > 2 { close(descriptor) }
}

/// A literal as a C string.
func literal(_ text: StaticString) -> CPath { UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self) }

func same(_ a: CPath, _ b: StaticString) -> Bool { strcmp(a, literal(b)) == 0 }

/// Text put together in memory of fixed size; what does not fit sets `overflowed`. NUL-terminated at all times.
struct TextBuffer {
    let base: UnsafeMutablePointer<CChar>
    let capacity: Int
    private(set) var count = 0
    private(set) var overflowed = false

    init(capacity: Int) {
        base = .allocate(capacity: capacity)
        self.capacity = capacity
        base[0] = 0
    }

    func free() { base.deallocate() }
    var path: CPath { CPath(base) }

    mutating func clear() {
        count = 0
        overflowed = false
        base[0] = 0
    }
    mutating func append(byte: UInt8) {
        guard count + 1 < capacity else {
            overflowed = true
            return
        }
        base[count] = CChar(bitPattern: byte)
        count += 1
        base[count] = 0
    }
    mutating func append(_ text: CPath) {
        var at = text
        while at.pointee != 0 {
            append(byte: UInt8(bitPattern: at.pointee))
            at += 1
        }
    }
    mutating func append(_ text: CPath, count: Int) {
        for i in 0..<count { append(byte: UInt8(bitPattern: text[i])) }
    }
    mutating func append(_ text: StaticString) { append(literal(text)) }
    /// Four digits.
    mutating func append(octal mode: mode_t) {
        var shift: mode_t = 12
        while shift > 0 {
            shift -= 3
            append(byte: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: mode >> shift & 7))
        }
    }
    /// Decimal, with leading zeros up to `width`.
    mutating func append(_ number: UInt64, width: Int = 1) {
        var divisor: UInt64 = 1
        var digits = 1
        while number / divisor >= 10 {
            divisor *= 10
            digits += 1
        }
        for _ in 0..<max(width - digits, 0) { append(byte: UInt8(ascii: "0")) }
        while divisor > 0 {
            append(byte: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }
}

/// A message for a socket: a kind byte and fields.
struct Packet {
    let base: UnsafeMutableRawPointer
    private(set) var count = 0
    private let capacity: Int

    init(_ kind: UInt8, capacity: Int = LaunchMessage.maximumSize) {
        base = .allocate(byteCount: capacity, alignment: 8)
        self.capacity = capacity
        add(kind)
    }

    func free() { base.deallocate() }

    mutating func add<T: FixedWidthInteger>(_ value: T) {
        guard count + MemoryLayout<T>.size <= capacity else { return }
        base.storeBytes(of: value.littleEndian, toByteOffset: count, as: T.self)
        count += MemoryLayout<T>.size
    }
    mutating func add(text: CPath) {
        let length = min(strlen(text), capacity - count)
        memcpy(base + count, text, length)
        count += length
    }

    /// Sends and gives the memory back. False where the other side is gone.
    @discardableResult
    consuming func send(_ socket: CInt, descriptor: CInt = -1) -> Bool {
        defer { free() }
        while true {
            if swc_send_fd(socket, base, count, descriptor, 0) >= 0 { return true }
            if swc_errno() != EINTR { return false }
        }
    }
}

/// The plan's memory, from the descriptor it was handed over on.
struct PlanMemory {
    let base: UnsafeRawPointer
    let count: Int

    init(descriptor: CInt) throws(Failure) {
        var info = stat()
        try check("fstat") { fstat(descriptor, &info) }
        count = Int(info.st_size)
        guard count >= PlanHeader.size, let memory = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0),
            memory != UnsafeMutableRawPointer(bitPattern: -1)  // MAP_FAILED
        else { throw Failure("mmap", EBADMSG) }
        base = UnsafeRawPointer(memory)
    }

    func records() throws(Failure) -> PlanRecords {
        guard let records = PlanRecords(base, count: count) else { throw Failure("plan header", EBADMSG) }
        return records
    }
    func unmap() { munmap(UnsafeMutableRawPointer(mutating: base), count) }
}

/// Field 22 of /proc/PID/stat, in clock ticks since boot; 0 where there is no such process.
func startTime(of pid: pid_t) -> UInt64 {
    var path = TextBuffer(capacity: 48)
    defer { path.free() }
    path.append("/proc/")
    path.append(UInt64(pid))
    path.append("/stat")
    let file = swc_open(path.path, O_RDONLY | O_CLOEXEC, 0)
    guard file >= 0 else { return 0 }
    defer { close(file) }
    return withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { buffer in
        let count = read(file, buffer.baseAddress, buffer.count)
        guard count > 0 else { return 0 }
        // The name in parentheses may hold anything; the last parenthesis ends it.
        var at = count - 1
        while at > 0, buffer[at] != UInt8(ascii: ")") { at -= 1 }
        var field = 2
        var value: UInt64 = 0
        while at < count, field <= 22 {
            if buffer[at] == UInt8(ascii: " ") {
                field += 1
            } else if field == 22, buffer[at] >= 48, buffer[at] < 58 {
                value = value * 10 + UInt64(buffer[at] - 48)
            }
            at += 1
        }
        return value
    }
}

/// Writes all of a short text into a control file of the kernel's.
func writeControl(_ directory: CInt, _ path: CPath, _ text: CPath) -> Bool {
    let file = swc_openat(directory, path, O_WRONLY | O_CLOEXEC, 0)
    guard file >= 0 else { return false }
    let count = strlen(text)
    let done = write(file, text, count)
    let error = swc_errno()
    close(file)
    swc_set_errno(error)
    return done == count
}

func writeControl(_ directory: CInt, _ path: CPath, _ number: UInt64) -> Bool {
    var text = TextBuffer(capacity: 24)
    defer { text.free() }
    text.append(number)
    return writeControl(directory, path, text.path)
}

/// What a shell would say: the exit code, or 128 and the signal.
func exitCode(ofStatus status: CInt) -> CInt {
    swc_wifexited(status) != 0 ? swc_wexitstatus(status) : 128 + swc_wtermsig(status)
}
