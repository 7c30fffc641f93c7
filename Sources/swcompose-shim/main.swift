// swcompose-shim: what stays beside a container, and what it is started through. See RunCommand, ExecCommand and
// InitCommand for
// what it does beside containers, and WatchCommand for what it does beside a supervisor. It decides nothing: the launch plan says what is to be done.
import CLinux

switch processArguments()[0] == nil ? nil : processArguments()[1].map({ CPath($0) }) {
case let name? where same(name, "run"): runCommand()
case let name? where same(name, "exec"): execCommand()
case let name? where same(name, "init"): initCommand(processArguments())
case let name? where same(name, "watch"): watchCommand(processArguments())
default:
    complain("swcompose-shim is started by swcompose: run | exec | init -- command | watch program project\n")
    exit(64)
}
