extension ProjectLoader {
    /// The process' environment with what the env files add to it; the Compose files themselves are not read.
    ///
    /// - Throws: ``ComposeFileError`` for an env file that is missing or malformed.
    public static func environment(_ options: LoadOptions) throws(ComposeFileError) -> [String: String] {
        try Surroundings(options, reporter: Reporter(directory: options.workingDirectory)).environment
    }
}
