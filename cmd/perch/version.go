package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"perch/internal/app"
)

type versionCmd struct{}

// Run prints the version that the build knows of.
func (versionCmd) Run(e *env) error {
	_, err := fmt.Fprintf(e.out, "perch %s %s(%s, %s/%s)\n", version(), spaced(revision()), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

func spaced(s string) string {
	if s == "" {
		return ""
	}
	return s + " "
}

// stamped is the version that the build's linker flags name; empty without.
var stamped string

// version is what the build was told, else the module's.
func version() string {
	if stamped != "" {
		return stamped
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	return "(devel)"
}

// revision is the commit that was built; empty where the build does not know.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	commit, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "+changes"
		}
	}
	return commit + dirty
}

func build() app.Build { return app.Build{Version: version(), Revision: revision()} }
