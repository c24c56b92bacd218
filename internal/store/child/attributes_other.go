//go:build unix && !linux

package child

import "syscall"

// processAttributes puts the server into a process group of its own, so that a
// Ctrl-C at the terminal reaches us alone and the server is stopped last. A
// server that outlives us here is ended by the next Start.
func processAttributes(bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
