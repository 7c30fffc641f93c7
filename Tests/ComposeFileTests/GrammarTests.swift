import Testing

@testable import ComposeFile

@Suite struct GrammarTests {
    static let values = ["PLAIN": "abc", "EMPTY": ""]

    @Test(arguments: [
        ("${EMPTY-d}", ""), ("${EMPTY:-d}", "d"), ("${NOPE-d}", "d"), ("${EMPTY+s}", "s"), ("${EMPTY:+s}", ""),
        ("${PLAIN:+s}", "s"), ("${NOPE:-${EMPTY:-${PLAIN}}}", "abc"), ("${NOPE:-a}b}c", "ab}c"),
        ("${NOPE:-a:b/c?d=e}", "a:b/c?d=e"), ("$$", "$"), ("$1 $ $", "$1 $ $"), ("x$PLAIN-y", "xabc-y"),
        ("${NOPE:-{\"a\":1}}", "{\"a\":1}"), ("${NOPE:-$$a}", "$a"),
    ]) func substitutes(template: String, result: String) throws {
        #expect(try Template(lookup: { Self.values[$0] }).substitute(template) == result)
    }

    @Test(arguments: ["${1}", "${}", "${PLAIN/b/c}", "${PLAIN", "${NOPE:=x}", "${PLAIN:-${1}}"])
    func refuses(template: String) {
        #expect(throws: Template.Failure(reason: .invalidFormat, dollar: template.hasPrefix("${PLAIN:-") ? 1 : 0)) {
            try Template(lookup: { Self.values[$0] }).substitute(template)
        }
    }

    @Test func requiredVariableTellsItsMessage() {
        #expect(throws: Template.Failure(reason: .missing(variable: "NOPE", message: "set abc"), dollar: 1)) {
            try Template(lookup: { Self.values[$0] }).substitute("$PLAIN ${NOPE:?set ${PLAIN}}")
        }
    }

    @Test func dotEnv() throws {
        let text = """
            # comment
            export A=1
            B: yaml
            C="double $A \\n \\$X \\"q\\""
            D='single $A \\n'
            E=unq $A # comment
            F=a#b
            G=
            H="multi
            line"
            I = spaced\u{20}
            J=pa$word
            HOME
            K="a" # c
            """
        let entries = try DotEnvParser.parse(Array(text.utf8), lookup: { $0 == "HOME" ? "/root" : nil })
        let values = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.value) })
        #expect(
            values == [
                "A": "1", "B": "yaml", "C": "double 1 \n $X \"q\"", "D": "single $A \\n", "E": "unq 1", "F": "a#b",
                "G": "", "H": "multi\nline", "I": "spaced", "J": "pa", "HOME": "/root", "K": "a",
            ])
    }

    @Test(arguments: [("A=1\nA B=1", 2), ("X=\"abc", 1), ("\n\n%A=1", 3)])
    func dotEnvFaults(text: String, line: Int) {
        do {
            _ = try DotEnvParser.parse(Array(text.utf8), lookup: { _ in nil })
            Issue.record("accepted")
        } catch {
            #expect(error.line == line)
        }
    }

    @Test func rawEnvFilesAreLiteral() throws {
        let entries = try RawEnvParser.parse(Array("R=\"raw $A\"\n# c\nS= x \nHOME\nUNSET\n".utf8)) {
            $0 == "HOME" ? "/r" : nil
        }
        #expect(entries.map { "\($0.name)=\($0.value)" } == ["R=\"raw $A\"", "S= x ", "HOME=/r"])
    }

    @Test(arguments: [
        ("a 'b c' \"d \\\" e\" f\\ g", ["a", "b c", "d \" e", "f g"]), ("a && b", ["a"]),
        ("a ''  \"\" x", ["a", "", "", "x"]),
        ("$(x) `y`", ["$(x)", "`y`"]), ("", []),
    ]) func shellWords(line: String, words: [String]) throws { #expect(try ShellWords.split(line) == words) }

    @Test(arguments: ["a 'b", "x (y)"]) func brokenCommandLines(line: String) {
        #expect(throws: ShellWords.Failure.self) { try ShellWords.split(line) }
    }

    @Test(
        arguments: [
            ("1.5g", 1_610_612_736), ("100", 100), ("10 MiB", 10_485_760), ("512kb", 524_288), ("64m", 67_108_864),
            ("1b", 1),
        ] as [(String, Int64)]) func sizes(text: String, bytes: Int64) throws
    { #expect(try ByteSize.parse(text) == bytes) }

    @Test(arguments: ["-1", "10x", "1Ki", "", "m"]) func brokenSizes(text: String) {
        #expect(throws: ByteSize.Failure.self) { try ByteSize.parse(text) }
    }

    @Test(arguments: [
        ("90s", "1m30s"), ("1w2d", "216h0m0s"), ("1500ms", "1.5s"), ("100us", "100µs"), ("0s", "0s"), ("1h", "1h0m0s"),
        ("1.5h", "1h30m0s"), ("1ns", "1ns"),
    ]) func durations(text: String, printed: String) throws {
        #expect(DurationText.format(try DurationText.parse(text)) == printed)
    }

    @Test(arguments: ["10", "", "1x", "s"]) func brokenDurations(text: String) {
        #expect(throws: DurationText.Failure.self) { try DurationText.parse(text) }
    }

    @Test(arguments: [
        ("3000", [":3000/tcp>"]), ("127.0.0.1:53:53/udp", ["127.0.0.1:53/udp>53"]),
        ("9090-9091:8080-8081", [":8080/tcp>9090", ":8081/tcp>9091"]), ("90-91:80", [":80/tcp>90-91"]),
        ("[::1]:6001:6001", ["::1:6001/tcp>6001"]), ("127.0.0.1::84", ["127.0.0.1:84/tcp>"]),
        ("80:80/TCP", [":80/tcp>80"]),
    ]) func ports(spec: String, result: [String]) throws {
        #expect(try PortSpec.parse(spec).map { "\($0.hostIP):\($0.target)/\($0.protocol)>\($0.published)" } == result)
    }

    @Test(arguments: ["80:80-82", "localhost:80:80", "80:99999", "80:80/foo", "abc", "1-3:5-8", "x:80"])
    func brokenPorts(spec: String) { #expect(throws: PortSpec.Failure.self) { try PortSpec.parse(spec) } }

    @Test func volumes() throws {
        let bind = try VolumeSpec.parse("./r:/s:rslave,Z,ro")
        #expect(bind.isBind && bind.isReadOnly && bind.propagation == "rslave" && bind.selinux == "Z")
        #expect(try VolumeSpec.parse("data:/x:nocopy").noCopy)
        #expect(try VolumeSpec.parse("C:\\x:/y").source == "C:\\x")
        #expect(try VolumeSpec.parse("/anon").source == nil)
        #expect(throws: VolumeSpec.Failure.self) { try VolumeSpec.parse(":/x") }
        #expect(throws: VolumeSpec.Failure.self) { try VolumeSpec.parse("aa:bb:cc:dd") }
    }

    @Test func sha256() {
        #expect(
            SHA256.hexDigest(of: Array("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            SHA256.hexDigest(of: []) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }
}
