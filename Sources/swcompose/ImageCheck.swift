internal import ComposeFile
internal import Images
internal import LinuxSystem
internal import Orchestration

/// Before anything is touched: every image that is going to be needed must be here.
enum ImageCheck {
    /// - Parameter services: names of those that are going to be created.
    /// - Throws: ``Failure`` that names every service whose image is missing, and what to do.
    static func run(_ project: Project, services: Set<String>, paths: HostPaths) throws {
        let store = ImageStore(paths: paths)
        var known: [String: Bool] = [:]
        var problems: [String] = []
        for name in services.sorted() {
            guard let service = project.services[name], (service.replicas ?? 1) > 0 else { continue }
            let image = service.image ?? "\(project.name)-\(name)"
            if known[image] == nil { known[image] = try store.resolve(image) != nil }
            if !known[image]! { problems.append(message(service, image)) }
        }
        if !problems.isEmpty { throw Failure(problems.joined(separator: "\n")) }
    }

    private static func message(_ service: Service, _ image: String) -> String {
        let matter = "service \"\(service.name)\": no such image: \(image)"
        let remedy =
            "put it into the local store with \"swcompose image import TARBALL \(image)\" "
            + "or \"swcompose image load -i ARCHIVE\""
        if service.hasBuild { return "\(matter); building is not done yet: \(remedy)" }
        if service.pullPolicy == "never" { return "\(matter), and its pull_policy is never: \(remedy)" }
        let policy = service.pullPolicy.map { " (pull_policy: \($0))" } ?? ""
        return "\(matter); pulling is not done yet\(policy): \(remedy)"
    }
}
