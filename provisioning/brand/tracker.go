package brand

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"text/template/parse"
	"time"
)

// The functions by which a composed template says where it is. Admins cannot
// write them: they are not on the list.
const (
	atFunc  = "_perch_at"
	varFunc = "_perch_var"
)

// prepared is a copy of a tree, ready to run as layer k: secrets are plain
// texts in it, parent is the template it replaces, every action escapes, and it
// says where it is.
func prepared(t *parse.Tree, k int, parent string) *parse.Tree {
	t = t.Copy()
	revealed(t.Root)
	escapeNode(t.Root)
	mark(t.Root, k, parent)
	t.Root.Nodes = slices.Insert(t.Root.Nodes, 0, parse.Node(here(0, k)))
	return t
}

// revealed takes .Reveal off: on plain data the secret is its text.
func revealed(n parse.Node) {
	switch n := n.(type) {
	case *parse.FieldNode:
		n.Ident = withoutReveal(n.Ident, 1)
	case *parse.VariableNode:
		n.Ident = withoutReveal(n.Ident, 2)
	}
	for _, c := range children(n) {
		revealed(c)
	}
}

func withoutReveal(ident []string, least int) []string {
	if len(ident) > least && ident[len(ident)-1] == "Reveal" {
		return ident[:len(ident)-1]
	}
	return ident
}

// mark lets each list say which layer it is of: in every round of a loop, and
// again behind each template that it uses.
func mark(n parse.Node, k int, parent string) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		out := make([]parse.Node, 0, len(n.Nodes))
		for _, c := range n.Nodes {
			mark(c, k, parent)
			for _, name := range variables(c) {
				out = append(out, action(c.Position(), varFunc, &parse.StringNode{
					NodeType: parse.NodeString, Pos: c.Position(), Text: name, Quoted: strconv.Quote(name),
				}))
			}
			out = append(out, c)
			if t, ok := c.(*parse.TemplateNode); ok {
				if t.Name == "parent" && parent != "" {
					t.Name = parent
				}
				out = append(out, here(t.Pos, k))
			}
		}
		n.Nodes = out
	case *parse.IfNode:
		markBranch(&n.BranchNode, k, parent)
	case *parse.WithNode:
		markBranch(&n.BranchNode, k, parent)
	case *parse.RangeNode:
		markBranch(&n.BranchNode, k, parent)
		n.List.Nodes = slices.Insert(n.List.Nodes, 0, parse.Node(here(n.Pos, k)))
	}
}

func markBranch(n *parse.BranchNode, k int, parent string) {
	mark(n.List, k, parent)
	mark(n.ElseList, k, parent)
}

// variables are the names of admins' variables that an action writes.
func variables(n parse.Node) []string {
	if _, ok := n.(*parse.ActionNode); !ok {
		return nil
	}
	return fieldsOf(n, "Vars")
}

// fieldsOf finds the names behind .top in a node.
func fieldsOf(n parse.Node, top string) []string {
	var out []string
	if f, ok := n.(*parse.FieldNode); ok && len(f.Ident) > 1 && f.Ident[0] == top {
		out = append(out, f.Ident[1])
	}
	if v, ok := n.(*parse.VariableNode); ok && len(v.Ident) > 2 && v.Ident[0] == "$" && v.Ident[1] == top {
		out = append(out, v.Ident[2])
	}
	for _, c := range children(n) {
		out = append(out, fieldsOf(c, top)...)
	}
	return out
}

func here(pos parse.Pos, k int) *parse.ActionNode {
	text := strconv.Itoa(k)
	return action(pos, atFunc, &parse.NumberNode{NodeType: parse.NodeNumber, Pos: pos, IsInt: true, Int64: int64(k), Text: text})
}

func action(pos parse.Pos, name string, arg parse.Node) *parse.ActionNode {
	return &parse.ActionNode{NodeType: parse.NodeAction, Pos: pos, Pipe: &parse.PipeNode{
		NodeType: parse.NodePipe, Pos: pos, Cmds: []*parse.CommandNode{call(pos, name, arg)},
	}}
}

