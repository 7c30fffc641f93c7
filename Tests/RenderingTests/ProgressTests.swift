import Orchestration
import Rendering
import Testing

@Suite struct ProgressTests {
    private let creating = ProgressEvent(.container, "shop-web-1", .creating)
    private let failed = ProgressEvent(.container, "shop-db-1", .error, detail: "no such image")

    @Test func lines() {
        #expect(ProgressLines.plain(creating) == " Container shop-web-1  Creating")
        #expect(ProgressLines.plain(failed) == " Container shop-db-1  Error no such image")
        #expect(ProgressLines.json(creating) == #"{"id":"Container shop-web-1","status":"Creating"}"#)
        #expect(
            ProgressLines.json(failed) == #"{"id":"Container shop-db-1","text":"no such image","status":"Error"}"#)
        #expect(ProgressLines.json(error: "a\nb") == #"{"error":true,"message":"a\nb"}"#)
    }

    @Test func framesAreDrawnOverEachOther() {
        var live = LiveProgress(colour: false)
        #expect(live.draw(now: 0, columns: 60, rows: 24) == "")
        live.update(ProgressEvent(.network, "shop_default", .created), now: 10)
        live.update(creating, now: 10)
        #expect(live.isWorking)
        #expect(
            live.draw(now: 10.34, columns: 60, rows: 24) == "\u{1B}[?25l\r" + """
                [+] Running 1/2\u{1B}[K
                 ✔ Network shop_default  Created                       0.0s\u{1B}[K
                 ⠙ Container shop-web-1  Creating                      0.3s\u{1B}[K

                """ + "\u{1B}[J\u{1B}[?25h")
        live.update(ProgressEvent(.container, "shop-web-1", .created), now: 11)
        #expect(!live.isWorking)
        let second = live.draw(now: 30, columns: 60, rows: 24)
        #expect(second.hasPrefix("\u{1B}[?25l\u{1B}[3A\r[+] Running 2/2"))
        #expect(second.contains(" ✔ Container shop-web-1  Created                       1.0s"))
        #expect(live.erase() == "\u{1B}[3A\r\u{1B}[J")
        #expect(live.erase() == "")
    }

    @Test func aNarrowTerminalIsNotOverrun() {
        var live = LiveProgress(colour: false)
        live.update(failed, now: 0)
        for columns in 20...50 {
            let frame = live.draw(now: 1, columns: columns, rows: 10)
            let line = frame.split(separator: "\n")[1].replacing("\u{1B}[K", with: "")
            #expect(line.count <= columns, "\(columns): \(line)")
            #expect(line.hasSuffix("0.0s"))
        }
    }

    @Test func whatIsDoneGivesWayWhereThereIsNoRoom() {
        var live = LiveProgress(colour: false)
        for number in 1...10 { live.update(ProgressEvent(.container, "c\(number)", .started), now: 0) }
        live.update(ProgressEvent(.container, "c1", .error), now: 0)
        live.update(ProgressEvent(.container, "c2", .stopping), now: 0)
        let frame = live.draw(now: 0, columns: 80, rows: 6)
        #expect(frame.split(separator: "\n").count == 6)
        #expect(frame.contains("Container c1 ") && frame.contains("Container c2 "))
        #expect(frame.contains("9/10"))
    }

    @Test(
        arguments: [
            (nil, "auto", true, ProgressMode.terminal), (nil, "auto", false, .plain), (nil, "never", true, .plain),
            ("auto", "always", false, .plain), ("tty", "auto", false, .terminal), ("json", "never", true, .json),
            ("none", "auto", true, .quiet),
        ] as [(String?, String, Bool, ProgressMode)])
    func modes(progress: String?, ansi: String, isTerminal: Bool, mode: ProgressMode) throws {
        #expect(try ProgressMode.resolve(progress: progress, ansi: ansi, isTerminal: isTerminal) == mode)
    }

    @Test(arguments: [
        ("tty", "never", "can't use --progress tty while ANSI support is disabled"),
        ("plain", "always", "can't use --progress plain while ANSI support is forced"),
        ("rainbow", "auto", "unsupported --progress value \"rainbow\" (known: auto, tty, plain, json, quiet)"),
    ])
    func refusedModes(progress: String, ansi: String, text: String) {
        let error = #expect(throws: InvalidProgress.self) {
            try ProgressMode.resolve(progress: progress, ansi: ansi, isTerminal: true)
        }
        #expect(error?.description == text)
    }
}
