// swcompose-shim: what stays beside a container, and what it is started through. See RunCommand, ExecCommand and
// InitCommand for the three things it does. It decides nothing: the launch plan says what is to be done.
import CLinux

switch processArguments()[0] == nil ? nil : processArguments()[1].map({ CPath($0) }) {
case let name? where same(name, "run"): runCommand()
case let name? where same(name, "exec"): execCommand()
case let name? where same(name, "init"): initCommand(processArguments())
default:
    complain("swcompose-shim is started by swcompose: run | exec | init -- command\n")
    exit(64)
}
