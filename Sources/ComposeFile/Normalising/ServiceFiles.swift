/// Folds the env files and label files of services into their variables and labels.
struct ServiceFiles {
    let reporter: Reporter
    let environment: [String: String]
    let reader: any FileReader

    func resolve(_ selection: inout Selection, keepsEnvFiles: Bool) throws(ComposeFileError) {
        var services = selection.services
        for (index, entry) in services.entries.enumerated() {
            guard case .mapping(var service) = entry.value.value,
                service["env_file"] != nil || service["label_file"] != nil
            else { continue }
            if !keepsEnvFiles { try foldEnvironment(&service) }
            try foldLabels(&service)
            services.replaceValue(at: index, with: Node(.mapping(service), at: entry.value.mark))
        }
        selection.services = services
        try reporter.check()
    }

    private func foldEnvironment(_ service: inout Mapping) throws(ComposeFileError) {
        guard let files = service["env_file"]?.sequence else { return }
        var values: [String: String] = [:]
        var result = Mapping()
        for file in files {
            guard let path = file["path"]?.string else { continue }
            let format = file["format"]?.string
            if let format, format != "raw", !format.isEmpty {
                reporter.error(
                    "unsupported env_file format \"\(format)\"", at: file["format"]?.mark ?? file.mark,
                    hint: "raw is known; leave `format` out for the usual one", code: .notAChoice)
                continue
            }
            let bytes: [UInt8]
            do throws(FileFailure) {
                bytes = try reader.read(path, limit: reporter.budget.limits.fileBytes)
            } catch {
                if error.isMissing {
                    if file["required"]?.bool ?? true {
                        reporter.error(
                            "env file \(path) not found", at: file["path"]?.mark ?? file.mark,
                            hint: "\(Advice.file(path, reader)); `required: false` makes it optional",
                            code: .fileNotFound)
                    }
                } else {
                    reporter.error("env file \(path): \(error.text)", at: file.mark, code: .fileUnreadable)
                }
                continue
            }
            // A value can refer to the project's variables first, then to those of the service, of its own file and
            // of the files before.
            var known = environment
            for entry in service["environment"]?.mapping ?? Mapping() where known[entry.key] == nil {
                if let value = entry.value.string { known[entry.key] = value }
            }
            let entries = try EnvFiles.parse(
                bytes, path: path, format: format, earlier: values, environment: known, reporter: reporter,
                reason: .init(message: "used as env_file here", mark: file.mark))
            // What is known is copied for each file.
            try reporter.spend(entries.count + known.count / 16, of: .variables, at: file.mark)
            for entry in entries {
                values[entry.name] = entry.value
                result.set(entry.name, Node(.string(entry.value), at: entry.mark), keyMark: entry.mark)
            }
        }
        for entry in service["environment"]?.mapping ?? Mapping() {
            result.set(entry.key, entry.value, keyMark: entry.keyMark)
        }
        if !result.isEmpty {
            service.set("environment", Node(.mapping(result), at: service["environment"]?.mark ?? .none))
        }
    }

    private func foldLabels(_ service: inout Mapping) throws(ComposeFileError) {
        guard let files = service["label_file"]?.sequence else { return }
        var result = Mapping()
        // Labels are not variables: a value can refer to labels of the files before and of its own only.
        var earlier: [String: String] = [:]
        for file in files {
            guard let path = file.string else { continue }
            let bytes: [UInt8]
            do throws(FileFailure) {
                bytes = try reader.read(path, limit: reporter.budget.limits.fileBytes)
            } catch {
                reporter.error(
                    "label file \(path): \(error.isMissing ? "not found" : error.text)", at: file.mark,
                    hint: error.isMissing ? Advice.file(path, reader) : nil,
                    code: error.isMissing ? .fileNotFound : .fileUnreadable)
                continue
            }
            let entries = try EnvFiles.parse(
                bytes, path: path, earlier: [:], environment: earlier, reporter: reporter,
                reason: .init(message: "used as label_file here", mark: file.mark))
            try reporter.spend(entries.count, of: .variables, at: file.mark)
            for entry in entries {
                result.set(entry.name, Node(.string(entry.value), at: entry.mark), keyMark: entry.mark)
                earlier[entry.name] = entry.value
            }
        }
        for entry in service["labels"]?.mapping ?? Mapping() {
            result.set(entry.key, entry.value, keyMark: entry.keyMark)
        }
        service.remove("label_file")
        if !result.isEmpty { service.set("labels", Node(.mapping(result), at: service["labels"]?.mark ?? .none)) }
    }
}
