// Package feature answers the calls to feature codes: it reads what was
// dialled, answers with sound, asks the hot desk, plays a melody for yes or no
// and hangs up. It knows no PIN rule and no store; it promises that a call it
// answered is ended by one side or the other and holds the device busy until
// then, that a change is committed before the melody for yes begins, and that
// nothing dialled reaches a log or a metric.
package feature
