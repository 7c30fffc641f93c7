import Foundation
import Testing

/// Drives the built program as root against real namespaces. One at a time: the machine they share is the fixture.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root"))
struct IntegrationTests {}
