extension Linter {
    mutating func checkImages() {
        for entry in services {
            if let image = entry.value["image"], let text = image.string, entry.value["build"] == nil {
                pin(entry.key, image, text)
            }
            checkContainerName(entry)
        }
    }

    private mutating func pin(_ service: String, _ image: Node, _ text: String) {
        let name = ImageName(text)
        guard !text.isEmpty, !name.hasDigest, name.tag == nil || name.tag == "latest" else { return }
        let what = name.tag == nil ? "has no tag, which means `latest`" : "has the tag `latest`"
        tell(
            .unpinnedImage, "the image of service \"\(service)\" \(what): another day it is another image",
            at: image.mark, hint: "name a version, such as `\(name.base):1.2`, or a digest")
    }

    private mutating func checkContainerName(_ entry: Mapping.Entry) {
        guard let name = entry.value["container_name"], let text = name.string,
            let replicas = entry.value["scale"] ?? entry.value["deploy"]?["replicas"]
        else { return }
        tell(
            .containerNameWithReplicas,
            "service \"\(entry.key)\" has the container name \"\(text)\" and a number of replicas: it can never have more "
                + "than one",
            at: name.mark, hint: "remove container_name: containers are then numbered",
            notes: [.init(message: "the number is here", mark: replicas.mark)])
    }

    mutating func checkFiles() {
        let directory = record.surroundings?.projectDirectory ?? options.workingDirectory
        for entry in services {
            for mount in entry.value["volumes"]?.sequence ?? [] where mount["type"]?.string == "bind" {
                guard let source = mount["source"]?.string, source.hasPrefix(directory + "/"),
                    !options.reader.exists(source)
                else { continue }
                let shown = Paths.relative(source, to: directory)
                tell(
                    .missingBindSource,
                    "service \"\(entry.key)\" binds ./\(shown), which does not exist: an empty directory is made there",
                    at: mount.mark, hint: "create it first, or correct the path; \(Advice.file(source, options.reader))"
                )
            }
        }
        for section in ["secrets", "configs"] {
            for entry in record.tree[section]?.mapping ?? Mapping() {
                guard let file = entry.value["file"], let path = file.string, Paths.isAbsolute(path),
                    !options.reader.exists(path)
                else { continue }
                tell(
                    .missingSourceFile, "the file of \(section.dropLast()) \"\(entry.key)\" does not exist: \(path)",
                    at: file.mark, hint: Advice.file(path, options.reader))
            }
        }
    }

    mutating func checkUnused() {
        var used: [String: Set<String>] = ["networks": ["default"]]
        for entry in services {
            let service = entry.value
            for network in service["networks"]?.mapping ?? Mapping() {
                used["networks", default: []].insert(network.key)
            }
            for mount in service["volumes"]?.sequence ?? [] where mount["type"]?.string == "volume" {
                if let source = mount["source"]?.string { used["volumes", default: []].insert(source) }
            }
            for section in ["secrets", "configs"] {
                let inBuild = section == "secrets" ? service["build"]?["secrets"]?.sequence ?? [] : []
                for use in (service[section]?.sequence ?? []) + inBuild {
                    if let source = use["source"]?.string { used[section, default: []].insert(source) }
                }
            }
        }
        let sections: [(String, String, LintRule, String)] = [
            ("networks", "network", .unusedNetwork, "joins"), ("volumes", "volume", .unusedVolume, "mounts"),
            ("secrets", "secret", .unusedSecret, "uses"), ("configs", "config", .unusedConfig, "uses"),
        ]
        for (section, kind, rule, verb) in sections {
            for entry in record.tree[section]?.mapping ?? Mapping() where used[section]?.contains(entry.key) != true {
                tell(
                    rule, "no service \(verb) the \(kind) \"\(entry.key)\"", at: entry.keyMark,
                    hint: "remove it, or name it in a service")
            }
        }
    }
}
