package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"perch/internal/sim"
	"perch/portal/api"
)

// files measures configuration files over keep-alive HTTP, brand by brand: the
// first rendering of each desk, then the same again, beside nginx that serves
// the same bytes from a folder. Either server has one core, the generator the
// other.
func files(ctx context.Context, args []string, out io.Writer) error {
	f := flags("files")
	desks := f.Int("desks", 100, "of each brand, all logged in")
	keys := f.Int("keys", 10, "of each person")
	conns := f.Int("conns", 16, "connections")
	span := f.Duration("for", 2*time.Second, "of each measurement with warm files")
	if err := f.Parse(args); err != nil {
		return err
	}
	fmt.Fprintf(out, "files: %s; one core each, %d connections, %d desks of each brand with %d keys\n", machine(), *conns, *desks, *keys)
	keepOn(1)
	defer keepOn(0, 1)
	n := *desks * len(sim.Brands())
	s, err := start(ctx, serverOptions{cpu: "0", office: func(path string) error { return writeMixed(path, n, *keys) }})
	if err != nil {
		return err
	}
	err = measureFiles(ctx, s, n, *conns, *span, out)
	return errors.Join(err, s.stop())
}

// keepOn keeps this process on some processors, where there is a taskset.
func keepOn(cpus ...int) {
	list := ""
	for i, c := range cpus {
		if i > 0 {
			list += ","
		}
		list += strconv.Itoa(c)
	}
	_ = exec.Command("taskset", "-a", "-cp", list, strconv.Itoa(os.Getpid())).Run() // figures are noisier without
}

func measureFiles(ctx context.Context, s *server, n, conns int, span time.Duration, out io.Writer) error {
	if err := seatAll(ctx, s, n); err != nil {
		return err
	}
	if err := comeOnce(ctx, s, n); err != nil {
		return err
	}
	brands := sim.Brands()
	requests := make([][][]byte, len(brands))
	for i := range n {
		d := mixedDesk(i)
		requests[i%len(brands)] = append(requests[i%len(brands)], fileRequest(s.Files, "/"+fileName(d), d))
	}
	web, err := startNginx(ctx)
	if err != nil {
		return err
	}
	defer web.stop()
	fmt.Fprintf(out, "  %-12s %6s  %23s  %23s  %23s  %s\n", "BRAND", "BYTES", "FIRST /s        p99", "AGAIN /s        p99", "NGINX /s        p99", "AGAIN/NGINX")
	for i, b := range brands {
		body, err := fetchOne(s.Files, requests[i][0])
		if err != nil {
			return fmt.Errorf("%s: %w", b, err)
		}
		name := string(b) + ".cfg" // one each: nginx keeps them open
		if err := os.WriteFile(filepath.Join(web.root, name), body, 0o644); err != nil {
			return err
		}
		first, err := fire(s.Files, requests[i], conns, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", b, err)
		}
		again, err := fire(s.Files, requests[i], conns, span)
		if err != nil {
			return fmt.Errorf("%s: %w", b, err)
		}
		plain, err := fire(web.addr, [][]byte{fileRequest(web.addr, "/"+name, desk{})}, conns, span)
		if err != nil {
			return fmt.Errorf("nginx: %w", err)
		}
		fmt.Fprintf(out, "  %-12s %6d  %s  %s  %s  %.3f\n", b, len(body), first, again, plain, again.rate()/plain.rate())
	}
	return nil
}

// seatAll logs everybody in at their desk.
func seatAll(ctx context.Context, s *server, n int) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	next, errs := make(chan int), make(chan error, 16)
	var people sync.WaitGroup
	for range cap(errs) {
		people.Go(func() {
			var failed error
			for i := range next {
				if failed == nil {
					_, failed = c.Login(ctx, api.LoginBody{Tenant: tenant, Extension: numberOf(i), MAC: mixedDesk(i).mac.String()})
				}
			}
			errs <- failed
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	people.Wait()
	close(errs)
	for e := range errs {
		err = errors.Join(err, e)
	}
	return err
}

// comeOnce lets a phone at each desk come for its file and register, so that no
// reload is open that every fetch would be news to; then the server starts anew,
// with nothing rendered.
func comeOnce(ctx context.Context, s *server, n int) error {
	floor, _, err := openFloorOf(ctx, s, n, mixedDesk, func(_ int, o sim.Options) sim.Options { return o })
	if err != nil {
		return err
	}
	for i, p := range floor.phones {
		if err = p.Await(ctx, func(st sim.State) bool { return st.Ready(numberOf(i)) }); err != nil {
			break
		}
	}
	floor.close()
	if err != nil {
		return err
	}
	return s.again(ctx)
}

// fileName is the file that carries the account of a desk.
func fileName(d desk) string {
	mac := d.mac.String()
	switch d.brand {
	case sim.Grandstream, sim.Htek, sim.SangomaS:
		return "cfg" + mac + ".xml"
	case sim.CiscoSPA, sim.CiscoMPP, sim.Snom:
		return mac + ".xml"
	case sim.Poly:
		return mac + "-perch.cfg"
	}
	return mac + ".cfg"
}

// fileRequest is a GET as bytes; without a brand it brings no credentials.
func fileRequest(host, path string, d desk) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\n", path, host)
	if d.brand != "" {
		pair := base64.StdEncoding.EncodeToString([]byte(d.mac.String() + ":" + d.secret().Reveal()))
		fmt.Fprintf(&b, "Authorization: Basic %s\r\n", pair)
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

func fetchOne(addr string, request []byte) ([]byte, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if _, err := conn.Write(request); err != nil {
		return nil, err
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s", res.Status)
	}
	return io.ReadAll(res.Body)
}

// volley is what a number of requests took.
type volley struct {
	took times
	span time.Duration
}

func (v *volley) rate() float64 { return float64(v.took.count()) / v.span.Seconds() }

func (v *volley) String() string { return fmt.Sprintf("%8.0f %14s", v.rate(), short(v.took.at(0.99))) }

// fire sends the requests over so many connections: each once, or in turn for a
// while.
func fire(addr string, requests [][]byte, conns int, span time.Duration) (*volley, error) {
	var v volley
	var lanes sync.WaitGroup
	errs := make([]error, conns)
	begun := time.Now()
	for c := range conns {
		lanes.Go(func() { errs[c] = fireOver(addr, requests, c, conns, begun.Add(span), span == 0, &v.took) })
	}
	lanes.Wait()
	v.span = time.Since(begun)
	return &v, errors.Join(errs...)
}

func fireOver(addr string, requests [][]byte, lane, lanes int, until time.Time, once bool, took *times) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 64<<10)
	var mine []time.Duration
	for i := lane; ; i += lanes {
		if once && i >= len(requests) || !once && time.Now().After(until) {
			break
		}
		sent := time.Now()
		if _, err := conn.Write(requests[i%len(requests)]); err != nil {
			return err
		}
		if err := skimResponse(in); err != nil {
			return err
		}
		mine = append(mine, time.Since(sent))
	}
	took.mu.Lock()
	defer took.mu.Unlock()
	took.all = append(took.all, mine...)
	return nil
}

// skimResponse reads one 200 and throws its body away.
func skimResponse(in *bufio.Reader) error {
	length := -1
	for n := 0; ; n++ {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if n == 0 && !bytes.Contains(line, []byte(" 200 ")) {
			return fmt.Errorf("answered %q", line)
		}
		if len(line) == 0 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("an answer without a length")
	}
	_, err := in.Discard(length)
	return err
}
