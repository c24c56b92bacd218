// Package app is the one place that imports across: it builds every part of
// Perch from a configuration, hands each what it needs, starts them, and stops
// them in reverse. It decides nothing that a part could decide, and imports no
// SIP stack.
package app
