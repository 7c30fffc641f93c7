internal import CLinux

/// What can be asked of a terminal.
public enum Terminal {
    public static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// nil where the descriptor is no terminal or does not know its size.
    public static func size(_ descriptor: Int32) -> (rows: Int, columns: Int)? {
        var size = winsize()
        guard swc_ioctl_ptr(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return nil
        }
        return (Int(size.ws_row), Int(size.ws_col))
    }
}

/// A terminal that does not show what is typed, until ``restore()`` or the end of this object.
public final class SilentTerminal {
    private let descriptor: Int32
    private var saved: termios?

    /// nil where `descriptor` is no terminal.
    public init?(_ descriptor: Int32) {
        self.descriptor = descriptor
        var settings = termios()
        guard tcgetattr(descriptor, &settings) == 0 else { return nil }
        saved = settings
        settings.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(descriptor, TCSAFLUSH, &settings)
    }

    public func restore() {
        guard var settings = saved else { return }
        tcsetattr(descriptor, TCSAFLUSH, &settings)
        saved = nil
    }

    deinit { restore() }
}

/// A terminal without line editing, echo and signal keys, until ``restore()`` or the end of this object.
public final class RawTerminal {
    private let descriptor: Int32
    private var saved: termios?

    /// nil where `descriptor` is no terminal.
    public init?(_ descriptor: Int32) {
        self.descriptor = descriptor
        var settings = termios()
        guard tcgetattr(descriptor, &settings) == 0 else { return nil }
        saved = settings
        cfmakeraw(&settings)
        tcsetattr(descriptor, TCSANOW, &settings)
    }

    public func restore() {
        guard var settings = saved else { return }
        tcsetattr(descriptor, TCSANOW, &settings)
        saved = nil
    }

    deinit { restore() }
}
