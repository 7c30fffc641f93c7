// swift-tools-version: 6.2
import PackageDescription

/// What every target of full Swift is compiled with. Without MemberImportVisibility: which of the C modules in a
/// program counts as the home of a structure that several include is chance.
let portable: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// For targets that no other package uses: packages cannot use what needs unsafe flags.
let common: [SwiftSetting] =
    portable + [
        // One view of the C library everywhere: CLinux needs the GNU part, and two views of one header do not mix.
        .unsafeFlags(["-Xcc", "-D_GNU_SOURCE"])
    ]

/// The shim is Embedded Swift: no runtime, one static file of some hundred kilobytes.
let embedded: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableExperimentalFeature("Embedded"),
    .treatAllWarnings(as: .error),
    .unsafeFlags(["-wmo"]),
]

let package = Package(
    name: "swcompose",
    products: [
        .executable(name: "swcompose", targets: ["swcompose"]),
        .executable(name: "swcompose-shim", targets: ["swcompose-shim"]),
        .library(name: "ComposeFile", targets: ["ComposeFile"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    ],
    targets: [
        // The command line.
        .executableTarget(
            name: "swcompose",
            dependencies: [
                "Rendering", "Supervision", "Orchestration", "ComposeFile", "LocalEngine", "Images", "Registry", "OCI",
                "LinuxSystem", "CLinux",
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: common,
            // At a fixed address there are no 70,000 places to be filled in at each start.
            linkerSettings: [
                .unsafeFlags(
                    ["-Xclang-linker", "-no-pie", "-Xclang-linker", "-static-libgcc"], .when(configuration: .release))
            ]),
        // What is shown on a terminal and read from logs, without any command.
        .target(name: "Rendering", dependencies: ["Orchestration", "LinuxSystem"], swiftSettings: common),
        .target(
            name: "Supervision",
            dependencies: [
                "Orchestration", "LocalEngine", "ComposeFile", "Runtime", "LinuxSystem", "CLinux",
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: common),
        .target(name: "Orchestration", dependencies: ["ComposeFile"], swiftSettings: common),
        // A product for other packages too.
        .target(name: "ComposeFile", dependencies: ["CYaml"], swiftSettings: portable),
        // Prints the JSON Schema of the format: `make schema`.
        .executableTarget(name: "compose-schema", dependencies: ["ComposeFile"], swiftSettings: common),
        .target(
            name: "LocalEngine",
            dependencies: [
                "Orchestration", "ComposeFile", "Images", "Networking", "Volumes", "Runtime", "OCI", "LinuxSystem",
                "CLinux", .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: common),
        .target(
            name: "Images",
            dependencies: [
                "Registry", "OCI", "LinuxSystem", "CLinux", "CZlib", "CZstd",
                .product(name: "Crypto", package: "swift-crypto"), .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: common),
        // The distribution specification's client side. Nothing of it runs before a command asks a registry.
        .target(
            name: "Registry",
            dependencies: [
                "OCI", "LinuxSystem", "CLinux",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: common),
        .target(
            name: "Networking",
            dependencies: [
                "LinuxSystem", "CNetlink",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: common),
        .target(name: "Volumes", dependencies: ["OCI", "LinuxSystem"], swiftSettings: common),
        .target(
            name: "Runtime", dependencies: ["OCI", "LaunchPlan", "LinuxSystem", "CSeccomp"], swiftSettings: common),
        .target(
            name: "OCI", dependencies: [.product(name: "Crypto", package: "swift-crypto")], swiftSettings: common),
        .target(
            name: "LinuxSystem",
            dependencies: ["CLinux", .product(name: "SystemPackage", package: "swift-system")], swiftSettings: common),
        // The wire format between Runtime and the shim: compiled here in full Swift, and again, through a
        // symbolic link, inside the shim.
        .target(name: "LaunchPlan", swiftSettings: common),
        .executableTarget(
            name: "swcompose-shim",
            dependencies: ["CLinux"],
            swiftSettings: embedded,
            linkerSettings: [.unsafeFlags(["-static-executable"])]),
        .target(name: "CLinux"),
        .target(name: "TestSupport", dependencies: ["LinuxSystem"], path: "Tests/TestSupport", swiftSettings: common),
        .testTarget(name: "ComposeFileTests", dependencies: ["ComposeFile"], swiftSettings: common),
        .testTarget(name: "OrchestrationTests", dependencies: ["Orchestration"], swiftSettings: common),
        .testTarget(
            name: "RenderingTests", dependencies: ["Rendering", "Orchestration", "LinuxSystem"], swiftSettings: common),
        .testTarget(
            name: "swcomposeTests",
            dependencies: [
                "swcompose", "Rendering", "Orchestration", "ComposeFile",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: common),
        .testTarget(
            name: "LocalEngineTests",
            dependencies: [
                "LocalEngine", "Orchestration", "ComposeFile", "Networking", "Volumes", "Runtime", "OCI", "LinuxSystem",
            ], swiftSettings: common),
        .testTarget(
            name: "ImagesTests",
            dependencies: [
                "TestSupport", "RegistryTestSupport", "Images", "Registry", "OCI", "LinuxSystem", "CLinux", "CZlib",
                "CZstd", .product(name: "Crypto", package: "swift-crypto"),
            ], swiftSettings: common),
        .testTarget(
            name: "RegistryTests",
            dependencies: [
                "RegistryTestSupport", "Registry", "OCI", "LinuxSystem",
                .product(name: "NIOCore", package: "swift-nio"),
            ], swiftSettings: common),
        // A registry inside of the test's process, which can be told to fail in every way.
        .target(
            name: "RegistryTestSupport",
            dependencies: [
                "OCI", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ], path: "Tests/RegistryTestSupport", swiftSettings: common),
        .testTarget(
            name: "VolumesTests", dependencies: ["TestSupport", "Volumes", "LinuxSystem", "CLinux"],
            swiftSettings: common),
        .testTarget(
            name: "NetworkingTests",
            dependencies: [
                "TestSupport", "Networking", "LinuxSystem", "CLinux", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ], swiftSettings: common),
        .testTarget(
            name: "RuntimeTests",
            dependencies: ["TestSupport", "Runtime", "OCI", "LaunchPlan", "LinuxSystem", "CLinux"],
            swiftSettings: common),
        .testTarget(name: "LaunchPlanTests", dependencies: ["LaunchPlan"], swiftSettings: common),
        .testTarget(
            name: "LinuxSystemTests", dependencies: ["TestSupport", "LinuxSystem", "CLinux"], swiftSettings: common),
        .testTarget(
            name: "IntegrationTests", dependencies: ["swcompose"], swiftSettings: common),
        .systemLibrary(name: "CYaml", path: "Sources/CLibraries/CYaml", pkgConfig: "yaml-0.1"),
        .systemLibrary(name: "CSeccomp", path: "Sources/CLibraries/CSeccomp", pkgConfig: "libseccomp"),
        .systemLibrary(name: "CNetlink", path: "Sources/CLibraries/CNetlink", pkgConfig: "libnl-route-3.0"),
        .systemLibrary(name: "CZlib", path: "Sources/CLibraries/CZlib", pkgConfig: "zlib"),
        .systemLibrary(name: "CZstd", path: "Sources/CLibraries/CZstd", pkgConfig: "libzstd"),
    ]
)
