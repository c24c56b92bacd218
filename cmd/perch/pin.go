package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"perch/portal/api"
)

type pinCmd struct {
	Tenant string `placeholder:"CODE" help:"Tenant; may be left out where there is only one."`
	Ext    string `required:"" placeholder:"NUMBER" help:"Extension whose PIN is changed."`
}

// Help says more than a line.
func (pinCmd) Help() string {
	return `Asks for the new PIN, twice and unseen, on a terminal; elsewhere it is the first
line of standard input. It is never an argument, which other users of the machine
could see. The PIN rules of the policy hold (perch why --ext N shows them); the old
PIN is not asked for. Applying the directory file again does not undo it.`
}

// Run changes the PIN.
func (p pinCmd) Run(e *env) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	pin, err := askPIN(e)
	if err != nil {
		return err
	}
	done, err := c.ChangePIN(e.ctx, api.PINBody{Tenant: p.Tenant, Extension: p.Ext, PIN: pin, Door: "cli"})
	if err != nil {
		return explain(err, c)
	}
	fmt.Fprintf(e.out, "extension %s/%s has another PIN\n", safe(done.Tenant), safe(done.Extension))
	return nil
}

// askPIN reads the PIN, twice on a terminal.
func askPIN(e *env) (string, error) {
	f, ok := e.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(e.in, 256)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return "", errors.New("no PIN came on standard input")
		}
		return line, nil
	}
	var said [2]string
	for i, prompt := range []string{"New PIN: ", "Once more: "} {
		fmt.Fprint(e.err, prompt)
		text, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(e.err)
		if err != nil {
			return "", err
		}
		said[i] = string(text)
	}
	if said[0] != said[1] {
		return "", errors.New("the two PINs differ: nothing was changed")
	}
	return said[0], nil
}
