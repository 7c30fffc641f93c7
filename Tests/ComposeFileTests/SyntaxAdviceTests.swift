import Testing

@testable import ComposeFile

@Suite struct SyntaxAdviceTests {
    @Test(arguments: [
        ("services:\n  web:\n\timage: x\n", "3:1", "tab-indentation", "put spaces in place of the tab"),
        ("services:\n  web\n    image: x\n", "3:10", "missing-colon", "write `web:` in line 2"),
        ("services:\n  web:\n    tty: true\n    image nginx\n", "4:5", "missing-colon", "write `image: nginx`"),
        ("services:\n  web:\n    image: x\n     ports: []\n", "4:11", "yaml-syntax", "indent line 4 by 4 spaces"),
        ("services:\n  web:\n    image: x\n   ports: []\n", "4:4", "yaml-syntax", "indent the line by 2 spaces"),
        (
            "services:\n  web:\n    command: run: it\n", "3:17", "yaml-syntax",
            "quote the value, for it contains a colon"
        ),
        ("services:\n  web:\n    image: \"x\n    ports:\n      - \"80\"\n", "3:12", "unclosed-quote", "close it with"),
        ("services:\n  web:\n    image: \"x\n", "3:12", "unclosed-quote", "close it with another `\"`"),
        ("services:\n  web:\n    command: 'it's'\n", "3:18", "unclosed-quote", "twice: `''`"),
        ("services:\n  web:\n    command: *.sh\n", "3:14", "yaml-syntax", "cannot begin with `*`: quote it"),
        ("services:\n  web:\n    command: @x\n", "3:14", "yaml-syntax", "begins with `@`"),
        ("services:\n  web:\n    command: \"\\d\"\n", "3:15", "yaml-syntax", "write `\\\\`"),
        ("services: {web: {image: x, ports: [1, 2}}\n", "1:40", "yaml-syntax", "`]`"),
    ]) func advice(text: String, place: String, code: String, hint: String) {
        let found = errors(text)
        #expect(found.map { "\($0.line):\($0.column) \($0.code)" } == ["\(place) \(code)"])
        #expect(found.first?.hint?.contains(hint) == true, "\(found.first?.hint ?? "no hint")")
    }

    @Test func everyDuplicateKeyIsTold() {
        let found = errors("services:\n  a:\n    image: x\n    image: y\n    tty: true\n    tty: false\n")
        #expect(found.map(\.code) == ["duplicate-key", "duplicate-key"])
        #expect(found.map { $0.notes.map(\.line) } == [[3], [5]])
    }

    @Test(arguments: [
        ("services:\n  web:\n    image: x\n    ports: \"80:80\"\n", "`ports:` and below it `- 80:80`"),
        ("services:\n  - web: {image: x}\n", "leave out the `- `"),
        ("services:\n  web:\n    image: x\n    volumes: {a: /b}\n", "begin each item below `volumes` with `- `"),
        ("services:\n  web: {image: x}\n  image: nginx\n", "is an attribute of a service"),
        ("services:\n  web:\n    image nginx\n", "a colon is missing: write `image: nginx`"),
        ("services:\n  web:\n", "indent its attributes below it"),
        ("services:\n  web: {image: x, stop_grace_period: 30}\n", "write `30s` for 30 seconds"),
        ("services:\n  web: {image: x, hostname: 5}\n", "quote it: \"5\""),
        ("services:\n  web: {image: x, pull_policy: alway}\n", "did you mean `always`?"),
        ("services:\n  web: {image: x, mem_limit: 512mb x}\n", "write `512m`"),
        ("services:\n  web: {image: x, ports: [\"8080:80:tcp\"]}\n", "write `8080:80/tcp`"),
        ("web:\n  image: x\n", "indent it below `services:`"),
        (
            "services:\n  web: {image: x, depends_on: {db: {condition: service_health}}}\n",
            "did you mean `service_healthy`?"
        ),
        ("services:\n  web: {image: x, networks: [fornt]}\nnetworks: {front: {}}\n", "did you mean `front`?"),
        ("services:\n  web: {image: x, secrets: [tokn]}\nsecrets: {token: {file: x}}\n", "did you mean `token`?"),
        ("services:\n  web: {image: x, configs: [tokn]}\nconfigs: {token: {content: x}}\n", "did you mean `token`?"),
        ("services:\n  web: {extends: {service: bse}}\n  base: {image: x}\n", "did you mean `base`?"),
    ]) func remedies(text: String, hint: String) {
        #expect(errors(text).contains { $0.hint?.contains(hint) == true }, "\(errors(text).map(\.hint))")
    }
}
