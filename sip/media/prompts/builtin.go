package prompts

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"perch/sip/media"
)

//go:embed files
var spoken embed.FS

//go:embed en.txt de.txt
var texts embed.FS

// Names lists the clips of a language, as its texts name them: the closed set
// of what can be said.
func Names(language string) []string {
	b, err := texts.ReadFile(language + ".txt")
	if err != nil {
		return nil
	}
	var names []string
	for line := range strings.Lines(string(b)) {
		if name, _, ok := strings.Cut(line, "\t"); ok && !strings.HasPrefix(line, "#") {
			names = append(names, name)
		}
	}
	return names
}

// builtIn reads the clips that were spoken when Perch was built, each once.
type builtIn struct {
	files fs.FS // <language>/<name>.wav

	mu    sync.Mutex
	clips map[string]*media.Clip
}

func (b *builtIn) clip(language, name string) (*media.Clip, bool) {
	path := "files/" + language + "/" + name + ".wav"
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, ok := b.clips[path]; ok {
		return c, c != nil
	}
	c, err := readClip(b.files, path)
	if err != nil {
		c = nil
	}
	b.clips[path] = c
	return c, c != nil
}

func readClip(files fs.FS, path string) (*media.Clip, error) {
	f, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadWAV(f)
}

// Missing lists the languages of which a clip was not built in: then Perch plays
// melodies, and cannot ask for anything.
func Missing(languages []string) (missing []string) {
	for _, l := range languages {
		for _, name := range Names(l) {
			if _, err := fs.Stat(spoken, "files/"+l+"/"+name+".wav"); err != nil {
				missing = append(missing, l)
				break
			}
		}
	}
	return missing
}

// path is where a clip of the operator's is.
func path(parts ...string) string { return strings.Join(parts, "/") + ".wav" }

func fault(path string, err error) error { return fmt.Errorf("prompts: %s: %w", path, err) }
