/// Makes a ``Service`` out of its canonical mapping.
struct ServiceDecoder {
    let name: String

    func decode(_ mapping: Mapping) -> Service {
        let fields = FieldReader(mapping)
        var service = Service()
        service.name = name
        identity(&service, fields)
        lifecycle(&service, fields)
        networking(&service, fields)
        data(&service, fields)
        security(&service, fields)
        resources(&service, fields)
        service.configHash = ConfigHash.hash(of: mapping)
        return service
    }

    private func identity(_ service: inout Service, _ fields: FieldReader) {
        service.image = fields.text("image")
        service.hasBuild = fields.has("build")
        service.command = fields.optionalList("command")
        service.entrypoint = fields.optionalList("entrypoint")
        service.environment = fields.variables("environment")
        service.labels = fields.pairs("labels")
        service.annotations = fields.pairs("annotations")
        service.containerName = fields.text("container_name")
        service.hostname = fields.text("hostname")
        service.domainname = fields.text("domainname")
        service.user = fields.text("user")
        service.groupAdd = fields.list("group_add")
        service.workingDir = fields.text("working_dir")
        service.platform = fields.text("platform")
        service.pullPolicy = fields.text("pull_policy")
        service.`init` = fields.flag("init")
        service.tty = fields.flag("tty") ?? false
        service.stdinOpen = fields.flag("stdin_open") ?? false
        service.privileged = fields.flag("privileged") ?? false
        service.readOnly = fields.flag("read_only") ?? false
    }

    private func lifecycle(_ service: inout Service, _ fields: FieldReader) {
        service.stopSignal = fields.text("stop_signal")
        service.stopGracePeriod = fields.duration("stop_grace_period")
        service.attach = fields.flag("attach") ?? true
        service.profiles = fields.list("profiles")
        let deploy = fields.inner("deploy")
        service.replicas = fields.smallInt("scale") ?? deploy.smallInt("replicas")
        service.restart = restart(fields, deploy.has("restart_policy") ? deploy.inner("restart_policy") : nil)
        for entry in fields.mapping["depends_on"]?.mapping ?? Mapping() {
            let settings = FieldReader(entry.value)
            var dependency = Dependency()
            dependency.condition = settings.text("condition").flatMap(Dependency.Condition.init) ?? .started
            dependency.restart = settings.flag("restart") ?? false
            dependency.required = settings.flag("required") ?? true
            service.dependsOn[entry.key] = dependency
        }
        if fields.has("healthcheck") { service.healthcheck = healthcheck(fields.inner("healthcheck")) }
        service.postStart = fields.nodes("post_start").map(hook)
        service.preStop = fields.nodes("pre_stop").map(hook)
    }

    private func restart(_ fields: FieldReader, _ policy: FieldReader?) -> RestartPolicy? {
        if let policy {
            let condition = policy.text("condition") ?? "any"
            switch condition {
            case "none": return .no
            case "on-failure": return .onFailure(maximumRetries: policy.smallInt("max_attempts"))
            case "any", "always": return .always
            case "unless-stopped": return .unlessStopped
            // As below: refused by name where containers are made.
            default: return nil
            }
        }
        guard let text = fields.text("restart") else { return nil }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        switch (parts[0], parts.count) {
        case ("no", 1): return .no
        case ("always", 1): return .always
        case ("unless-stopped", 1): return .unlessStopped
        case ("on-failure", 1): return .onFailure(maximumRetries: nil)
        case ("on-failure", 2):
            if let count = Int(parts[1]), count >= 0 { return .onFailure(maximumRetries: count) }
        default: break
        }
        // The reference leaves this to the engine, so that its `config` prints it; `up` refuses it there as here.
        return nil
    }

    private func healthcheck(_ fields: FieldReader) -> Healthcheck {
        var check = Healthcheck()
        check.test = fields.optionalList("test")
        check.interval = fields.duration("interval")
        check.timeout = fields.duration("timeout")
        check.retries = fields.smallInt("retries")
        check.startPeriod = fields.duration("start_period")
        check.startInterval = fields.duration("start_interval")
        check.disable = fields.flag("disable") ?? false
        return check
    }

    private func hook(_ node: Node) -> Hook {
        let fields = FieldReader(node)
        var hook = Hook()
        hook.command = fields.list("command")
        hook.user = fields.text("user")
        hook.privileged = fields.flag("privileged") ?? false
        hook.workingDir = fields.text("working_dir")
        hook.environment = fields.variables("environment")
        return hook
    }

