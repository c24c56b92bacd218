// Package browser holds the test of Perch's WebSocket listeners with a SIP
// stack and a WebSocket that nobody here wrote: JsSIP in a headless Chromium.
package browser
