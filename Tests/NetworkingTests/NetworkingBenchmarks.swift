import CLinux
import LinuxSystem
import TestSupport
import Testing

@testable import Networking

extension PrivilegedTests {
    /// What the design promises of speed; bounds are wide, for slow machines. Run with SWCOMPOSE_BENCHMARK=1 to have the
    /// numbers printed.
    @Suite @BlockingTests struct NetworkingBenchmarks {
        static let isVerbose = getenv("SWCOMPOSE_BENCHMARK") != nil

        static func milliseconds(_ body: () throws -> Void) rethrows -> Double {
            let time = try ContinuousClock().measure(body)
            return Double(time.components.seconds) * 1000 + Double(time.components.attoseconds) / 1e15
        }

        static func report(_ what: String, _ samples: [Double], bound: Double) {
            let sorted = samples.sorted()
            let median = sorted[sorted.count / 2]
            if isVerbose {
                let line =
                    "Bench \(what): median \(median) ms, least \(sorted[0]), most \(sorted.last!) of \(sorted.count)\n"
                try? Files.writeAll(2, Array(line.utf8))
            }
            #expect(median < bound, "\(what)")
        }

        @Test func costs() throws {
            try withPrivateHost { networks, _ in
                let manager = NetworkManager(paths: networks.paths)
                var record: NetworkRecord!
                let create = try Self.milliseconds { record = try manager.create(NetworkRequest(name: "n")) }
                Self.report("create a network", [create], bound: 500)
                let pids = try (0..<120).map { _ in try networks.makeContainer() }
                var attach: [Double] = []
                var kept: [AttachResult] = []
                for (index, pid) in pids.enumerated() {
                    attach.append(
                        try Self.milliseconds {
                            kept.append(
                                try manager.attach(
                                    AttachRequest(
                                        containerID: "c\(index)", pid: pid, interfaces: [.init(network: "n")],
                                        dns: index < 60)))
                        })
                }
                Self.report("attach with DNS", Array(attach[0..<60]), bound: 100)
                Self.report("attach without DNS", Array(attach[60...]), bound: 100)
                let firewall = Firewall(owner: "bench")
                let address = kept[0].interfaces[0].ipv4!
                func ports(_ range: Range<UInt16>) -> [PublishedPort] {
                    range.map {
                        PublishedPort(hostIP: nil, port: $0, transport: .tcp, containerIP: address, containerPort: 80)
                    }
                }
                let state = FirewallState(bridges: [BridgeRule(record)], published: ports(10_000..<10_010))
                var apply: [Double] = [], publish: [Double] = [], unpublish: [Double] = []
                for index in UInt16(0)..<20 {
                    apply.append(try Self.milliseconds { try firewall.apply(state) })
                    let one = ports(20_000 + index..<20_001 + index)
                    publish.append(try Self.milliseconds { try firewall.publish(one) })
                    unpublish.append(try Self.milliseconds { try firewall.unpublish(one) })
                }
                Self.report("apply the rules", apply, bound: 200)
                Self.report("publish a port", publish, bound: 50)
                Self.report("unpublish a port", unpublish, bound: 50)
                let many = FirewallState(bridges: [BridgeRule(record)], published: ports(10_000..<12_000))
                Self.report("apply 2000 ports", [try Self.milliseconds { try firewall.apply(many) }], bound: 2000)
                var release: [Double] = []
                for index in 0..<120 {
                    release.append(
                        try Self.milliseconds { try manager.release(container: "c\(index)", networks: ["n"]) })
                }
                Self.report("release", release, bound: 50)
            }
        }
    }
}
