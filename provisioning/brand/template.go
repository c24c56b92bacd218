package brand

import (
	"bytes"
	"fmt"
	"io/fs"
	"text/template"
	"text/template/parse"
)

// Template is a file of one brand, compiled. Every action in it ends in the
// escaping of its format: the pass over the parse tree adds it, so no author
// can forget it.
type Template struct {
	tpl *template.Template
}

// escapeFunc is the name under which the pass adds the escaper; a name that no
// template can write.
const escapeFunc = "_perch_escape"

// ParseTemplate compiles a file of the folder that a brand embeds.
func ParseTemplate(files fs.FS, name string, format Format) (*Template, error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, fmt.Errorf("brand: template %s: %w", name, err)
	}
	return NewTemplate(name, string(text), format)
}

// NewTemplate compiles the text of a template.
func NewTemplate(name, text string, format Format) (*Template, error) {
	escaper := func(v any) string {
		if s, ok := v.(string); ok {
			return format.Escape(s)
		}
		return format.Escape(fmt.Sprint(v))
	}
	t, err := template.New(name).Option("missingkey=error").
		Funcs(template.FuncMap{escapeFunc: escaper}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("brand: template %s: %w", name, err)
	}
	for _, each := range t.Templates() {
		if each.Tree != nil {
			escapeNode(each.Root)
		}
	}
	return &Template{tpl: t}, nil
}

// Execute writes the file for v.
func (t *Template) Execute(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := t.tpl.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("brand: render %s: %w", t.tpl.Name(), err)
	}
	return b.Bytes(), nil
}

// escapeNode adds the escaper to every action that writes.
func escapeNode(n parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, c := range n.Nodes {
			escapeNode(c)
		}
	case *parse.ActionNode:
		if len(n.Pipe.Decl) == 0 {
			n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{
				NodeType: parse.NodeCommand, Pos: n.Pos,
				Args: []parse.Node{parse.NewIdentifier(escapeFunc).SetPos(n.Pos)},
			})
		}
	case *parse.IfNode:
		escapeBranch(&n.BranchNode)
	case *parse.RangeNode:
		escapeBranch(&n.BranchNode)
	case *parse.WithNode:
		escapeBranch(&n.BranchNode)
	}
}

func escapeBranch(n *parse.BranchNode) {
	escapeNode(n.List)
	escapeNode(n.ElseList)
}
