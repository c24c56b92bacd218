// Package proxy is the stateful SIP proxy between the extensions of a tenant,
// their upstream and the emergency route (RFC 3261 section 16). It decides who is
// called and in whose name, forks, relays what comes back, and puts a signed
// route on each side of a dialog so that requests inside it find their way
// without any memory of the call: through a restart, a logout or a move. It
// knows no store, no media and no timer of a call that is up; it tells a Tracker
// what it sees. It promises that nobody calls in another's name, that tenants
// never reach each other, and that a request goes to a registered flow or to a
// hop that it was given, nowhere else.
package proxy
