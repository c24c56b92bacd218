// Package digest is both sides of HTTP digest authentication (RFC 7616, RFC
// 2617, and RFC 8760 for SIP): challenges and credentials as text, the hash,
// nonces that need no memory and the window of counts that stops replays. It is
// pure: it knows no SIP stack, no HTTP, no users and no policy - which account a
// user name means, which failure counts, and which realm is offered are the
// caller's. It promises never to panic on what a stranger wrote, to compare in
// constant time, and to write nothing that could break out of a header line.
package digest
