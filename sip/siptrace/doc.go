// Package siptrace copies the SIP messages of one device or one extension to
// whoever watches, with what is secret cut out: credentials, keys of media, and
// what people dialled behind a feature code. It knows no socket and no stack:
// the readers and writers of messages call it. It promises that nobody watching
// costs one atomic load per message, that it never waits for a watcher, and
// that a watcher gets nothing that could log anybody in.
package siptrace
