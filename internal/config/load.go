package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"perch/hotdesk/directory"
)

// maxFile bounds the configuration file, in bytes.
const maxFile = 1 << 20

// Faults is everything wrong with a configuration, at least one.
type Faults []directory.Fault

// Error gives one fault per line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, x := range f {
		lines[i] = x.String()
	}
	return strings.Join(lines, "\n")
}

// Load reads the file at path (none when it is "") over the defaults, then the
// variables of environ ("NAME=value", as os.Environ gives them) over that. An
// empty variable counts as unset. The error is a Faults with everything that
// is wrong.
func Load(path string, environ []string) (Config, error) {
	l := loader{config: Default(), file: cmp.Or(path, "configuration"), lines: map[string]int{}}
	l.all = leaves(&l.config)
	if path != "" {
		l.readFile(path)
	}
	l.readEnvironment(environ)
	if len(l.faults) == 0 {
		for _, f := range l.config.Validate() {
			f.File, f.Line = l.from(f.Key)
			l.faults = append(l.faults, f)
		}
	}
	if len(l.faults) > 0 {
		return Config{}, l.faults
	}
	return l.config, nil
}

type loader struct {
	config Config
	all    []leaf
	file   string
	lines  map[string]int // where the file sets a key
	env    []string       // keys that the environment sets
	faults Faults
}

// from says where a setting got its value.
func (l *loader) from(key string) (file string, line int) {
	base, _, _ := strings.Cut(key, "[")
	if slices.Contains(l.env, base) {
		return "environment", 0
	}
	return l.file, l.lines[base]
}

func (l *loader) fault(line int, key, format string, args ...any) {
	l.faults = append(l.faults, directory.Fault{File: l.file, Line: line, Key: key, Message: fmt.Sprintf(format, args...)})
}

func (l *loader) readFile(path string) {
	text, err := readBounded(path)
	if err != nil {
		l.fault(0, "", "cannot be read: %v", err)
		return
	}
	var doc, second yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return // an empty file says nothing
	} else if err != nil {
		l.syntax(err)
		return
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		l.fault(second.Line, "", "only one YAML document is read: remove what follows the first")
	}
	if len(doc.Content) == 1 {
		l.group(doc.Content[0], "")
	}
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("it is larger than %d bytes", maxFile)
	}
	return text, errors.Join(err, f.Close())
}

// yamlLine finds the line in the parser's messages, which have no better form.
var yamlLine = regexp.MustCompile(`line (\d+): `)

func (l *loader) syntax(err error) {
	line, text := 0, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = strings.Replace(text, m[0], "", 1)
	}
	l.fault(line, "", "not valid YAML: %s", printable(text))
}

// group reads a mapping of settings and groups of them.
func (l *loader) group(n *yaml.Node, prefix string) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		l.fault(n.Line, strings.TrimSuffix(prefix, "."), "must be a mapping; its keys are %s", strings.Join(l.keys(prefix), ", "))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key := prefix + k.Value
		at := slices.IndexFunc(l.all, func(x leaf) bool { return x.path == key })
		switch {
		case seen[k.Value]:
			l.fault(k.Line, key, "is given twice: keep one of the two")
		case at >= 0:
			l.setting(l.all[at], v)
		case len(l.keys(key+".")) > 0:
			l.group(v, key+".")
		default:
			l.fault(k.Line, prefix+printable(k.Value), "unknown key; known are %s", strings.Join(l.keys(prefix), ", "))
		}
		seen[k.Value] = true
	}
}

// keys lists what may stand in a group.
func (l *loader) keys(prefix string) []string {
	var out []string
	for _, x := range l.all {
		if rest, in := strings.CutPrefix(x.path, prefix); in {
			name, _, _ := strings.Cut(rest, ".")
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// printable keeps a foreign text from breaking a line of output.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s[:min(len(s), 120)])
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func (l *loader) setting(x leaf, n *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	l.lines[x.path] = n.Line
	switch {
	case isNull(n): // key: with nothing behind it keeps the default
	case x.isList() && n.Kind != yaml.SequenceNode:
		l.fault(n.Line, x.path, "must be a list")
	case x.isList():
		items := make([]string, len(n.Content))
		for i, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				l.fault(item.Line, fmt.Sprintf("%s[%d]", x.path, i), "must be a single value (quote it where it has a colon at its end)")
				return
			}
			items[i] = item.Value
		}
		faults := x.setList(items)
		for i, item := range n.Content {
			if faults[i] != nil {
				l.fault(item.Line, fmt.Sprintf("%s[%d]", x.path, i), "%v", faults[i])
			}
		}
	case n.Kind != yaml.ScalarNode:
		l.fault(n.Line, x.path, "must be a single value (quote it where it has a colon at its end, as \"memory:\")")
	default:
		if err := setText(x.value, n.Value); err != nil {
			l.fault(n.Line, x.path, "%v", err)
		}
	}
}
