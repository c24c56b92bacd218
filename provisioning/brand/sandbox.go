package brand

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"
	"unicode/utf8"
)

// Bounds of what an admin's template may be and cost.
const (
	MaxTemplate = 32 << 10 // bytes of one override's text
	maxDepth    = 200      // blocks and brackets in each other; an else-if counts too
	maxSteps    = 20_000   // rounds of loops and uses of templates in one rendering
	maxOutput   = 1 << 20  // bytes of a file
	maxValue    = 16 << 10 // bytes of one value that a function makes
	maxTime     = time.Second
)

// safeFuncs are the functions a template may use beside those of the language.
// Each is pure, and its result is bounded.
func safeFuncs() template.FuncMap {
	return template.FuncMap{
		"print":     func(a ...any) (string, error) { return bounded(fmt.Sprint(a...)) },
		"println":   func(a ...any) (string, error) { return bounded(fmt.Sprintln(a...)) },
		"printf":    safePrintf,
		"upper":     func(s string) (string, error) { return bounded(strings.ToUpper(s)) },
		"lower":     func(s string) (string, error) { return bounded(strings.ToLower(s)) },
		"trim":      strings.TrimSpace,
		"replace":   replace,
		"contains":  func(part, s string) bool { return strings.Contains(s, part) },
		"hasPrefix": func(prefix, s string) bool { return strings.HasPrefix(s, prefix) },
		"hasSuffix": func(suffix, s string) bool { return strings.HasSuffix(s, suffix) },
		"clip":      func(limit int, s string) string { return ClipTo(s, max(limit, 0)) },
		"default":   otherwise,
		"join":      join,
		"add":       func(a, b int) int { return a + b },
		"sub":       func(a, b int) int { return a - b },
	}
}

// languageFuncs are those of text/template that are safe as they are. Not among
// them: call, html, js, urlquery.
func languageFuncs() []string {
	return []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "index", "slice", "len"}
}

// FuncNames lists all functions of an admin's template.
func FuncNames() []string {
	names := languageFuncs()
	for n := range safeFuncs() {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

var errTooLong = fmt.Errorf("makes a value longer than %d bytes", maxValue)

func bounded(s string) (string, error) {
	if len(s) > maxValue {
		return "", errTooLong
	}
	return s, nil
}

// safePrintf takes plain verbs with widths below 100: fmt would make a
// megabyte of one number.
func safePrintf(format string, args ...any) (string, error) {
	if strings.Count(format, "%") > 32 {
		return "", errors.New("printf: more than 32 verbs")
	}
	digits := 0
	verb := false
	for _, c := range format {
		switch {
		case c == '%':
			verb, digits = !verb, 0
		case !verb:
		case c == '*' || c == '[':
			return "", errors.New("printf: * and [ are not understood")
		case c >= '0' && c <= '9':
			if digits++; digits > 2 {
				return "", errors.New("printf: a width above 99")
			}
		case c == '.':
			digits = 0
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			verb = false
		}
	}
	return bounded(fmt.Sprintf(format, args...))
}

func replace(old, with, s string) (string, error) {
	if n := strings.Count(s, old); len(s)+n*len(with) > maxValue {
		return "", errTooLong
	}
	return strings.ReplaceAll(s, old, with), nil
}

// otherwise is the value, or what stands first where that is empty or missing.
func otherwise(instead, v any) any {
	if truth, ok := template.IsTrue(v); !ok || !truth {
		return instead
	}
	return v
}

func join(sep string, values []any) (string, error) {
	parts := make([]string, len(values))
	size := 0
	for i, v := range values {
		parts[i] = fmt.Sprint(v)
		if size += len(parts[i]) + len(sep); size > maxValue {
			return "", errTooLong
		}
	}
	return strings.Join(parts, sep), nil
}

// parseSafe reads the text of an override. Name goes into the messages; the
// trees are those of the text itself, under "", and of what it defines.
func parseSafe(name, text string, defines bool) (map[string]*parse.Tree, error) {
	switch {
	case len(text) > MaxTemplate:
		return nil, fmt.Errorf("template: %s:0: is longer than %d bytes", name, MaxTemplate)
	case !utf8.ValidString(text):
		return nil, fmt.Errorf("template: %s:0: is not UTF-8", name)
	}
	trees := map[string]*parse.Tree{}
	t := parse.New(name)
	t.Mode = parse.SkipFuncCheck
	if _, err := t.Parse(text, "", "", trees); err != nil {
		return nil, err
	}
	delete(trees, name)
	if len(trees) > 0 && !defines {
		return nil, fmt.Errorf("template: %s:0: a block cannot define others: override them one by one", name)
	}
	if t.Root == nil {
		t.Root = &parse.ListNode{NodeType: parse.NodeList}
	}
	trees[""] = t
	allowed := FuncNames()
	for _, each := range trees {
		if err := checkNode(each, each.Root, allowed, 0); err != nil {
			return nil, err
		}
	}
	return trees, nil
}

// checkNode refuses functions that are not on the list, and what lies too deep.
func checkNode(t *parse.Tree, n parse.Node, allowed []string, depth int) error {
	if depth > maxDepth {
		return refuse(t, n, "blocks and brackets lie deeper than %d", maxDepth)
	}
	for _, c := range children(n) {
		if err := checkNode(t, c, allowed, depth+1); err != nil {
			return err
		}
	}
	if id, ok := n.(*parse.IdentifierNode); ok && !slices.Contains(allowed, id.Ident) {
		return refuse(t, n, "no function %q; there are %s", id.Ident, strings.Join(allowed, " "))
	}
	return nil
}

func refuse(t *parse.Tree, n parse.Node, format string, args ...any) error {
	at, _ := t.ErrorContext(n)
	return fmt.Errorf("template: %s: %s", at, fmt.Sprintf(format, args...))
}

// children are the nodes right below one.
func children(n parse.Node) []parse.Node {
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			return n.Nodes
		}
	case *parse.ActionNode:
		return []parse.Node{n.Pipe}
	case *parse.PipeNode:
		if n == nil {
			return nil
		}
		out := make([]parse.Node, len(n.Cmds))
		for i, c := range n.Cmds {
			out[i] = c
		}
		return out
	case *parse.CommandNode:
		return n.Args
	case *parse.ChainNode:
		return []parse.Node{n.Node}
	case *parse.TemplateNode:
		return []parse.Node{n.Pipe}
	case *parse.IfNode:
		return branches(&n.BranchNode)
	case *parse.RangeNode:
		return branches(&n.BranchNode)
	case *parse.WithNode:
		return branches(&n.BranchNode)
	}
	return nil
}

func branches(n *parse.BranchNode) []parse.Node {
	return []parse.Node{n.Pipe, n.List, n.ElseList}
}
