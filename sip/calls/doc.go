// Package calls knows every call: who is in it, at which device, how far it
// has come and how it ended. The proxy and the feature codes tell a Tracker what
// they see; it keeps one record per call in the store, from which lamps, idle
// logout, deferred reloads and `perch calls` are answered. It knows no SIP
// message, no Redis and no HTTP. It promises that a call never goes backwards,
// that what comes late or out of a strange dialog changes nothing, and that a
// call whose end never came is over when its lease is.
package calls
