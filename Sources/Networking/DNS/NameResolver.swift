/// Answers one container's questions from the names there are, or says that they are to be passed on. Pure: no
/// sockets, no clock.
struct NameResolver: Sendable {
    enum Decision: Sendable, Equatable {
        case answer([UInt8])
        /// To the upstream servers; `fallback` is the answer where those know nothing.
        case forward(fallback: [UInt8]?)
    }

    /// Seconds. Containers come and go: a resolver that caches (nginx, the JVM) must not hold an address for long,
    /// and asking again costs it microseconds.
    static let timeToLive: UInt32 = 5

    let view: DNSView
    private let links: [String: [String]]
    private let searchDomains: [String]

    init(_ view: DNSView) {
        self.view = view
        links = Dictionary(
            view.links.map { (NameTable.key($0.key), $0.value.map(NameTable.key)) }, uniquingKeysWith: +)
        searchDomains = view.searchDomains.map(NameTable.key).filter { !$0.isEmpty }
    }

    func decide(_ query: DNSQuery, _ table: inout NameTable) -> Decision {
        let name = query.question.name.description
        if let records = ownRecords(name, query.question, &table) {
            // A name of ours without a record of this type is an empty answer. NXDOMAIN would say that it has no
            // record of any type, and musl, which asks for A and AAAA at once, would believe it.
            return .answer(query.response(.noError, answers: records))
        }
        if query.question.type == DNSType.ptr, let address = query.question.name.reverseAddress,
            let owner = table.name(of: address, in: view.networks), let target = DNSName(owner)
        {
            return .answer(query.response(.noError, answers: [record(query.question, DNSType.ptr, target.wire)]))
        }
        let bare = searchDomains.lazy.compactMap { name.droppingDomain($0) }.first
        let fallback = bare.flatMap { ownRecords($0, query.question, &table) }.map {
            query.response(.noError, answers: $0)
        }
        let isSingleLabel = !name.utf8.contains(UInt8(ascii: ".")) && !name.isEmpty
        guard view.forwards else {
            if let fallback { return .answer(fallback) }
            // SERVFAIL says "not here"; but a resolver would not go on to its next search domain after it.
            return .answer(query.response(isSingleLabel || bare != nil ? .nameError : .serverFailure))
        }
        let isAddressQuestion = [DNSType.a, DNSType.aaaa].contains(query.question.type)
        if isSingleLabel, isAddressQuestion, !view.forwardsSingleLabels {
            return .answer(query.response(.nameError))
        }
        return .forward(fallback: fallback)
    }

    /// nil where `name` is none of ours.
    private func ownRecords(_ name: String, _ question: DNSQuestion, _ table: inout NameTable) -> [DNSRecord]? {
        for candidate in (links[name] ?? []) + [name] where table.has(candidate, in: view.networks) {
            var records: [DNSRecord] = []
            if question.type == DNSType.a || question.type == DNSType.any {
                let addresses = table.addresses(of: candidate, .v4, in: view.networks) ?? []
                records += addresses.map { record(question, DNSType.a, $0.bytes) }
            }
            if question.type == DNSType.aaaa || question.type == DNSType.any {
                let addresses = table.addresses(of: candidate, .v6, in: view.networks) ?? []
                records += addresses.map { record(question, DNSType.aaaa, $0.bytes) }
            }
            return records
        }
        return nil
    }

    private func record(_ question: DNSQuestion, _ type: UInt16, _ data: [UInt8]) -> DNSRecord {
        DNSRecord(name: question.name, type: type, timeToLive: Self.timeToLive, data: data)
    }
}