    private func networking(_ service: inout Service, _ fields: FieldReader) {
        service.networkMode = fields.text("network_mode")
        for entry in fields.mapping["networks"]?.mapping ?? Mapping() {
            let settings = FieldReader(entry.value)
            var attachment = NetworkAttachment()
            attachment.aliases = settings.list("aliases")
            attachment.ipv4Address = settings.text("ipv4_address")
            attachment.ipv6Address = settings.text("ipv6_address")
            attachment.linkLocalIPs = settings.list("link_local_ips")
            attachment.macAddress = settings.text("mac_address")
            attachment.interfaceName = settings.text("interface_name")
            attachment.driverOptions = settings.pairs("driver_opts")
            attachment.priority = settings.number("priority") ?? 0
            attachment.gatewayPriority = settings.number("gw_priority") ?? 0
            service.networks[entry.key] = attachment
        }
        service.ports = fields.nodes("ports").compactMap(port)
        service.expose = fields.list("expose")
        service.links = fields.list("links")
        service.extraHosts = fields.list("extra_hosts").map(Printer.host)
        service.dns = fields.list("dns")
        service.dnsOptions = fields.list("dns_opt")
        service.dnsSearch = fields.list("dns_search")
        service.macAddress = fields.text("mac_address")
    }

    private func port(_ node: Node) -> Port? {
        let fields = FieldReader(node)
        var port = Port()
        // Others are refused by name where containers are made.
        guard let target = fields.int("target").flatMap({ UInt16(exactly: $0) }), target > 0 else { return nil }
        port.target = target
        port.published = fields.text("published") ?? ""
        port.hostIP = fields.text("host_ip")
        port.protocol = fields.text("protocol") ?? "tcp"
        port.mode = fields.text("mode") ?? "ingress"
        port.name = fields.text("name")
        port.appProtocol = fields.text("app_protocol")
        return port
    }

    private func security(_ service: inout Service, _ fields: FieldReader) {
        service.capAdd = fields.list("cap_add")
        service.capDrop = fields.list("cap_drop")
        service.securityOpt = fields.list("security_opt")
        service.sysctls = fields.pairs("sysctls")
        for entry in fields.mapping["ulimits"]?.mapping ?? Mapping() {
            var limit = Ulimit()
            limit.soft = entry.value.int ?? entry.value["soft"]?.int ?? 0
            limit.hard = entry.value.int ?? entry.value["hard"]?.int ?? 0
            service.ulimits[entry.key] = limit
        }
        service.ipc = fields.text("ipc")
        service.pid = fields.text("pid")
        service.uts = fields.text("uts")
        service.cgroup = fields.text("cgroup")
        service.cgroupParent = fields.text("cgroup_parent")
        service.usernsMode = fields.text("userns_mode")
        service.deviceCgroupRules = fields.list("device_cgroup_rules")
        service.devices = fields.nodes("devices").map { node in
            let fields = FieldReader(node)
            var device = Device()
            device.source = fields.text("source") ?? ""
            device.target = fields.text("target") ?? device.source
            device.permissions = fields.text("permissions") ?? "rwm"
            return device
        }
    }

    private func resources(_ service: inout Service, _ fields: FieldReader) {
        let resources = fields.inner("deploy").inner("resources")
        let limits = resources.inner("limits")
        service.cpus = (limits.number("cpus") ?? fields.number("cpus")).flatMap { $0 == 0 ? nil : $0 }
        service.memLimit = limits.amount("memory") ?? fields.amount("mem_limit")
        service.memReservation = resources.inner("reservations").amount("memory") ?? fields.amount("mem_reservation")
        service.pidsLimit = limits.amount("pids") ?? fields.amount("pids_limit")
        service.memswapLimit = fields.amount("memswap_limit")
        service.cpuset = fields.text("cpuset")
        service.cpuShares = fields.amount("cpu_shares")
        service.cpuQuota = fields.amount("cpu_quota")
        service.cpuPeriod = fields.amount("cpu_period")
        service.oomScoreAdj = fields.smallInt("oom_score_adj")
        service.shmSize = fields.amount("shm_size")
        service.blkioWeight = fields.inner("blkio_config").smallInt("weight")
        let logging = fields.inner("logging")
        service.loggingDriver = logging.text("driver")
        service.loggingOptions = logging.pairs("options")
    }
}
