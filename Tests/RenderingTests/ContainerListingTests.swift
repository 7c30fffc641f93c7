import Foundation
import Orchestration
import Rendering
import Testing

@Suite struct ContainerListingTests {
    @Test func table() throws {
        var web = Sample.container()
        web.publishers = [
            Publisher(hostIP: "::", published: 8080, target: 80, protocol: "tcp"),
            Publisher(hostIP: "0.0.0.0", published: 8080, target: 80, protocol: "tcp"),
        ]
        web.spec.expose = ["80", "443"]
        var health = HealthRecord()
        health.status = .healthy
        web.health = health
        var db = Sample.container("shop-db-1", service: "db", state: .exited)
        db.spec.image = "postgres"
        db.command = ["postgres"]
        db.exit = ExitRecord(code: 3, finishedAt: Sample.now.seconds - 2)
        let rows = [db, web].map { ContainerRow($0, now: Sample.now, truncate: true) }
        #expect(
            try ContainerListing.render(rows, format: "table") == """
                NAME         IMAGE        COMMAND                  SERVICE   CREATED       STATUS                     PORTS
                shop-db-1    postgres     "postgres"               db        2 hours ago   Exited (3) 2 seconds ago   \n\
                shop-web-1   nginx:1.25   "/docker-entrypoint.…"   web       2 hours ago   Up 3 minutes (healthy)     \
                0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 443/tcp

                """)
        #expect(
            try ContainerListing.render(rows, format: #"{{.Name}}\t{{.State}}"#)
                == "shop-db-1\texited\nshop-web-1\trunning\n")
        #expect(
            try ContainerListing.render(rows, format: #"table {{.Service}}\t{{.RunningFor}}"#)
                == "SERVICE   CREATED\ndb        2 hours ago\nweb       2 hours ago\n")
    }

    @Test func jsonHasEveryKeyOfDockers() throws {
        var container = Sample.container()
        container.publishers = [Publisher(hostIP: "127.0.0.1", published: 49153, target: 80, protocol: "tcp")]
        var volume = ContainerSpec.MountSpec()
        volume.source = .volume("shop_data")
        var bind = ContainerSpec.MountSpec()
        bind.source = .bind("/srv/a/very/long/path")
        container.spec.mounts = [volume, bind]
        var attachment = ContainerSpec.Attachment()
        attachment.network = "shop_default"
        container.spec.networks = [attachment]
        var json = try ContainerListing.render(
            [ContainerRow(container, now: Sample.now, truncate: true)], format: "json")
        // The zone is the machine's.
        let created = try #require(json.range(of: #""CreatedAt":"[^"]*","#, options: .regularExpression))
        json.removeSubrange(created)
        #expect(
            json == #"""
                {"Command":"\"/docker-entrypoint.…\"","ExitCode":0,"Health":"","ID":"0123456789ab","Image":"nginx:1.25",\#
                "Labels":"com.docker.compose.container-number=1,com.docker.compose.oneoff=False,\#
                com.docker.compose.project=shop,com.docker.compose.service=web","LocalVolumes":"1",\#
                "Mounts":"shop_data,/srv/a/very/lo…","Name":"shop-web-1","Names":"shop-web-1","Networks":"shop_default",\#
                "Ports":"127.0.0.1:49153-\u003e80/tcp","Project":"shop","Publishers":[{"URL":"127.0.0.1","TargetPort":80,\#
                "PublishedPort":49153,"Protocol":"tcp"}],"RunningFor":"2 hours ago","Service":"web","Size":"0B",\#
                "State":"running","Status":"Up 3 minutes"}

                """#)
    }

    @Test(arguments: [
        (ObservedContainer.State.created, "Created"), (.running, "Up 3 minutes"), (.paused, "Up 3 minutes (Paused)"),
        (.restarting, "Restarting (137) 5 seconds ago"), (.exited, "Exited (137) 5 seconds ago"), (.dead, "Dead"),
    ])
    func statuses(state: ObservedContainer.State, text: String) {
        var container = Sample.container(state: state)
        container.exit = ExitRecord(code: 137, finishedAt: Sample.now.seconds - 5)
        #expect(ContainerTexts.status(of: container, now: Sample.now) == text)
    }

    @Test(arguments: [
        (HealthRecord.Status.starting, "Up 3 minutes (health: starting)"), (.healthy, "Up 3 minutes (healthy)"),
        (.unhealthy, "Up 3 minutes (unhealthy)"),
    ])
    func healthIsToldWhileItRuns(status: HealthRecord.Status, text: String) {
        var container = Sample.container()
        var health = HealthRecord()
        health.status = status
        container.health = health
        #expect(ContainerTexts.status(of: container, now: Sample.now) == text)
        container.state = .exited
        container.exit = ExitRecord(code: 0, finishedAt: Sample.now.seconds - 60)
        #expect(ContainerTexts.status(of: container, now: Sample.now) == "Exited (0) About a minute ago")
    }

    @Test func portsInARowAreDrawnTogether() {
        func published(_ port: UInt16, _ target: UInt16) -> PortEntry {
            PortEntry(hostIP: "0.0.0.0", published: port, target: target, protocol: "tcp")
        }
        let entries = [
            published(8000, 80), published(8001, 81), published(8002, 82), published(9000, 90),
            PortEntry(hostIP: "", published: 0, target: 53, protocol: "udp"),
        ]
        #expect(PortEntry.text(entries) == "53/udp, 0.0.0.0:8000-8002->80-82/tcp, 0.0.0.0:9000->90/tcp")
    }

    @Test func namesLoseTheProjectOnlyWhereComposeGaveThem() {
        #expect(ContainerTexts.shortName(of: Sample.container()) == "web-1")
        #expect(ContainerTexts.shortName(of: Sample.container("shop_web_1")) == "web_1")
        #expect(ContainerTexts.shortName(of: Sample.container("shop-front")) == "shop-front")
    }

    @Test func projectStatus() {
        #expect(ContainerTexts.combinedStatus([.running, .exited, .running]) == "exited(1), running(2)")
    }
}
