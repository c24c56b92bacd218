// Package interop holds Perch's transports against programs that nobody here
// wrote: SIPp, sipsak, baresip and linphone, each by every transport it has.
package interop
