extension CgroupHandle {
    /// Where the shim puts a container's first process.
    public var placement: CgroupPlacement {
        if layout.mode == .unified, let directory = unifiedDirectory { return .v2(directory: directory) }
        var hierarchies = layout.legacy.map { hierarchy in
            // As it is mounted on the host, so it is called in the container.
            let name = hierarchy.mountPoint.split(separator: "/").last.map(String.init) ?? "cgroup"
            return CgroupHierarchy(name: name, directory: hierarchy.mountPoint + path)
        }
        if let directory = unifiedDirectory {
            hierarchies.append(CgroupHierarchy(name: "unified", directory: directory))
        }
        return .v1(hierarchies)
    }
}
