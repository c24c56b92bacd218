// Package presence holds one state per extension: the calls it is in, as
// watchers may see them. Everything that shows an extension elsewhere - a lamp on
// a sidecar key first of all - is rendered from this one state, so two views
// cannot disagree. It is built from calls and their changes, whose revisions the
// store gives, so that it is the same on every node. It knows no SIP message, no
// XML and no store, and it never tells an extension that does not exist from one
// that is not there.
package presence
