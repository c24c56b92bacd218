// Package feature answers the calls to feature codes: it reads what was
// dialled, answers with sound, asks for what was not dialled and reads the keys
// that are pressed, asks the hot desk, says how it went and hangs up. It knows
// no PIN rule and no store; it promises that a call it answered is ended by one
// side or the other and holds the device busy until then, that a change is
// committed before it is said to be, and that no key pressed or dialled reaches
// a log or a metric.
package feature
