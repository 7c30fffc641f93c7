/// The hash of what makes a container of a service what it is.
enum ConfigHash {
    /// Over the service's canonical JSON without build, pull policy, replicas, dependencies and profiles.
    /// What env files set counts, their names do not.
    static func hash(of service: Mapping) -> String {
        var service = service
        for key in ["build", "pull_policy", "scale", "depends_on", "profiles", "env_file"] { service.remove(key) }
        if let node = service["deploy"], case .mapping(var deploy) = node.value {
            deploy.remove("replicas")
            service.set("deploy", Node(.mapping(deploy), at: node.mark))
        }
        let printed = Printer(format: .json, isTyped: true).service(Node(.mapping(service)))
        return SHA256.hexDigest(of: Array(JSONWriter.write(printed, indented: false).utf8))
    }
}
