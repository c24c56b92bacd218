package prompts

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"perch/hotdesk/directory"
	"perch/sip/media"
)

// TestBuiltIn: every text of every language was spoken, into a sound of a
// sensible length. It fails in a fresh clone until scripts/prompts.sh has run,
// which make test does.
func TestBuiltIn(t *testing.T) {
	if m := Missing(directory.Languages()); len(m) > 0 {
		t.Fatalf("not built in: %v; run scripts/prompts.sh", m)
	}
	l := Open("", slog.New(slog.DiscardHandler))
	for _, language := range directory.Languages() {
		for _, name := range Names(language) {
			c, ok := l.Clip("acme", language, name)
			if !ok || c.Duration() < 200*time.Millisecond || c.Duration() > 8*time.Second {
				t.Errorf("%s %s: %v, %v", language, name, ok, c.Duration())
			}
		}
	}
	if _, ok := l.Clip("acme", "en", "../de/n1"); ok {
		t.Error("a name may leave its folder")
	}
	if _, ok := l.Sound("acme", "en", "n1", "no such thing"); ok {
		t.Error("half a sentence")
	}
}

// TestSpeechIsNoKey: nothing that Perch says sounds like a key, so nobody's
// voice will soon.
func TestSpeechIsNoKey(t *testing.T) {
	l := Open("", slog.New(slog.DiscardHandler))
	var tones media.Tones
	seconds := 0.0
	for _, language := range directory.Languages() {
		for _, name := range Names(language) {
			c, ok := l.Clip("acme", language, name)
			if !ok {
				t.Fatalf("%s %s was not spoken; run scripts/prompts.sh", language, name)
			}
			seconds += c.Duration().Seconds()
			tones.Hear(media.PCMU, c.Encoded(media.PCMU), func(media.Key) { t.Errorf("%s %s sounds like a key", language, name) })
		}
	}
	t.Logf("%.0f seconds of speech", seconds)
}

// logText is a log that several goroutines write.
type logText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// take gives what was logged since it was asked last.
func (l *logText) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.b.Reset()
	return l.b.String()
}

func put(t *testing.T, dir, name string, b []byte, at time.Time) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
}

// TestOwnClips: a tenant's own file goes before that of all tenants, and that
// before what is built in; a file counts as it is now; a broken one is named
// once and never played.
func TestOwnClips(t *testing.T) {
	dir, log := t.TempDir(), &logText{}
	l := Open(dir, slog.New(slog.NewTextHandler(log, nil)))
	built, ok := l.Clip("acme", "en", "goodbye")
	if !ok {
		t.Fatal("nothing is built in; run scripts/prompts.sh")
	}
	sound := func(v byte) []byte { return wav(7, 1, 8000, 8, bytes.Repeat([]byte{v}, 160)) }
	begun := time.Now().Add(-time.Hour)
	is := func(what string, tenant directory.TenantCode, want byte, logged string) {
		t.Helper()
		c, ok := l.Clip(tenant, "en", "goodbye")
		if !ok {
			t.Fatalf("%s: no clip", what)
		}
		switch {
		case want == 0 && c != built:
			t.Errorf("%s: not the one built in", what)
		case want != 0 && (len(c.Encoded(media.PCMU)) != 160 || c.Encoded(media.PCMU)[0] != want):
			t.Errorf("%s: not the file that was meant", what)
		}
		if got := log.take(); logged == "" && got != "" || !strings.Contains(got, logged) {
			t.Errorf("%s: logged %q, want %q", what, got, logged)
		}
	}
	is("an empty folder", "acme", 0, "")
	put(t, dir, "en/goodbye.wav", sound(1), begun)
	is("for all tenants", "acme", 1, "en/goodbye.wav")
	put(t, dir, "acme/en/goodbye.wav", sound(2), begun)
	is("a tenant's own", "acme", 2, "acme/en/goodbye.wav")
	is("another tenant's", "globex", 1, "")
	put(t, dir, "acme/en/goodbye.wav", sound(3), begun.Add(time.Minute))
	is("changed", "acme", 3, "was read")
	put(t, dir, "acme/en/goodbye.wav", []byte("no sound"), begun.Add(2*time.Minute))
	is("broken", "acme", 1, "acme/en/goodbye.wav")
	is("broken, again", "acme", 1, "")
	if err := os.Remove(filepath.Join(dir, "acme/en/goodbye.wav")); err != nil {
		t.Fatal(err)
	}
	is("removed", "acme", 1, "is gone")
	is("removed, again", "acme", 1, "")
	if err := os.Remove(filepath.Join(dir, "en/goodbye.wav")); err != nil {
		t.Fatal(err)
	}
	is("all removed", "acme", 0, "is gone")
	if err := syscall.Mkfifo(filepath.Join(dir, "en/goodbye.wav"), 0o644); err != nil {
		t.Fatal(err)
	}
	is("a pipe", "acme", 0, "not a file")
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	good, at := wav(7, 1, 8000, 8, []byte("ab")), time.Now()
	put(t, dir, "en/goodbye.wav", good, at)
	put(t, dir, "acme/de/n7.wav", good, at)
	put(t, dir, "acme/de/n8.wav", []byte("broken"), at)
	put(t, dir, "fr/goodbye.wav", good, at)
	put(t, dir, "en/godbye.wav", good, at)
	var got []string
	for _, err := range Check(dir, directory.Languages()) {
		got = append(got, err.Error())
	}
	text := strings.Join(got, "\n")
	if len(got) != 3 || !strings.Contains(text, "acme/de/n8.wav: not a WAV") || !strings.Contains(text, "fr/goodbye.wav: nothing plays") || !strings.Contains(text, "en/godbye.wav: nothing plays") {
		t.Errorf("found\n%s", text)
	}
	if got := Check(filepath.Join(dir, "nowhere"), directory.Languages()); len(got) != 1 {
		t.Errorf("no folder: %v", got)
	}
}
