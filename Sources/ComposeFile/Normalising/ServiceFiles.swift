/// Folds the env files and label files of services into their variables and labels.
struct ServiceFiles {
    let reporter: Reporter
    let environment: [String: String]

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
                    hint: "raw is known; leave `format` out for the usual one")
                continue
            }
            let bytes: [UInt8]
            do throws(FileReader.Failure) {
                bytes = try FileReader.read(path)
            } catch {
                if error.isMissing {
                    if file["required"]?.bool ?? true {
                        reporter.error(
                            "env file \(path) not found", at: file.mark, hint: "required: false makes it optional")
                    }
                } else {
                    reporter.error("env file \(path): \(error.text)", at: file.mark)
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
                bytes, path: path, format: format, earlier: values, environment: known, reporter: reporter)
            for (name, value) in entries {
                values[name] = value
                result.set(name, Node(.string(value), at: file.mark))
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
            do throws(FileReader.Failure) {
                bytes = try FileReader.read(path)
            } catch {
                reporter.error("label file \(path): \(error.isMissing ? "not found" : error.text)", at: file.mark)
                continue
            }
            let entries = try EnvFiles.parse(
                bytes, path: path, earlier: [:], environment: earlier, reporter: reporter)
            for (name, value) in entries {
                result.set(name, Node(.string(value), at: file.mark))
                earlier[name] = value
            }
        }
        for entry in service["labels"]?.mapping ?? Mapping() {
            result.set(entry.key, entry.value, keyMark: entry.keyMark)
        }
        service.remove("label_file")
        if !result.isEmpty { service.set("labels", Node(.mapping(result), at: service["labels"]?.mark ?? .none)) }
    }
}
