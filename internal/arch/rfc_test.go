package arch

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	citation = regexp.MustCompile(`\bRFC[ -]?([0-9]{3,5})\b`)
	rfcRow   = regexp.MustCompile(`(?m)^\| RFC ([0-9]{3,5}) \| [^|]+ \| (yes|partial|no) \|`)
)

// TestEachCitedRFCIsListed holds docs/rfc.md to what the code cites, tests
// included, and keeps it from claiming an RFC twice.
func TestEachCitedRFCIsListed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "rfc.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed, err2 := rows(string(text))
	for _, twice := range err2 {
		t.Errorf("docs/rfc.md lists RFC %s twice", twice)
	}
	walkSource(t, func(path string) {
		if ext := filepath.Ext(path); ext != ".go" && ext != ".lua" {
			return
		}
		source, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		for _, number := range cited(string(source)) {
			if listed[number] == "" {
				t.Errorf("%s cites RFC %s, which has no row in docs/rfc.md", path, number)
			}
		}
	})
}

// cited gives the numbers of the RFCs that a text cites, each once.
func cited(source string) []string {
	found := map[string]bool{}
	for _, m := range citation.FindAllStringSubmatch(source, -1) {
		found[m[1]] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// rows gives the state of each RFC in the table and those that stand there twice.
func rows(text string) (state map[string]string, twice []string) {
	state = map[string]string{}
	for _, m := range rfcRow.FindAllStringSubmatch(text, -1) {
		if state[m[1]] != "" {
			twice = append(twice, m[1])
		}
		state[m[1]] = m[2]
	}
	return state, twice
}

func TestCitationsAndRowsAreFound(t *testing.T) {
	got := cited("// " + "RFC " + "3261 section 10.3, " + "RFC" + "6665; " + "RFC-" + "4235, XRFC 1111, RFC 12")
	if want := "3261 4235 6665"; strings.Join(got, " ") != want {
		t.Errorf("cited %q, want %q", got, want)
	}
	state, twice := rows("| RFC 3261 | SIP | partial | all |\n| RFC 1 | x | maybe | |\n| RFC 3261 | SIP | yes | |\nRFC 6665 is good\n")
	if len(state) != 1 || state["3261"] != "yes" || len(twice) != 1 {
		t.Errorf("rows: %v, twice %v", state, twice)
	}
}
