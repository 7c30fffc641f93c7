internal import LinuxSystem
internal import NIOSSL

/// The certificates that lie in a registry's directory, as Docker's `certs.d` has them.
enum RegistryCertificates {
    /// What TLS connections to `registry` (`HOST[:PORT]`) are made with, where a directory says so: authorities beside
    /// the system's own, and a certificate to show.
    /// - Returns: nil where no directory is about this registry.
    /// - Throws: ``RegistryError/configuration(subject:reason:)``.
    static func settings(for registry: String, in directories: [String]) throws -> TLSConfiguration? {
        guard
            let directory = directories.map({ "\($0)/\(registry)" }).first(where: Files.exists)
        else { return nil }
        var settings = TLSConfiguration.makeClientConfiguration()
        for name in try Files.list(directory) {
            let path = "\(directory)/\(name)"
            if name.hasSuffix(".crt") {
                let certificates = try read(path) { try NIOSSLCertificate.fromPEMBytes(try Files.read(path)) }
                settings.additionalTrustRoots.append(.certificates(certificates))
            } else if name.hasSuffix(".cert") {
                let key = String(name.dropLast("cert".count)) + "key"
                guard Files.exists("\(directory)/\(key)") else {
                    throw RegistryError.configuration(subject: path, reason: "its key \(key) is missing beside it")
                }
                settings.certificateChain = try read(path) {
                    try NIOSSLCertificate.fromPEMBytes(try Files.read(path)).map { .certificate($0) }
                }
                settings.privateKey = try read("\(directory)/\(key)") {
                    .privateKey(try NIOSSLPrivateKey(bytes: try Files.read("\(directory)/\(key)"), format: .pem))
                }
            } else if name.hasSuffix(".key") {
                let certificate = String(name.dropLast("key".count)) + "cert"
                guard Files.exists("\(directory)/\(certificate)") else {
                    throw RegistryError.configuration(
                        subject: path, reason: "its certificate \(certificate) is missing beside it")
                }
            }
        }
        return settings
    }

    /// For registries whose certificates need not be checked.
    static var unverified: TLSConfiguration {
        var settings = TLSConfiguration.makeClientConfiguration()
        settings.certificateVerification = .none
        return settings
    }

    private static func read<T>(_ path: String, _ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as NIOSSLError {
            throw RegistryError.configuration(subject: path, reason: "it holds no certificate or key in PEM (\(error))")
        }
    }
}
