internal import CLinux
internal import LinuxSystem

/// The process beside a supervisor that starts another when it is killed: `swcompose-shim watch`.
struct Watcher {
    private let process: OwnedDescriptor

    /// - Parameter number: its process id.
    /// - Returns: nil where that is no watcher of the project (any more).
    init?(_ number: pid_t, project: String) {
        let descriptor = swc_pidfd_open(number, 0)
        guard descriptor >= 0 else { return nil }
        process = OwnedDescriptor(descriptor)
        // Asked for only now: the descriptor is of the process that has this command line, or of one that has ended.
        let words = ((try? Files.read("/proc/\(number)/cmdline")) ?? []).split(separator: 0)
        guard words.count == 4, words[1].elementsEqual("watch".utf8), words[3].elementsEqual(project.utf8) else {
            return nil
        }
    }

    /// This process's parent, where it is one; nil for a supervisor that was started in another way. Recorded in `file`
    /// for the supervisors to come. One that is recorded there from before waits to start what is here already: it is
    /// dismissed.
    static func take(over file: String, project: String) -> Watcher? {
        let parent = getppid()
        let recorded = (try? ControlFile.read(file)).flatMap { pid_t($0) }
        if let recorded, recorded != parent { Watcher(recorded, project: project)?.dismiss() }
        guard let watcher = Watcher(parent, project: project), getppid() == parent else { return nil }
        // Without the record, or with half of it, a watcher may outstay its project by some seconds, and no more. In place:
        // a supervisor that is killed meanwhile leaves no file of another name.
        if let record = try? OwnedDescriptor.open(file, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600) {
            try? Files.writeAll(record.raw, Array("\(parent)\n".utf8))
        }
        return watcher
    }

    /// Ends it ahead of this process, so that who waits for the supervisor to go has waited for both.
    func dismiss() { _ = swc_pidfd_send_signal(process.raw, SIGKILL) }
}
