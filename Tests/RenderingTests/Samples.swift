import ComposeFile
import Foundation
import LinuxSystem
import Orchestration
import Rendering

/// A container as a real one would be observed, at fixed times.
enum Sample {
    static let now = Timestamp(seconds: 1_700_000_000)

    static func container(
        _ name: String = "shop-web-1", service: String = "web", number: Int = 1,
        state: ObservedContainer.State = .running
    ) -> ObservedContainer {
        var spec = ContainerSpec()
        spec.name = name
        spec.image = "nginx:1.25"
        spec.labels = [
            Label.project: "shop", Label.service: service, Label.containerNumber: String(number),
            Label.oneOff: "False",
        ]
        var container = ObservedContainer(
            id: ContainerID(String(repeating: "0123456789abcdef", count: 4)), spec: spec, state: state,
            createdAt: now.seconds - 7300)
        container.command = ["/docker-entrypoint.sh", "nginx", "-g", "daemon off;"]
        container.startedAt = now.seconds - 190
        return container
    }
}

/// A directory that goes with the test, and what logs need in it.
final class Scratch {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "swcompose-rendering-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        mkdir(path, 0o700)
    }

    deinit { try? Files.removeTree(path) }

    var log: String { "\(path)/log" }

    /// Appends as the shim does.
    func append(_ records: String..., to file: String = "log") {
        let descriptor = open("\(path)/\(file)", O_WRONLY | O_CREAT | O_APPEND, 0o644)
        for record in records {
            let line = Array((record + "\n").utf8)
            precondition(write(descriptor, line, line.count) == line.count)
        }
        close(descriptor)
    }

    func rotate() {
        var last = 0
        while Files.exists("\(log).\(last + 1)") { last += 1 }
        for number in stride(from: last, through: 1, by: -1) { rename("\(log).\(number)", "\(log).\(number + 1)") }
        rename(log, "\(log).1")
    }

    /// `second` counts from the epoch.
    static func record(_ text: String, _ second: Int, stream: String = "stdout", newline: Bool = true) -> String {
        let time = Timestamp(nanoseconds: Int64(second) * 1_000_000_000).rfc3339
        return #"{"log":"\#(text)\#(newline ? "\\n" : "")","stream":"\#(stream)","time":"\#(time)"}"#
    }
}

extension LogReader {
    func texts() throws -> [String] {
        var result: [String] = []
        while let line = try next() { result.append(String(decoding: line.text, as: UTF8.self)) }
        return result
    }
}
