package directory

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// bounds are what one directory file may cost. A parsed YAML value takes some
// 180 bytes.
type bounds struct {
	bytes   int
	values  int // as counted by the characters that separate values
	visits  int // values looked at, aliases followed
	records int // extensions or devices
}

func fileBounds() bounds {
	return bounds{bytes: 128 << 20, values: 16 << 20, visits: 32 << 20, records: 1_000_000}
}

// Bounds of the lists in it.
const (
	maxTenants = 10_000
	maxRecords = 1_000_000 // extensions or devices
	maxList    = 1_000     // anything else
)

// State is a directory as a whole or in part, in stored form.
type State struct {
	Tenants    []Tenant
	Extensions []Extension
	Devices    []Device
	Desks      []Desk
}

// File is a directory file read without faults.
type File struct {
	Name     string
	State            // what the file says; Merge adds what it leaves to the store
	Warnings []Fault // weak secrets, desks without location, brands without templates

	tenantLines    []int // parallel to State
	deviceLines    []int
	deskLines      []int
	extensionLines []int
}

// ParseOptions are what reading a file needs from outside.
type ParseOptions struct {
	Keeper Keeper   // turns secrets into their kept form at once
	Brands []string // brands with templates; others warn. Empty: no such warnings
	// Template checks what overrides a brand's files; nil: only their form is.
	Template CheckTemplate
}

// ParseFile reads a directory file; name is for the messages. It finds all
// faults in one pass, up to 1,000; with any, File is nil. It takes one YAML
// document of at most 128 MiB.
func ParseFile(name string, r io.Reader, opt ParseOptions) (*File, []Fault) {
	return newParser(name, opt).parse(r)
}

func (p *parser) parse(r io.Reader) (*File, []Fault) {
	root := p.document(r)
	if root != nil {
		p.root(root)
	}
	if faults := p.faults.full(); len(faults) > 0 {
		return nil, faults
	}
	p.file.Warnings = p.warnings.full()
	return p.file, nil
}

// document gives the single top-level value of the file, nil after a fault.
func (p *parser) document(r io.Reader) *yaml.Node {
	text, err := io.ReadAll(io.LimitReader(r, int64(p.bounds.bytes)+1))
	switch {
	case err != nil:
		p.faults.add(0, "", "cannot be read: %v", err)
		return nil
	case len(text) > p.bounds.bytes:
		p.faults.add(0, "", "is larger than %d bytes: split it by tenant", p.bounds.bytes)
		return nil
	case valuesAtMost(text) > p.bounds.values:
		p.faults.add(0, "", "has more than %d values: split it by tenant", p.bounds.values)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		p.faults.add(0, "", "is empty: it needs a list of tenants")
		return nil
	} else if err != nil {
		p.syntax(err)
		return nil
	}
	if err := dec.Decode(&second); err == nil {
		p.faults.add(second.Line, "", "a second YAML document begins here: put all tenants into one")
		return nil
	} else if !errors.Is(err, io.EOF) {
		p.syntax(err)
		return nil
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		p.faults.add(doc.Line, "", "is not a YAML document")
		return nil
	}
	return doc.Content[0]
}

// valuesAtMost bounds how many values a text can hold before it is parsed:
// each but the first follows one of these characters.
func valuesAtMost(text []byte) int {
	n := 1
	for _, c := range []byte(",:-?[{\n") {
		n += bytes.Count(text, []byte{c})
	}
	return n
}

// yamlLine finds the line in the parser's messages, which have no better form.
var yamlLine = regexp.MustCompile(`line (\d+): `)

func (p *parser) syntax(err error) {
	line, text := 0, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = strings.Replace(text, m[0], "", 1)
	}
	p.faults.add(line, "", "not valid YAML: %s", printable(text))
}

// printable keeps a foreign text from breaking a line of output.
func printable(s string) string {
	q := strconv.Quote(s)
	return strings.ReplaceAll(strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`), `\\`, `\`)
}

func (p *parser) root(n *yaml.Node) {
	has := false
	p.object(place{}, n, func(f field) bool {
		if f.key != "tenants" {
			return false
		}
		has = true
		p.list(f, maxTenants, p.tenant)
		return true
	}, "tenants")
	if !has && len(p.faults.list) == 0 {
		p.faults.add(n.Line, "tenants", "is missing: the file needs a list of tenants (tenants: [] for none)")
	}
}
