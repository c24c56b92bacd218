// Package dialog is the state of one dialog (RFC 3261 section 12), the same for
// a call that Perch answers and for a subscription it serves: who talks to whom,
// by which route, and which sequence numbers come next. It works on header
// texts and knows no SIP stack, no socket and no timer; a Dialog is a plain value
// that can be stored as JSON and taken up again by another process. It promises
// that no text it keeps or gives out can break out of a header line.
package dialog
