import Glibc
import Testing

@testable import ComposeFile

/// A directory of its own for each test, removed at the end.
final class Workspace {
    let path: String

    init(_ files: [String: String] = [:]) {
        var template = Array("/tmp/composefile-tests-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
        for (name, text) in files { write(name, text) }
    }

    deinit { remove(path) }

    func write(_ name: String, _ text: String) {
        var directory = path
        for part in name.split(separator: "/").dropLast() {
            directory += "/" + part
            mkdir(directory, 0o755)
        }
        let descriptor = open(path + "/" + name, O_CREAT | O_WRONLY | O_TRUNC, 0o644)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        precondition(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
    }

    private func remove(_ path: String) {
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { remove(path + "/" + name) }
            }
            closedir(directory)
            rmdir(path)
        } else {
            unlink(path)
        }
    }

    func load(
        _ files: [String] = [], environment: [String: String] = [:], _ change: (inout LoadOptions) -> Void = { _ in }
    ) throws -> LoadedProject {
        var options = LoadOptions(environment: environment, workingDirectory: path)
        options.files = files
        options.projectName = "p"
        change(&options)
        return try ProjectLoader.load(options)
    }
}

/// Loads one file with the given text.
func load(_ text: String, environment: [String: String] = [:]) throws -> LoadedProject {
    try Workspace(["compose.yaml": text]).load(environment: environment)
}

/// The rendered diagnostics of a file that must be refused.
func errors(_ text: String, environment: [String: String] = [:]) -> [Diagnostic] {
    do {
        _ = try load(text, environment: environment)
        return []
    } catch let error as ComposeFileError {
        return error.diagnostics
    } catch {
        return []
    }
}
