import Foundation

/// What of a project is still on the host, found without asking the program under test.
enum Leftovers {
    static func of(project: String) -> [String] {
        var found: [String] = []
        let processes = try? Scenario.execute(["ps", "-eo", "pid,args"])
        for line in processes?.lines ?? [] where line.contains(project) && line.contains("swcompose") {
            found.append("process \(line)")
        }
        let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        for line in mounts.split(separator: "\n") where line.contains(project) { found.append("mount \(line)") }
        let tables = try? Scenario.execute(["nft", "list", "tables"])
        for line in tables?.lines ?? [] where line.contains(project) { found.append("nft \(line)") }
        for root in [Scenario.dataRoot, Scenario.runRoot] {
            let files = FileManager.default.enumerator(atPath: root)
            while let path = files?.nextObject() as? String {
                if path.hasPrefix("layers/") || path.hasPrefix("images/") {
                    files?.skipDescendants()
                    continue
                }
                if path.contains(project) { found.append("file \(root)/\(path)") }
            }
        }
        return found
    }

    /// Interfaces, cgroups and the like whose names do not show the project: counted before and after.
    static func anonymous() -> Set<String> {
        var found: Set<String> = []
        for line in (try? Scenario.execute(["ip", "-o", "link"]))?.lines ?? [] {
            let name = line.split(separator: ":")[1].trimmingCharacters(in: .whitespaces)
            if name.hasPrefix("swc") { found.insert("link \(name.split(separator: "@")[0])") }
        }
        for line
            in (try? Scenario.execute([
                "find", "/sys/fs/cgroup", "-maxdepth", "4", "-type", "d", "-path", "*swcompose/*",
            ]))?.lines ?? []
        {
            found.insert("cgroup \(line)")
        }
        return found
    }
}
