import ComposeFile
import Testing

@testable import Orchestration

@Suite("Services become containers")
struct TranslationTests {
    private func spec(_ service: Service, image: ImageSummary = testImage, in base: Project? = nil) throws
        -> ContainerSpec
    {
        try ServiceTranslation(
            service: service, project: base ?? project(service), image: image, version: "1"
        ).container(number: 2).spec
    }

    @Test func namesAndLabels() throws {
        let web = service("web", dependsOn: ["db": dependency(.healthy), "a": dependency(restart: true)]) {
            $0.labels = ["x": "y"]
        }
        let spec = try spec(web)
        #expect(spec.name == "p-web-2")
        #expect(
            spec.labels == [
                "x": "y",
                "com.docker.compose.project": "p",
                "com.docker.compose.service": "web",
                "com.docker.compose.container-number": "2",
                "com.docker.compose.oneoff": "False",
                "com.docker.compose.config-hash": "hash-web",
                "com.docker.compose.image": testImage.id,
                "com.docker.compose.depends_on": "a:service_started:true,db:service_healthy:false",
                "com.docker.compose.version": "1",
                "com.docker.compose.project.config_files": "/srv/p/compose.yaml",
                "com.docker.compose.project.working_dir": "/srv/p",
            ])
        let compatible = try ServiceTranslation(
            service: web, project: project(web), image: testImage, version: "1", compatibilityNames: true)
        #expect(compatible.containerName(number: 1) == "p_web_1")
        #expect(try self.spec(service("web") { $0.containerName = "mine" }).name == "mine")
    }

    @Test func networksByPriorityThenName() throws {
        var attachments: [String: NetworkAttachment] = [:]
        for (key, priority) in [("b", 0.0), ("a", 0), ("z", 10)] {
            attachments[key] = NetworkAttachment()
            attachments[key]?.priority = priority
        }
        attachments["z"]?.aliases = ["front", "web"]
        let web = service("web") {
            $0.networks = attachments
            $0.macAddress = "02:00:00:00:00:01"
        }
        var base = project(web)
        for key in attachments.keys {
            base.networks[key] = Network()
            base.networks[key]?.name = "p_\(key)"
        }
        let spec = try spec(web, in: base)
        #expect(spec.networks.map(\.network) == ["p_z", "p_a", "p_b"])
        #expect(spec.networks[0].aliases == ["p-web-2", "web", "front"])
        #expect(spec.networks[0].macAddress == "02:00:00:00:00:01")
        #expect(spec.networks[1].aliases == ["p-web-2", "web"])
        #expect(spec.networks[1].macAddress == nil)
    }

    @Test func mounts() throws {
        func mount(_ kind: Mount.Kind, _ source: String?, _ target: String) -> Mount {
            var mount = Mount()
            mount.kind = kind
            mount.source = source
            mount.target = target
            return mount
        }
        let web = service("web") {
            $0.volumes = [mount(.volume, "data", "/data"), mount(.bind, "/etc", "/host"), mount(.volume, nil, "/own")]
            $0.tmpfs = ["/tmp:size=1m,mode=700"]
        }
        var base = project(web)
        base.volumes["data"] = Volume()
        base.volumes["data"]?.name = "shared"
        let mounts = try spec(web, image: ImageSummary(id: "i", volumes: ["/var/lib", "/data"]), in: base).mounts
        #expect(mounts.map(\.target) == ["/data", "/host", "/own", "/tmp", "/var/lib"])
        #expect(
            mounts.map(\.source) == [
                .volume("shared"), .bind("/etc"), .anonymous(carriedOver: nil), .tmpfs, .anonymous(carriedOver: nil),
            ])
        #expect(mounts[3].tmpfsOptions == ["size=1m", "mode=700"])
        #expect(throws: Failure.self) { try spec(service("web") { $0.volumes = [mount(.npipe, "x", "/x")] }) }
    }

    @Test func referencesAreFilledInLater() throws {
        let app = service("app") {
            $0.networks = [:]
            $0.networkMode = "service:vpn"
            $0.pid = "service:vpn"
            $0.volumesFrom = ["container:other:ro", "db:ro", "cache"]
        }
        var blueprint = try ServiceTranslation(
            service: app, project: project(app), image: testImage, version: "1"
        ).container(number: 1)
        #expect(blueprint.references.map(\.service) == ["vpn", "vpn", "db", "cache"])
        for index in blueprint.references.indices {
            let name = blueprint.references[index].service
            blueprint.references[index].target = ContainerTarget(
                .existing(ContainerID("id-\(name)")), name: name, service: name, number: 1)
        }
        let spec = try blueprint.resolved {
            if case .existing(let id) = $0.identity { return id }
            throw Failure("")
        }
        #expect(spec.networkMode == "container:id-vpn")
        #expect(spec.pid == "container:id-vpn")
        #expect(
            spec.volumesFrom == [
                .init(container: ContainerID("other"), readOnly: true),
                .init(container: ContainerID("id-db"), readOnly: true),
                .init(container: ContainerID("id-cache"), readOnly: false),
            ])
        #expect(
            blueprint.recordedReferences(in: spec).compactMap { $0?.value } == [
                "id-vpn", "id-vpn", "id-db", "id-cache",
            ])
    }

    @Test func healthChecksMergeByField() throws {
        var image = Healthcheck()
        image.test = ["CMD", "true"]
        image.interval = .seconds(3)
        image.retries = 7
        var own = Healthcheck()
        own.retries = 1
        let merged = try #require(HealthSchedule(HealthSchedule.merge(own, over: image)))
        #expect(merged.argv == ["true"])
        #expect(merged.interval == .seconds(3))
        #expect(merged.retries == 1)
        #expect(merged.timeout == .seconds(30))
        #expect(merged.startInterval == .seconds(5))
        own.disable = true
        #expect(HealthSchedule.merge(own, over: image) == nil)
        #expect(HealthSchedule.merge(nil, over: image) == image)
        own = Healthcheck()
        own.test = ["NONE"]
        #expect(HealthSchedule.merge(own, over: image) == nil)
        own.test = ["CMD-SHELL", "a && b"]
        #expect(HealthSchedule(own)?.argv == ["/bin/sh", "-c", "a && b"])
    }

    @Test func links() throws {
        let web = service("web", dependsOn: ["db": dependency()]) { $0.links = ["db:database"] }
        let plan = try Planner.up(input(project(web, service("db") { $0.replicas = 2 })))
        let specs = plan.operations.compactMap { operation -> ContainerSpec? in
            if case .create(let blueprint) = operation.kind { return blueprint.spec }
            return nil
        }
        let names = ["p-db-1", "p-db-2"]
        #expect(specs.last?.links == ["db": names, "database": names])
    }
}
