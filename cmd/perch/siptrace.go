package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"perch/hotdesk/directory"
	"perch/portal/api"
	"perch/portal/client"
	"perch/sip/siptrace"
)

type sipTraceCmd struct {
	MAC    directory.MAC `name:"mac" placeholder:"MAC" xor:"who" required:"" help:"Messages of this device, with or without colons."`
	Ext    string        `name:"ext" placeholder:"N" xor:"who" required:"" help:"Messages of this extension, wherever it is registered."`
	Tenant string        `placeholder:"CODE" help:"Tenant of the extension; may be left out where there is only one."`
	Pcap   string        `placeholder:"FILE" help:"Write a capture file (Wireshark, tshark, sngrep) instead of showing the messages; - is standard output."`
	HEP    string        `name:"hep" placeholder:"HOST:PORT" help:"Send each message to a HEP version 3 collector (Homer) by UDP, too."`
	Agent  uint32        `name:"hep-agent" default:"2001" placeholder:"ID" help:"The number under which the collector knows this sender."`
	Count  int           `short:"n" placeholder:"N" help:"End after so many messages; without: at Ctrl-C."`
}

// Help says more than a line.
func (sipTraceCmd) Help() string {
	return `Passwords, digest answers, keys of media and what was dialled behind a feature code
are cut out in the server (xxx stands there). It begins and ends with this command:
the server need not be restarted, and while nobody watches it costs nothing. A capture
shows every message as one UDP datagram, whatever it travelled by. The server shows the
messages that pass this node only.`
}

// Run follows the messages.
func (t sipTraceCmd) Run(e *env) (err error) {
	c, err := e.connect()
	if err != nil {
		return err
	}
	show, finish, err := t.target(e)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, finish()) }()
	mac := ""
	if !t.MAC.IsZero() {
		mac = t.MAC.String()
	}
	stream, err := c.SIPTrace(e.ctx, mac, t.Tenant, t.Ext)
	if err != nil {
		return explain(err, c)
	}
	defer stream.Close()
	fmt.Fprintln(e.err, "watching; Ctrl-C ends it")
	return t.follow(e, stream, show)
}

func (t sipTraceCmd) follow(e *env, stream *client.SIPTrace, show func(siptrace.Message) error) error {
	lost := uint64(0)
	for n := 1; ; n++ {
		m, err := stream.Next()
		if e.ctx.Err() != nil {
			return nil // Ctrl-C is how this ends
		}
		if err != nil {
			return err
		}
		if m.Dropped > lost {
			fmt.Fprintf(e.err, "%d messages were lost: too many for this connection\n", m.Dropped-lost)
			lost = m.Dropped
		}
		if err := show(message(m)); err != nil {
			return err
		}
		if n == t.Count {
			return nil
		}
	}
}

func message(m api.SIPMessage) siptrace.Message {
	return siptrace.Message{At: m.At, Transport: m.Transport, In: m.In, Local: m.Local, Remote: m.Remote, Text: []byte(m.Text)}
}

// target opens where the messages go; finish closes it.
func (t sipTraceCmd) target(e *env) (show func(siptrace.Message) error, finish func() error, err error) {
	show, finish = func(m siptrace.Message) error { return printSIP(e.out, m) }, func() error { return nil }
	if t.Pcap != "" {
		var out io.WriteCloser = kept{e.out}
		if t.Pcap != "-" {
			if out, err = os.OpenFile(t.Pcap, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600); err != nil {
				return nil, nil, err
			}
		}
		file, err := siptrace.NewPcap(out)
		if err != nil {
			return nil, nil, errors.Join(err, out.Close())
		}
		show, finish = file.Write, out.Close
	}
	if t.HEP == "" {
		return show, finish, nil
	}
	conn, err := net.Dial("udp", t.HEP)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("--hep: %w", err), finish())
	}
	first, end := show, finish
	show = func(m siptrace.Message) error { return errors.Join(first(m), t.send(conn, m)) }
	return show, func() error { return errors.Join(end(), conn.Close()) }, nil
}

// send passes a message on to the collector.
func (t sipTraceCmd) send(conn net.Conn, m siptrace.Message) error {
	b, err := siptrace.HEP(m, t.Agent, "perch")
	if err != nil {
		return err
	}
	_, _ = conn.Write(b) // a collector that is away for a moment ends nothing
	return nil
}

// kept is a writer that is not this command's to close.
type kept struct{ io.Writer }

func (kept) Close() error { return nil }

// printSIP shows a message as people read it: where it went, then its lines.
func printSIP(w io.Writer, m siptrace.Message) error {
	way := "->"
	if m.In {
		way = "<-"
	}
	text := client.Printable(strings.ReplaceAll(strings.TrimRight(string(m.Text), "\r\n"), "\r\n", "\n"))
	_, err := fmt.Fprintf(w, "%s  %s %s %s %s\n    %s\n\n", m.At.Local().Format("15:04:05.000"), safe(m.Transport), safe(m.Local), way, safe(m.Remote),
		strings.ReplaceAll(text, "\n", "\n    "))
	return err
}
