// Package dialoginfo writes the document by which phones light BLF lamps:
// application/dialog-info+xml of RFC 4235. It knows the state of an extension
// and nothing else - no subscription, no message. It promises a well-formed
// document whatever the texts are, always the full state, and the same bytes for
// the same input.
package dialoginfo
