// Package configs holds the files that ship inside the program: the server's
// defaults with their explanation, and the directory of the demo. It reads
// nothing and knows no schema.
package configs

import _ "embed" // the files below

var (
	//go:embed perch.yaml
	perch string
	//go:embed demo.yaml
	demo string
)

// Perch is perch.yaml: every key of the server's configuration with its default.
func Perch() []byte { return []byte(perch) }

// Demo is demo.yaml: the directory that perch demo applies.
func Demo() []byte { return []byte(demo) }
