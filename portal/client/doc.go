// Package client talks to a running Perch over its REST API, for the command
// line. It tries nothing twice, keeps nothing, and promises that an error reads
// as the server put it, safe to print on a terminal.
package client
