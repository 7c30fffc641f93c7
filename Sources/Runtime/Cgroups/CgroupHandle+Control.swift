internal import CLinux
internal import LinuxSystem

/// Stopping all processes of a container, for a while or for good.
extension CgroupHandle {
    /// Halts every process. Returns when all stand still.
    /// - Parameter timeout: seconds; a process in an uninterruptible wait can take its time.
    /// - Throws: ``CgroupError/failed(_:)``, also when the time is over; the processes run on then.
    public func freeze(timeout: Double = 10) throws {
        try refuseOwn("freeze")
        let done: Bool
        do {
            if let directory = unifiedDirectory, Files.exists("\(directory)/cgroup.freeze") {
                try ControlFile.write("\(directory)/cgroup.freeze", "1")
                done = try Waiting.file("\(directory)/cgroup.events", seconds: timeout) {
                    Self.value("frozen", in: $0) == 1
                }
            } else if let directory = legacyDirectory("freezer") {
                let file = "\(directory)/freezer.state"
                // Writing again makes the kernel look again at processes born meanwhile.
                done = try Waiting.until(seconds: timeout) {
                    try ControlFile.write(file, "FROZEN")
                    return try ControlFile.read(file) == "FROZEN"
                }
            } else {
                throw CgroupError.failed("cannot pause: this host has neither cgroup v2 nor v1's freezer")
            }
        } catch let error as SystemError {
            throw CgroupError.failed("freezing cgroup \(path): \(error)")
        }
        guard done else {
            try? thaw()
            throw CgroupError.failed("freezing cgroup \(path): processes did not stop within \(timeout) s")
        }
    }

    /// Lets them go on.
    /// - Throws: ``CgroupError/failed(_:)``.
    public func thaw() throws {
        do {
            // Whatever froze it: an older version of this program may have used the other.
            if let directory = unifiedDirectory, Files.exists("\(directory)/cgroup.freeze") {
                try ControlFile.write("\(directory)/cgroup.freeze", "0")
            }
            if let directory = legacyDirectory("freezer") {
                try ControlFile.write("\(directory)/freezer.state", "THAWED")
            }
        } catch let error as SystemError {
            throw CgroupError.failed("thawing cgroup \(path): \(error)")
        }
    }

    /// Whether the processes are halted.
    /// - Throws: ``SystemError``.
    public func isFrozen() throws -> Bool {
        if let directory = unifiedDirectory, Files.exists("\(directory)/cgroup.freeze") {
            return Self.value("frozen", in: try ControlFile.read("\(directory)/cgroup.events")) == 1
        }
        guard let directory = legacyDirectory("freezer") else { return false }
        return try ControlFile.read("\(directory)/freezer.state") == "FROZEN"
    }

    /// Sends SIGKILL to everything here and below, frozen or not, and waits until nothing is left.
    /// - Parameter timeout: seconds.
    /// - Throws: ``CgroupError``; ``CgroupError/populated(path:processes:)`` when the time is over.
    public func killAll(timeout: Double = 10) throws {
        try refuseOwn("kill")
        let gone: Bool
        do {
            if let directory = unifiedDirectory, Files.exists("\(directory)/cgroup.kill") {
                try ControlFile.write("\(directory)/cgroup.kill", "1")
                gone = try Waiting.file("\(directory)/cgroup.events", seconds: timeout) {
                    Self.value("populated", in: $0) == 0
                }
            } else {
                gone = try Waiting.until(seconds: timeout) { try killRound() }
            }
        } catch let error as SystemError {
            // Gone with its directory.
            if error.code == ENOENT || error.code == ENODEV { return }
            throw CgroupError.failed("killing the processes of cgroup \(path): \(error)")
        }
        guard gone else { throw CgroupError.populated(path: path, processes: try processes()) }
    }

    /// While frozen, nothing forks and no process id is used again.
    private func killRound() throws -> Bool {
        if try processes().isEmpty { return true }
        let freezer = legacyDirectory("freezer").map { "\($0)/freezer.state" }
        if let freezer { try ControlFile.write(freezer, "FROZEN") }
        // Thawed also where reading fails: nothing may stay frozen with a signal pending.
        defer { if let freezer { try? ControlFile.write(freezer, "THAWED") } }
        for process in try processes() { kill(process, SIGKILL) }
        return false
    }

    /// How often the kernel killed for want of memory here.
    /// - Throws: ``SystemError``.
    public func oomKills() throws -> UInt64 {
        guard let oomFile else { return 0 }
        return Self.value("oom_kill", in: try ControlFile.read(oomFile)) ?? 0
    }

    private func refuseOwn(_ what: String) throws {
        if try processes().contains(getpid()) {
            throw CgroupError.failed("refusing to \(what) cgroup \(path): this process itself is in it")
        }
    }

    /// Of a flat keyed file: lines of `name number`.
    static func value(_ name: String, in text: String) -> UInt64? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == name { return UInt64(words[1]) }
        }
        return nil
    }
}
