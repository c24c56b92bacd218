package directory

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"perch/hotdesk/calendar"
)

// Inline replaces the files that the calendars of a directory file name (file:
// shifts.ics) by their text, so that it can be sent to a server, which opens no
// path that somebody sent it. read gets the name as it is written. Lines stay
// where they are; a text that is no YAML comes back as it is, for whoever reads
// it next to find the faults.
func Inline(text []byte, read func(name string) ([]byte, error)) ([]byte, error) {
	if len(text) > fileBounds().bytes || valuesAtMost(text) > fileBounds().values || !bytes.Contains(text, []byte("calendars")) {
		return text, nil
	}
	var doc yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&doc); err != nil || len(doc.Content) != 1 {
		return text, nil //nolint:nilerr // faults are the reader's to tell
	}
	files := calendarFiles(doc.Content[0])
	if len(files) == 0 {
		return text, nil
	}
	// The last first: what is replaced moves only what comes after it.
	slices.SortFunc(files, func(a, b pair) int {
		return cmp.Or(-cmp.Compare(a.key.Line, b.key.Line), -cmp.Compare(a.key.Column, b.key.Column))
	})
	lines := strings.SplitAfter(string(text), "\n")
	for _, f := range files {
		content, err := read(f.value.Value)
		if err != nil {
			return nil, fmt.Errorf("calendar in line %d: %w", f.key.Line, err)
		}
		if len(content) > calendar.MaxBytes {
			return nil, fmt.Errorf("calendar in line %d: %s is larger than %d bytes", f.key.Line, f.value.Value, calendar.MaxBytes)
		}
		if err := f.replace(lines, `text: `+strconv.Quote(string(content))); err != nil {
			return nil, fmt.Errorf("calendar in line %d: %w", f.key.Line, err)
		}
	}
	return []byte(strings.Join(lines, "")), nil
}

// pair is a key and its value.
type pair struct{ key, value *yaml.Node }

// calendarFiles finds tenants[].calendars[].file.
func calendarFiles(root *yaml.Node) []pair {
	var out []pair
	each(root, "tenants", func(tenant *yaml.Node) {
		each(tenant, "calendars", func(c *yaml.Node) {
			for i := 0; c.Kind == yaml.MappingNode && i+1 < len(c.Content) && len(out) < maxList; i += 2 {
				if k, v := c.Content[i], c.Content[i+1]; k.Value == "file" && v.Kind == yaml.ScalarNode && v.Value != "" {
					out = append(out, pair{k, v})
				}
			}
		})
	})
	return out
}

// each calls f for the items of a list under a key of a mapping.
func each(n *yaml.Node, key string, f func(*yaml.Node)) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key && n.Content[i+1].Kind == yaml.SequenceNode {
			for _, item := range n.Content[i+1].Content {
				f(item)
			}
		}
	}
}

// replace writes text in place of key and value, which stand on one line.
func (p pair) replace(lines []string, text string) error {
	if p.key.Line != p.value.Line || p.key.Line < 1 || p.key.Line > len(lines) {
		return errors.New("write file and its name on one line")
	}
	line := []rune(lines[p.key.Line-1])
	from, at := p.key.Column-1, p.value.Column-1
	end := at + len([]rune(p.value.Value))
	if p.value.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		end += 2
	}
	if from < 0 || at < from || end > len(line) || !strings.Contains(string(line[at:end]), p.value.Value) {
		return errors.New("write the name of the file without escapes")
	}
	lines[p.key.Line-1] = string(line[:from]) + text + string(line[end:])
	return nil
}
