internal import CLinux
internal import Glibc
internal import LinuxSystem
internal import LocalEngine
internal import Rendering
internal import SystemPackage

/// Between this terminal and the one of a process in a container: keys in, output out, sizes along.
struct TerminalRelay {
    private let exec: ExecSession

    init(_ exec: ExecSession) { self.exec = exec }

    /// - Returns: the process's exit code, when that has ended and its last output was written.
    /// - Throws: ``SystemError``.
    func run(forwardInput: Bool) throws -> Int32 {
        guard let master = exec.ptyMaster else { return exec.wait() }
        let raw = forwardInput ? RawTerminal(0) : nil
        defer { raw?.restore() }
        let (resized, resizes) = try OwnedDescriptor.pipe()
        HostSignals.ring([SIGWINCH], resizes)
        adoptSize()
        try pump(master, forwardInput, resized)
        return exec.wait()
    }

    private func adoptSize() {
        if let size = Terminal.size(1) {
            exec.resize(rows: UInt16(clamping: size.rows), cols: UInt16(clamping: size.columns))
        }
    }

    private func pump(_ master: OwnedDescriptor, _ forwardInput: Bool, _ resized: OwnedDescriptor) throws {
        let output = OutputBuffer(1)
        var chunk = [UInt8](repeating: 0, count: 32 * 1024)
        var waits = [
            pollfd(fd: master.raw, events: Int16(POLLIN), revents: 0),
            pollfd(fd: resized.raw, events: Int16(POLLIN), revents: 0),
            pollfd(fd: forwardInput ? 0 : -1, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            try check("poll") { poll(&waits, nfds_t(waits.count), -1) }
            if waits[1].revents != 0 {
                _ = read(resized.raw, &chunk, chunk.count)
                adoptSize()
            }
            if waits[2].revents != 0 {
                let count = read(0, &chunk, chunk.count)
                if count > 0 {
                    try Files.writeAll(master.raw, chunk[0..<count], subject: "the container's terminal")
                } else {
                    // Nothing more will be typed: wait for the process alone.
                    waits[2].fd = -1
                }
            }
            if waits[0].revents != 0 {
                // When the last process has closed its side, the kernel says EIO.
                let count = read(master.raw, &chunk, chunk.count)
                guard count > 0 else { return }
                output.write(chunk[0..<count])
                output.flush()
            }
        }
    }
}
