// Messages of the launch channel and of shim.sock. Each is one packet of a SOCK_SEQPACKET socket: a byte that says
// what it is, then fields in little endian.

/// Launch channel (descriptor 3 of the shim), and between the shim and its child.
public enum LaunchMessage {
    /// Shim → caller: u32 pid, u64 its start time, u32 the shim's pid, u64 its start time.
    public static let created = UInt8(ascii: "C")
    /// Shim → caller: text. Something was asked for that this host cannot give; the launch goes on.
    public static let warning = UInt8(ascii: "W")
    /// Shim → caller: the program runs.
    public static let started = UInt8(ascii: "S")
    /// Shim → caller: u32 record index (`noRecord` outside any), u32 errno, text: the step, such as "openat2".
    public static let failed = UInt8(ascii: "F")
    /// Child → shim → caller of exec: the terminal's master comes with it as SCM_RIGHTS.
    public static let terminal = UInt8(ascii: "T")
    /// Child → shim: nothing is left but execve; the channel closing now means that it worked.
    public static let executing = UInt8(ascii: "X")
    /// Shim → child: it is in its cgroups.
    public static let placed = UInt8(ascii: "P")
    /// Caller → shim → child: the network is there.
    public static let go = UInt8(ascii: "G")
    /// Caller → shim (exec): end the process group.
    public static let kill = UInt8(ascii: "K")
    /// Caller → shim (exec): the process is to outlive the caller.
    public static let detach = UInt8(ascii: "D")

    public static let noRecord: UInt32 = .max
    /// Added to the errno of a failed `execute` where the file is there but what it needs to run (its interpreter)
    /// is not.
    public static let interpreterMissing: UInt32 = 0x1_0000
    public static let maximumSize = 512
}

/// shim.sock. A client may send any of these at any time; attached or not.
public enum ShimMessage {
    /// Client → shim: u16 rows, u16 columns. Ignored where there is no terminal.
    public static let resize = UInt8(ascii: "R")
    /// Client → shim: from now on send output.
    public static let attach = UInt8(ascii: "A")
    /// Client → shim: bytes for the program's stdin. Dropped where stdin is not open.
    public static let stdin = UInt8(ascii: "i")
    /// Client → shim: end of stdin.
    public static let closeStdin = UInt8(ascii: "c")
    /// Client → shim, answered with the same.
    public static let ping = UInt8(ascii: "p")
    /// Shim → client: bytes of stdout (of the terminal, where there is one).
    public static let stdout = UInt8(ascii: "o")
    /// Shim → client: bytes of stderr.
    public static let stderr = UInt8(ascii: "e")
    /// Shim → client, last: u32 exit code.
    public static let exited = UInt8(ascii: "x")

    /// Of a packet, its first byte included.
    public static let maximumSize = 8192
}
