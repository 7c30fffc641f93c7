import ComposeFile
import Orchestration

let testImage = ImageSummary(id: "sha256:aaaaaaaaaaaaaaaa")

func service(_ name: String, dependsOn: [String: Dependency] = [:], _ change: (inout Service) -> Void = { _ in })
    -> Service
{
    var service = Service()
    service.name = name
    service.image = "img"
    service.dependsOn = dependsOn
    service.networks = ["default": NetworkAttachment()]
    service.configHash = "hash-\(name)"
    change(&service)
    return service
}

func project(_ services: Service...) -> Project { project(services) }

func project(_ services: [Service]) -> Project {
    var project = Project()
    project.name = "p"
    project.workingDirectory = "/srv/p"
    project.composeFiles = ["/srv/p/compose.yaml"]
    for service in services { project.services[service.name] = service }
    var network = Network()
    network.key = "default"
    network.name = "p_default"
    project.networks["default"] = network
    return project
}

func dependency(
    _ condition: Dependency.Condition = .started, restart: Bool = false, required: Bool = true
) -> Dependency {
    var dependency = Dependency()
    dependency.condition = condition
    dependency.restart = restart
    dependency.required = required
    return dependency
}

func healthcheck(interval: Duration = .seconds(1), retries: Int? = nil) -> Healthcheck {
    var check = Healthcheck()
    check.test = ["CMD", "check"]
    check.interval = interval
    check.retries = retries
    return check
}

func input(_ project: Project, _ observed: ObservedProject = ObservedProject()) -> PlannerInput {
    var input = PlannerInput(project: project, version: "1")
    input.images = ["img": testImage]
    input.observed = observed
    return input
}

/// Everything of a project as it is after an `up` that went well.
func deployed(_ project: Project, scale: [String: Int] = [:], state: ObservedContainer.State = .running) throws
    -> ObservedProject
{
    var observed = ObservedProject()
    for network in project.networks.values {
        let spec = ResourceTranslation.network(network, project: project, version: "1")
        observed.networks.append(ObservedNetwork(name: spec.name, labels: spec.labels))
    }
    for volume in project.volumes.values {
        let spec = ResourceTranslation.volume(volume, project: project, version: "1")
        observed.volumes.append(ObservedVolume(name: spec.name, labels: spec.labels))
    }
    for service in project.services.values.sorted(by: { $0.name < $1.name }) {
        let translation = try ServiceTranslation(service: service, project: project, image: testImage, version: "1")
        for number in 1...max(1, scale[service.name] ?? service.replicas ?? 1) {
            let blueprint = translation.container(number: number)
            observed.containers.append(
                ObservedContainer(id: containerID(blueprint.spec.name), spec: blueprint.spec, state: state))
        }
    }
    return observed
}

/// An id that tells whose it is.
func containerID(_ name: String) -> ContainerID {
    let digits = name.utf8.map { String($0, radix: 16) }.joined()
    return ContainerID(String((digits + String(repeating: "0", count: 64)).prefix(64)))
}
