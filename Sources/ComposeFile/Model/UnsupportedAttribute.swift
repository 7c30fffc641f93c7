/// An attribute that is valid and printed by `config`, but that the runtime cannot do: containers are refused
/// by its name.
public struct UnsupportedAttribute: Codable, Sendable, Equatable {
    /// `services.web.gpus`
    public var path: String
    /// The service it belongs to; nil for networks, volumes and so on.
    public var service: String?
    public var file: String
    public var line: Int
    public var column: Int
    /// `services.web.gpus needs a GPU runtime, which is not there`
    public var message: String

    public init(path: String, service: String?, file: String, line: Int, column: Int, message: String) {
        self.path = path
        self.service = service
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    /// With the line of the file, where that can still be read.
    ///
    /// - Parameters:
    ///   - directory: what ``file`` is relative to, if it is; empty: the working directory of the process.
    ///   - reader: what the file was read with.
    public func diagnostic(in directory: String = "", reader: any FileReader = HostFiles()) -> Diagnostic {
        var source: String?
        let path = Paths.join(directory, file)
        if line > 0, !file.isEmpty, let bytes = try? reader.read(path, limit: LoadLimits().fileBytes) {
            source = SourceSet.line(Int32(clamping: line), of: bytes)
        }
        return Diagnostic(
            severity: .error, code: DiagnosticCode.unsupportedAttribute.rawValue, message: message,
            file: file.isEmpty ? nil : file, line: line, column: column, source: source)
    }
}
