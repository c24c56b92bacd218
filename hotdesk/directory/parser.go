package directory

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// parser walks the nodes of one file. Every method that reads a value reports
// what is wrong with it and gives the zero value; nothing stops at a fault.
type parser struct {
	file     *File
	keep     Keeper
	brands   []string
	check    CheckTemplate
	faults   report
	warnings report
	bounds   bounds
	visits   int
	crowded  bool // said that there are too many records

	// Where names that must be unique in the file were first used.
	tenants map[TenantCode]int
	domains map[string]int
	macs    map[MAC]int
	// deskSeats are the seats that desks list.
	deskSeats map[DeskSeat]int
	zones     map[string]bool // time zones that exist
}

func newParser(name string, opt ParseOptions) *parser {
	return &parser{
		file: &File{Name: name}, keep: opt.Keeper, brands: opt.Brands, check: opt.Template, bounds: fileBounds(),
		faults: report{file: name}, warnings: report{file: name},
		tenants: map[TenantCode]int{}, domains: map[string]int{}, macs: map[MAC]int{}, deskSeats: map[DeskSeat]int{}, zones: map[string]bool{},
	}
}

// place is a path into the file; it becomes text only in a message.
type place struct {
	up    *place
	key   string
	index int // -1: not an item of a list
}

func (p *place) String() string {
	if p == nil || p.key == "" {
		return ""
	}
	s := p.key
	if up := p.up.String(); up != "" {
		s = up + "." + s
	}
	if p.index >= 0 {
		s += "[" + strconv.Itoa(p.index) + "]"
	}
	return s
}

// field is one value with its place.
type field struct {
	place
	node *yaml.Node
}

func (p *parser) fault(f field, format string, args ...any) {
	p.faults.add(f.node.Line, f.place.String(), format, args...)
}

func (p *parser) warn(f field, format string, args ...any) {
	p.warnings.add(f.node.Line, f.place.String(), format, args...)
}

// follow resolves an alias. It counts every value looked at, so that aliases
// of aliases cannot make a small file a large one.
func (p *parser) follow(n *yaml.Node) (*yaml.Node, bool) {
	if p.visits++; p.visits >= p.bounds.visits {
		if p.visits == p.bounds.visits {
			p.faults.add(n.Line, "", "the aliases of the file make more than %d values of it", p.bounds.visits)
		}
		return n, false
	}
	for range 4 {
		if n.Kind != yaml.AliasNode || n.Alias == nil {
			return n, true
		}
		n = n.Alias
	}
	return n, false
}

// room tells whether the file may have one more record of a kind; aliases can
// name the same list many times.
func (p *parser) room(f field, have int) bool {
	if have >= p.bounds.records && !p.crowded {
		p.crowded = true
		p.fault(f, "is more than the %d a file may have: split it by tenant", p.bounds.records)
	}
	return have < p.bounds.records
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// maxKeys bounds a mapping; no object of the schema has half as many.
const maxKeys = 64

// object calls set for each key of a mapping; set answers false for a key it
// does not know. known lists the keys for the message.
func (p *parser) object(at place, n *yaml.Node, set func(field) bool, known ...string) bool {
	whole := field{at, n}
	n, ok := p.follow(n)
	if !ok {
		return false
	}
	if isNull(n) && at.index < 0 && at.key != "" {
		return false // key: with nothing behind it
	}
	if n.Kind != yaml.MappingNode {
		p.fault(whole, "must be a mapping with the keys %s", strings.Join(known, ", "))
		return false
	}
	if len(n.Content) > 2*maxKeys {
		p.fault(whole, "has more than %d keys; known are %s", maxKeys, strings.Join(known, ", "))
		return false
	}
	up := &at
	if at.key == "" {
		up = nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		f := field{place{up, k.Value, -1}, v}
		switch {
		case k.Kind != yaml.ScalarNode || k.Tag == "!!merge":
			p.faults.add(k.Line, at.String(), "a key must be plain text; merging with << is not understood, write the keys out")
		case repeated(n, i):
			p.faults.add(k.Line, f.short(), "is given twice: keep one of the two")
		case !set(f):
			p.faults.add(k.Line, f.short(), "unknown key; known are %s", strings.Join(known, ", "))
		}
	}
	return true
}

// short is the path of a key that may be any text.
func (f field) short() string {
	if len(f.key) > 64 {
		f.key = f.key[:64] + "..."
	}
	f.key = printable(f.key)
	return f.place.String()
}

func repeated(n *yaml.Node, i int) bool {
	for j := 0; j < i; j += 2 {
		if n.Content[j].Value == n.Content[i].Value {
			return true
		}
	}
	return false
}

// noList is what list answers when there is no sequence to count.
const noList = -1

// list calls each for every item of a sequence and counts them.
func (p *parser) list(f field, limit int, each func(field)) int {
	n, ok := p.follow(f.node)
	if !ok || isNull(n) {
		return noList
	}
	if n.Kind != yaml.SequenceNode {
		p.fault(f, "must be a list")
		return noList
	}
	if len(n.Content) > limit {
		p.fault(f, "has more than %d entries", limit)
		return noList
	}
	for i, item := range n.Content {
		each(field{place{f.up, f.key, i}, item})
	}
	return len(n.Content)
}

// scalar gives a value as it is written, so that 0042 stays four digits. An
// absent value (key:, ~, null) is "".
func (p *parser) scalar(f field) (string, bool) { return p.bounded(f, MaxText) }

func (p *parser) bounded(f field, limit int) (string, bool) {
	n, ok := p.follow(f.node)
	if !ok || isNull(n) {
		return "", false
	}
	switch {
	case n.Kind != yaml.ScalarNode:
		p.fault(f, "must be a single value, not a list or mapping")
	case n.Style&yaml.TaggedStyle != 0 && n.Tag != "!!str":
		p.fault(f, "has a tag that is not understood: leave it out")
	case len(n.Value) > limit:
		p.fault(f, "is longer than %d bytes", limit)
	case !utf8.ValidString(n.Value):
		p.fault(f, "is not valid UTF-8")
	default:
		return n.Value, n.Value != ""
	}
	return "", false
}
