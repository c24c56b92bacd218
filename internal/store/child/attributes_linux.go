package child

import "syscall"

// processAttributes puts the server into a process group of its own, so that a
// Ctrl-C at the terminal reaches us alone and the server is stopped last; and
// has it killed when we die: nothing it has answered can be lost by that.
func processAttributes(dieWithParent bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	if dieWithParent {
		a.Pdeathsig = syscall.SIGKILL
	}
	return a
}