// tracker takes the output of one rendering, knows which layer wrote what, and
// ends a rendering that costs too much.
type tracker struct {
	layers []layer
	vars   map[string]Variable
	buf    bytes.Buffer
	spans  []span
	used   []use
	layer  int
	steps  int
	until  time.Time
	over   bool // it cost too much
}

// span is where a layer begins to write, use where a variable stands.
type span struct{ at, layer int }

type use struct {
	at   int
	name string
}

func (w *tracker) begin() { w.until = time.Now().Add(maxTime) }

var (
	errSteps  = fmt.Errorf("more than %d rounds of loops", maxSteps)
	errTime   = fmt.Errorf("takes longer than %v", maxTime)
	errOutput = fmt.Errorf("makes a file of more than %d bytes", maxOutput)
)

// Write implements io.Writer.
func (w *tracker) Write(p []byte) (int, error) {
	if w.buf.Len()+len(p) > maxOutput {
		w.over = true
		return 0, errOutput
	}
	return w.buf.Write(p)
}

// at is told that a layer begins or goes on. It counts, so that no loop is
// without end.
func (w *tracker) at(layer int) (string, error) {
	w.layer = layer
	if n := len(w.spans); n == 0 || w.spans[n-1].layer != layer {
		w.spans = append(w.spans, span{w.buf.Len(), layer})
	}
	w.steps++
	switch {
	case w.steps > maxSteps:
		w.over = true
		return "", errSteps
	case w.steps%64 == 0 && time.Now().After(w.until):
		w.over = true
		return "", errTime
	}
	return "", nil
}

// variable is told that an admin's variable comes next.
func (w *tracker) variable(name string) string {
	w.used = append(w.used, use{w.buf.Len(), name})
	return ""
}

// blame names the override that was running.
func (w *tracker) blame() string {
	if w.layer > 0 && w.layer <= len(w.layers) {
		return w.layers[w.layer-1].key
	}
	return ""
}

// keyAt is the override that wrote a line of the output, counted from 1.
func (w *tracker) keyAt(line int) string {
	lines := bytes.SplitAfter(w.buf.Bytes(), []byte("\n"))
	start := 0
	for i := range min(line-1, len(lines)) {
		start += len(lines[i])
	}
	end := w.buf.Len()
	if line-1 < len(lines) && line > 0 {
		end = start + len(lines[line-1])
	}
	if k := w.strongest(start, end); k > 0 {
		return w.layers[k-1].key
	}
	return ""
}

// strongest is the highest layer that wrote anything but blanks in a range.
func (w *tracker) strongest(start, end int) int {
	text, best := w.buf.Bytes(), 0
	for i, s := range w.spans {
		from, to := max(s.at, start), end
		if i+1 < len(w.spans) {
			to = min(end, w.spans[i+1].at)
		}
		if from < to && s.layer > best && len(bytes.TrimSpace(text[from:to])) > 0 {
			best = s.layer
		}
	}
	return best
}

// lines gives every line with its layer.
func (w *tracker) lines() []Line {
	var out []Line
	start := 0
	for text := range bytes.Lines(w.buf.Bytes()) {
		end := start + len(text)
		l := Line{Text: string(bytes.TrimRight(text, "\r\n")), Layer: LayerBuiltIn}
		if k := w.strongest(start, end); k > 0 {
			l.Layer, l.Source = w.layers[k-1].Layer, w.layers[k-1].Source
		}
		for _, u := range w.used {
			if u.at >= start && u.at < end {
				l.Vars = append(l.Vars, fmt.Sprintf("%s (%s)", u.name, w.vars[u.name].Source))
			}
		}
		l.Vars = distinct(l.Vars)
		out = append(out, l)
		start = end
	}
	return out
}
