/// What a resolv.conf(5) says.
struct ResolverConfiguration: Sendable, Equatable {
    /// As written; an IPv6 address may have a zone (`fe80::1%eth0`).
    var nameservers: [String] = []
    var search: [String] = []
    var options: [String] = []

    init(nameservers: [String] = [], search: [String] = [], options: [String] = []) {
        self.nameservers = nameservers
        self.search = search
        self.options = options
    }

    /// As glibc reads it: of several `search` or `domain` lines the last one counts, `options` add up.
    init(parsing text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.prefix { $0 != "#" && $0 != ";" }.split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.count > 1 else { continue }
            switch words[0] {
            case "nameserver": nameservers.append(words[1])
            case "search": search = Array(words.dropFirst())
            case "domain": search = [words[1]]
            case "options": options += words.dropFirst()
            default: continue
            }
        }
    }
}
