import Foundation
import Synchronization
import Testing

/// A command that runs beside the test, with what it has printed so far.
final class StartedCommand: @unchecked Sendable {
    private let process = Process()
    private let description: String
    private let began = Date()
    private let output = Mutex((stdout: Data(), stderr: Data()))
    private let closed = DispatchGroup()

    init(_ command: [String], in directory: URL?, environment: [String: String]) throws {
        description = command.joined(separator: " ")
        process.executableURL = URL(fileURLWithPath: command[0].contains("/") ? command[0] : "/usr/bin/env")
        process.arguments = command[0].contains("/") ? Array(command.dropFirst()) : command
        process.currentDirectoryURL = directory
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        let out = Pipe()
        let err = Pipe()
        process.standardOutput = out
        process.standardError = err
        collect(out) { $0.stdout.append($1) }
        collect(err) { $0.stderr.append($1) }
        try process.run()
    }

    private func collect(_ pipe: Pipe, _ store: @escaping @Sendable (inout (stdout: Data, stderr: Data), Data) -> Void)
    {
        closed.enter()
        pipe.fileHandleForReading.readabilityHandler = { [self] handle in
            let data = handle.availableData
            if data.isEmpty {
                handle.readabilityHandler = nil
                closed.leave()
            } else {
                output.withLock { store(&$0, data) }
            }
        }
    }

    var stdout: String { output.withLock { String(decoding: $0.stdout, as: UTF8.self) } }
    var stderr: String { output.withLock { String(decoding: $0.stderr, as: UTF8.self) } }
    var pid: Int32 { process.processIdentifier }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for its end; kills it and fails after `timeout` seconds.
    func outcome(timeout: Double = 60) throws -> Outcome {
        let deadline = Date().addingTimeInterval(timeout)
        while process.isRunning {
            if Date() > deadline {
                kill(process.processIdentifier, SIGKILL)
                process.waitUntilExit()
                throw TimedOut(command: description, stdout: stdout, stderr: stderr)
            }
            usleep(2_000)
        }
        // A process that it left behind may hold the pipes open: their content counts, their end does not.
        _ = closed.wait(timeout: .now() + 1)
        let status =
            process.terminationReason == .uncaughtSignal
            ? 128 + process.terminationStatus : process.terminationStatus
        return Outcome(
            command: description, status: status, stdout: stdout, stderr: stderr,
            seconds: Date().timeIntervalSince(began))
    }

    struct TimedOut: Error, CustomStringConvertible {
        let command: String
        let stdout: String
        let stderr: String
        var description: String { "timed out: \(command)\n--- stdout\n\(stdout)\n--- stderr\n\(stderr)" }
    }
}
