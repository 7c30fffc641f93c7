internal import CLinux
internal import LinuxSystem

/// The process beside a supervisor that starts another when it is killed: `swcompose-shim watch`.
struct Watcher {
    private let process: OwnedDescriptor

    /// This process's parent, where it is one; nil for a supervisor that was started in another way.
    init?() {
        let parent = getppid()
        let descriptor = swc_pidfd_open(parent, 0)
        guard descriptor >= 0 else { return nil }
        process = OwnedDescriptor(descriptor)
        // Asked for only now, when the number cannot become another's any more without the descriptor knowing.
        let words = ((try? Files.read("/proc/\(parent)/cmdline")) ?? []).split(separator: 0)
        guard getppid() == parent, words.count > 1, words[1].elementsEqual("watch".utf8),
            words[0].reversed().starts(with: "swcompose-shim".utf8.reversed())
        else { return nil }
    }

    /// Ends it ahead of this process, so that who waits for the supervisor to go has waited for both.
    func dismiss() { _ = swc_pidfd_send_signal(process.raw, SIGKILL) }
}
