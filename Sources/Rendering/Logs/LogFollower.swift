internal import CLinux
internal import LinuxSystem
internal import Synchronization

/// Prints the logs of containers as they are written, on a thread of its own that sleeps until the kernel says that
/// a log has grown. Containers may be added at any time.
public final class LogFollower: Sendable {
    private enum Command {
        case add(id: String, name: String, path: String, selection: LogSelection)
        case finished(id: String, status: String?)
        case stop
    }

    private let commands = Mutex<[Command]>([])
    private let bell: OwnedDescriptor
    private let thread = BlockingPool(limit: 1)
    private let printer: Printer

    /// The printer is handed over: only the follower's thread uses it from now on.
    private struct Printer: @unchecked Sendable { let printer: LogPrinter }

    public init(printer: sending LogPrinter) throws {
        self.printer = Printer(printer: printer)
        bell = OwnedDescriptor(try check("eventfd") { eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK)) })
    }

    /// Follows the log at `path`, and first prints what `selection` has of it. Adding a container again is for one
    /// that was started again: its log goes on where it was.
    public func add(id: String, name: String, path: String, selection: LogSelection) {
        send(.add(id: id, name: name, path: path, selection: selection))
    }

    /// The container has exited: prints all it has left to say, then `status` where there is one.
    public func finished(id: String, status: String?) { send(.finished(id: id, status: status)) }

    /// Ends ``run()`` after everything was printed that was written by now.
    public func stop() { send(.stop) }

    private func send(_ command: Command) {
        commands.withLock { $0.append(command) }
        eventfd_write(bell.raw, 1)
    }

    /// Returns after ``stop()``.
    /// - Throws: ``SystemError``.
    public func run() async throws {
        try await thread.run { [self] in try loop() }
    }

    private func loop() throws {
        let notify = OwnedDescriptor(
            try check("inotify_init1") { inotify_init1(CInt(IN_CLOEXEC) | CInt(IN_NONBLOCK)) })
        var session = Session(printer: printer.printer, notify: notify.raw)
        while true {
            var ring = eventfd_t()
            eventfd_read(bell.raw, &ring)
            for command in commands.withLock({ commands in
                defer { commands = [] }
                return commands
            }) {
                switch command {
                case .add(let id, let name, let path, let selection):
                    try session.add(id: id, name: name, path: path, selection: selection)
                case .finished(let id, let status): try session.finish(id: id, status: status)
                case .stop:
                    try session.finishAll()
                    return
                }
            }
            try session.printNews()
            var waits = [
                pollfd(fd: notify.raw, events: Int16(POLLIN), revents: 0),
                pollfd(fd: bell.raw, events: Int16(POLLIN), revents: 0),
            ]
            try check("poll") { poll(&waits, 2, -1) }
            session.drainNotifications()
        }
    }

    /// What only the thread knows.
    private struct Session {
        struct Source {
            var name: String
            var reader: LogReader
        }
        let printer: LogPrinter
        let notify: Int32
        var sources: [String: Source] = [:]
        var watched: Set<String> = []

        mutating func add(id: String, name: String, path: String, selection: LogSelection) throws {
            printer.register(name)
            guard sources[id] == nil else { return }
            // The directory, not the file: rotation and the first line make new files.
            let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            if watched.insert(directory).inserted {
                let mask = UInt32(IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR)
                try check("inotify_add_watch", directory) { inotify_add_watch(notify, directory, mask) }
            }
            sources[id] = Source(name: name, reader: LogReader(path: path, selection: selection))
        }

        mutating func finish(id: String, status: String?) throws {
            try printNews()
            guard let source = sources[id] else { return }
            for line in source.reader.remainder() { printer.print(line, of: source.name) }
            if let status { printer.status(status, of: source.name) }
            printer.flush()
        }

        mutating func finishAll() throws {
            try printNews()
            for source in sources.values.sorted(by: { $0.name < $1.name }) {
                for line in source.reader.remainder() { printer.print(line, of: source.name) }
            }
            printer.flush()
        }

        /// Everything written since the last time, all logs together in the order of time.
        mutating func printNews() throws {
            var merger = LogMerger<String>()
            for source in sources.values.sorted(by: { $0.name < $1.name }) { merger.add(source.name, source.reader) }
            try merger.drain { printer.print($1, of: $0) }
            printer.flush()
        }

        func drainNotifications() {
            var buffer = [UInt8](repeating: 0, count: 16 * 1024)
            while read(notify, &buffer, buffer.count) > 0 {}
        }
    }
}
