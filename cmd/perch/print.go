package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"perch/portal/client"
)

// printJSON writes one value, indented.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// table writes rows under a heading, which may be nil, in columns. Cells are
// safe to print.
func table(w io.Writer, heading []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if heading != nil {
		rows = append([][]string{heading}, rows...)
	}
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(t, "\t") //nolint:errcheck // Flush tells
			}
			fmt.Fprint(t, safe(cell)) //nolint:errcheck // Flush tells
		}
		fmt.Fprintln(t) //nolint:errcheck // Flush tells
	}
	return t.Flush()
}

// safe keeps a foreign text in its cell and on its line.
func safe(s string) string {
	return strings.ReplaceAll(client.Printable(s), "\n", "?")
}

// or gives the text, or a dash where there is none.
func or[T ~string](v *T) string {
	if v == nil || *v == "" {
		return "-"
	}
	return string(*v)
}

// span writes a duration as people say it.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return d.Round(time.Second).String()
	}
}

// printJSONLine writes one value on one line.
func printJSONLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
