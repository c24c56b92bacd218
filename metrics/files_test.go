package metrics

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// promtool runs Debian's promtool in this folder. A machine without it fails.
func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	cmd := exec.Command("promtool", args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	} else if args[1] == "metrics" && len(out) > 0 {
		t.Errorf("promtool %s:\n%s", strings.Join(args, " "), out)
	}
}

func TestPromtoolAcceptsTheExposition(t *testing.T) {
	m, reg := testMetrics(t)
	record(m)
	promtool(t, scrape(t, reg), "check", "metrics")
}

func TestPromtoolAcceptsTheRules(t *testing.T) {
	promtool(t, "", "check", "rules", "alerts.yml")
	promtool(t, "", "test", "rules", "alerts_test.yml")
}

// ruleFile is what the tests read of alerts.yml.
type ruleFile struct {
	Groups []struct {
		Rules []struct {
			Alert       string            `yaml:"alert"`
			Expr        string            `yaml:"expr"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

func readRules(t *testing.T) ruleFile {
	t.Helper()
	text, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var rules ruleFile
	if err := yaml.Unmarshal(text, &rules); err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestEachAlertIsExplainedAndTested(t *testing.T) {
	tests, err := os.ReadFile("alerts_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, g := range readRules(t).Groups {
		for _, r := range g.Rules {
			count++
			for _, key := range []string{"summary", "description", "runbook"} {
				if r.Annotations[key] == "" {
					t.Errorf("%s has no %s", r.Alert, key)
				}
			}
			if !strings.Contains(string(tests), `alertname="`+r.Alert+`"`) {
				t.Errorf("alerts_test.yml has no case in which %s fires", r.Alert)
			}
		}
	}
	if count == 0 {
		t.Error("alerts.yml holds no rule")
	}
}

// expressions gives every PromQL expression of the dashboard and the rules, by
// where it stands.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("dashboards/perch.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, p := range board.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q asks for nothing", p.Title)
		}
		for _, target := range p.Targets {
			all["dashboard: "+p.Title+" "+target.RefID] = strings.ReplaceAll(target.Expr, "$__rate_interval", "5m")
		}
	}
	for _, g := range readRules(t).Groups {
		for _, r := range g.Rules {
			all["alert: "+r.Alert] = r.Expr
		}
	}
	return all
}

func TestDashboardAndRulesAskForWhatExists(t *testing.T) {
	m, reg := testMetrics(t)
	record(m)
	samples := parseSamples(scrape(t, reg))
	for where, expr := range expressions(t) {
		for _, fault := range faults(expr, samples) {
			t.Errorf("%s: %s", where, fault)
		}
	}
}

// TestExpressionsParse has promtool read every expression as if it were a rule.
func TestExpressionsParse(t *testing.T) {
	type rule struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	var rules []rule
	for where, expr := range expressions(t) {
		name := strings.Map(func(c rune) rune {
			if c < '0' || c > 'z' || (c > '9' && c < 'A') || (c > 'Z' && c < 'a') {
				return '_'
			}
			return c
		}, where)
		rules = append(rules, rule{name, expr})
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "all", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "", "check", "rules", file)
}

func TestFaultsAreFound(t *testing.T) {
	samples := parseSamples("perch_x_total{a=\"1\",b=\"2\"} 0\nperch_x_total{a=\"3\",b=\"2\"} 0\nperch_h_bucket{le=\"1\"} 0\n")
	for expr, want := range map[string]int{
		`sum(rate(perch_x_total[5m]))`:            0,
		`perch_x_total{a="1", b!="9"}`:            0,
		`perch_x_total{a=~"1|3"}`:                 0,
		`perch_h_bucket`:                          0,
		`perch_h`:                                 1,
		`perch_y_total / perch_x_total{c="1"}`:    2,
		`perch_x_total{a="7"}`:                    1,
		`perch_x_total{a=~"1|7"}`:                 1,
		`sum by (a, d) (rate(perch_x_total[5m]))`: 1,
		`1`: 1,
	} {
		if got := faults(expr, samples); len(got) != want {
			t.Errorf("faults(%s) = %q, want %d", expr, got, want)
		}
	}
}

// samples is, by name of a series, the values of each of its labels.
type samples map[string]map[string][]string

var (
	sampleLine = regexp.MustCompile(`(?m)^([a-z_][a-z0-9_]*)(?:\{(.*)\})? \S+$`)
	labelPair  = regexp.MustCompile(`([a-z_]+)(=~|!=|!~|=)"([^"]*)"`)
	seriesName = regexp.MustCompile(`\b((?:perch|process|go)_[a-z0-9_]+|up)\b(?:\{([^}]*)\})?`)
	grouping   = regexp.MustCompile(`\b(?:by|without) \(([^)]*)\)`)
)

// parseSamples reads the exposition; up is added by Prometheus itself.
func parseSamples(text string) samples {
	all := samples{"up": {"job": {"perch"}}}
	for _, m := range sampleLine.FindAllStringSubmatch(text, -1) {
		if all[m[1]] == nil {
			all[m[1]] = map[string][]string{}
		}
		for _, pair := range labelPair.FindAllStringSubmatch(m[2], -1) {
			all[m[1]][pair[1]] = append(all[m[1]][pair[1]], pair[3])
		}
	}
	return all
}

// faults tells what an expression asks for that no sample has: a series, a
// label of it, or a value that a label never takes.
func faults(expr string, all samples) []string {
	var out []string
	found := seriesName.FindAllStringSubmatch(expr, -1)
	if len(found) == 0 {
		out = append(out, "names no series")
	}
	labels := []string{"instance", "job"} // added by the scrape
	for _, m := range found {
		series, ok := all[m[1]]
		if !ok {
			out = append(out, "no series "+m[1])
			continue
		}
		for name := range series {
			labels = append(labels, name)
		}
		out = append(out, selectorFaults(m[1], m[2], series)...)
	}
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		for name := range strings.SplitSeq(g[1], ",") {
			if name = strings.TrimSpace(name); !slices.Contains(labels, name) {
				out = append(out, "grouped by "+name+", which nothing there has")
			}
		}
	}
	return out
}

// selectorFaults checks the matchers of one selector.
func selectorFaults(name, selector string, series map[string][]string) []string {
	var out []string
	for _, pair := range labelPair.FindAllStringSubmatch(selector, -1) {
		values, ok := series[pair[1]]
		switch {
		case !ok:
			out = append(out, name+" has no label "+pair[1])
		case pair[2] == "=" || pair[2] == "=~":
			for v := range strings.SplitSeq(pair[3], "|") {
				if !slices.Contains(values, v) {
					out = append(out, name+"{"+pair[1]+"} is never "+v)
				}
			}
		}
	}
	return out
}
