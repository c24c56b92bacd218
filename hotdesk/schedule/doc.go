// Package schedule decides when a seat is left without anybody asking: at the
// end of a session, at a time of day, after a time without a call or a touch of
// the phone, or because the desk is reserved for others from now on; and when
// the person is warned of it. It knows no store, no phone and no clock of its
// own. Its promise: a seat is looked at by one node at a time, is warned of one
// end once and left once, whatever node dies and however clocks jump; what is
// late happens at once, and a call is never cut.
package schedule
