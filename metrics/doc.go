// Package metrics counts and times what Perch does, for Prometheus. It has one
// recorder per area, each in a file of its own, built against a registry that is
// passed in, and it is the only package that imports Prometheus. It knows no
// domain: the words that become labels are passed in as closed sets. It promises
// that every series exists from the start with its zero, that no label value
// comes from outside those sets (an unknown word counts as "other"), that a
// method on a nil recorder does nothing, and that none blocks.
package metrics
