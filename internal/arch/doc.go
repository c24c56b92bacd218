// Package arch is the house held by tests: which package may import which, and
// that what the documents say about the code is so. It has no code of its own.
// Each rule carries its reason, and a failure shows it.
package arch
