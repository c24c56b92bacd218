package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// table reads the output of go test -bench -benchmem and prints one line per
// benchmark: what it costs, and how many go into a second.
func table(_ context.Context, _ []string, out io.Writer) error { return tabulate(os.Stdin, out) }

func tabulate(in io.Reader, out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "BENCHMARK\tEACH\tIN A SECOND\tBYTES\tALLOCATIONS")
	pkg := ""
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 2 && words[0] == "pkg:":
			pkg = strings.TrimPrefix(words[1], "perch/")
		case len(words) > 0 && words[0] == "FAIL", len(words) > 1 && words[1] == "FAIL:":
			fmt.Fprintln(t, lines.Text())
		case len(words) >= 4 && strings.HasPrefix(words[0], "Benchmark"):
			name := words[0]
			if i := strings.LastIndexByte(name, '-'); i > 0 {
				name = name[:i]
			}
			per := map[string]string{}
			for i := 2; i+1 < len(words); i += 2 {
				per[words[i+1]] = words[i]
			}
			ns, err := strconv.ParseFloat(per["ns/op"], 64)
			if err != nil || ns <= 0 {
				continue
			}
			each := short(time.Duration(ns))
			if ns < 100 {
				each = fmt.Sprintf("%.2gns", ns)
			}
			fmt.Fprintf(t, "%s %s\t%s\t%.0f\t%s\t%s\n", pkg, strings.TrimPrefix(name, "Benchmark"), each, 1e9/ns, per["B/op"], per["allocs/op"])
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return t.Flush()
}
