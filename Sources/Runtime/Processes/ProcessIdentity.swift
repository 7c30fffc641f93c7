internal import CLinux
public import LinuxSystem
internal import SystemPackage

/// A process that cannot be mistaken for a later one with the same number: pid and start time.
public struct ProcessIdentity: Sendable, Hashable {
    public let pid: Int32
    /// Clock ticks since boot, as in `/proc/PID/stat`.
    public let startTime: UInt64

    public init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// Of the process that has this pid now; nil where there is none, or only its zombie.
    public init?(running pid: Int32) {
        guard let stat = Self.stat(pid), !stat.isZombie else { return nil }
        self.init(pid: pid, startTime: stat.startTime)
    }

    public var isAlive: Bool {
        guard let stat = Self.stat(pid) else { return false }
        return stat.startTime == startTime && !stat.isZombie
    }

    /// A descriptor for this process and no other; nil where it has ended.
    /// - Throws: ``SystemError`` of `pidfd_open`.
    public func descriptor() throws -> OwnedDescriptor? {
        let descriptor: OwnedDescriptor
        do {
            descriptor = OwnedDescriptor(try check("pidfd_open", "\(pid)") { swc_pidfd_open(pid, 0) })
        } catch let error as SystemError where error.errno == .noSuchProcess {
            return nil
        }
        // Checked after opening: from here on the descriptor cannot change its meaning.
        return isAlive ? descriptor : nil
    }

    /// - Returns: false where it has ended.
    /// - Throws: ``SystemError`` of `pidfd_send_signal`.
    @discardableResult
    public func signal(_ number: Int32) throws -> Bool {
        guard let descriptor = try descriptor() else { return false }
        do {
            try check("pidfd_send_signal", "\(pid)") { swc_pidfd_send_signal(descriptor.raw, number) }
        } catch let error as SystemError where error.errno == .noSuchProcess {
            return false
        }
        return true
    }

    /// Collects its exit where it is a child of ours that has ended; nothing otherwise.
    func reap() {
        // By descriptor: the number may by now be that of another child, whose exit somebody else waits for.
        let raw = swc_pidfd_open(pid, 0)
        guard raw >= 0 else { return }
        let descriptor = OwnedDescriptor(raw)
        guard Self.stat(pid)?.startTime == startTime else { return }
        Self.reap(descriptor)
    }

    static func reap(_ descriptor: OwnedDescriptor) {
        var (child, code, status): (pid_t, CInt, CInt) = (0, 0, 0)
        // ECHILD: not ours to collect.
        _ = swc_waitid_pidfd(descriptor.raw, WEXITED | WNOHANG, &child, &code, &status)
    }

    struct Stat: Equatable {
        var isZombie: Bool
        var startTime: UInt64
    }

    /// The program's name, in parentheses, may hold anything, even `) R 1`: fields are counted from its last. By
    /// bytes, as a name can end with half a character that would take the parenthesis into itself.
    static func parse(stat text: String) -> Stat? {
        let bytes = text.utf8
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = bytes[bytes.index(after: end)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let startTime = UInt64(String(fields[19]) ?? "") else { return nil }
        let state = fields[0].first
        return Stat(isZombie: state == UInt8(ascii: "Z") || state == UInt8(ascii: "X"), startTime: startTime)
    }

    private static func stat(_ pid: Int32) -> Stat? {
        (try? Files.readString("/proc/\(pid)/stat")).flatMap(parse)
    }
}
