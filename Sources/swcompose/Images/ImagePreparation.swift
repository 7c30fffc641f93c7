internal import ComposeFile
internal import Images
internal import OCI
internal import Orchestration
internal import Rendering

/// Before anything is touched: every image that is going to be needed is here, or is pulled.
struct ImagePreparation {
    let session: Session
    let project: Project
    /// `--pull`, in place of each service's own policy.
    let policy: PullPolicy?
    /// `--quiet-pull`
    let quiet: Bool

    private struct Need {
        var image: String
        var service: Service
        var isHere: Bool
    }

    /// - Parameter services: names of those that are going to be created.
    /// - Throws: ``Failure`` that names every service whose image is missing, and what to do.
    func run(services: Set<String>) async throws {
        let store = ImageStore(paths: session.paths)
        var missing: [Need] = []
        var pulls: [Need] = []
        for name in services.sorted() {
            guard let service = project.services[name], (service.replicas ?? 1) > 0 else { continue }
            let image = service.image ?? "\(project.name)-\(name)"
            let found = try store.resolve(image)
            let wanted = try service.platform.map { try ImagePlatform(parsing: $0) }
            let fits = found.map { found in wanted?.accepts(found.platform) ?? true } ?? false
            let need = Need(image: image, service: service, isHere: fits)
            if try isToBePulled(need, store) {
                if !pulls.contains(where: { $0.image == image && $0.service.platform == service.platform }) {
                    pulls.append(need)
                }
            } else if !fits {
                missing.append(need)
            }
        }
        // What is missing for certain is said before hours of downloads.
        if !missing.isEmpty { throw Failure(missing.map(message).joined(separator: "\n")) }
        if !pulls.isEmpty { try await pull(pulls) }
    }

    private func isToBePulled(_ need: Need, _ store: ImageStore) throws -> Bool {
        // An image that is to be built here has no registry, unless it says so.
        guard need.service.image != nil, Self.isName(need.image) else { return false }
        let own = need.service.pullPolicy.flatMap(PullPolicy.init) ?? .missing
        let age = try store.taggedAt(need.image).map { HostClock.now().seconds - $0 }
        return (policy ?? own).pulls(isHere: need.isHere, age: age)
    }

    private func pull(_ needs: [Need]) async throws {
        let display = quiet ? ProgressDisplay(mode: .quiet) : session.display("Pulling")
        defer { display.close() }
        let failures = try await ImageTransfer.run(
            environment: session.environment, paths: session.paths, display: display
        ) { transfer in
            await withTaskGroup(of: (Int, String)?.self) { group in
                for (index, need) in needs.enumerated() {
                    let (image, platform) = (need.image, need.service.platform)
                    group.addTask {
                        do {
                            try await transfer.pull(image, platform: platform)
                            return nil
                        } catch { return (index, String(describing: error)) }
                    }
                }
                return await group.reduce(into: [(Int, String)]()) { if let failure = $1 { $0.append(failure) } }
            }
        }
        display.close()
        let texts = failures.sorted { $0.0 < $1.0 }.map { index, reason in
            let need = needs[index]
            let matter = "service \"\(need.service.name)\": \(reason)"
            return need.service.hasBuild ? "\(matter); building it is not done yet" : matter
        }
        if !texts.isEmpty { throw Failure(texts.joined(separator: "\n")) }
    }

    /// An image ID is a name for what is here, and for nothing elsewhere.
    private static func isName(_ image: String) -> Bool {
        !image.hasPrefix("sha256:") && (try? ImageReference(image)) != nil
    }

    private func message(_ need: Need) -> String {
        let matter = "service \"\(need.service.name)\": no such image: \(need.image)"
        let remedy =
            "put it into the local store with \"swcompose image import TARBALL \(need.image)\" "
            + "or \"swcompose image load -i ARCHIVE\""
        if need.service.hasBuild { return "\(matter); building is not done yet: \(remedy)" }
        if policy == .never { return "\(matter), and --pull is never: \(remedy)" }
        if let own = need.service.pullPolicy { return "\(matter), and its pull_policy is \(own): \(remedy)" }
        return "\(matter): \(remedy)"
    }
}
