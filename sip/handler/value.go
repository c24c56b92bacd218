package handler

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"perch/metrics"
)

// Value orders requests by what refusing them costs people.
type Value uint8

// The values, the least first.
const (
	Subscribe Value = iota // a new subscription: a lamp stays dark for a while
	Other                  // what nobody waits for: OPTIONS, PUBLISH, MESSAGE
	Refresh                // REGISTER, and a SUBSCRIBE inside its dialog: there is time until it expires
	Call                   // a call and what belongs to one
	Emergency              // an emergency call
)

// String is the metrics' word.
func (v Value) String() string {
	return [...]string{metrics.ShedSubscribe, metrics.ShedOther, metrics.ShedRefresh, metrics.ShedCall, metrics.ShedEmergency}[v]
}

// ValueOf tells what a request is worth. emergency, which may be nil, knows
// the numbers of the installation.
func ValueOf(req *sip.Request, emergency func(user string) bool) Value {
	inside := false
	if to := req.To(); to != nil {
		inside = param(to.Params, "tag") != ""
	}
	switch req.Method {
	case sip.SUBSCRIBE:
		if !inside {
			return Subscribe
		}
		return Refresh
	case sip.REGISTER:
		return Refresh
	case sip.INVITE:
		if user := req.Recipient.User; isHelp(user) || emergency != nil && emergency(user) {
			return Emergency
		}
	case sip.BYE, sip.CANCEL, sip.ACK, sip.NOTIFY, sip.PRACK, sip.UPDATE:
	default:
		if !inside {
			return Other
		}
	}
	return Call
}

// isHelp tells a number by which somebody somewhere calls for help, or the
// name of the service (RFC 5031). In an overload it is better to let a few too
// many through.
func isHelp(user string) bool {
	switch user {
	case "112", "911", "999", "000", "110", "113", "115", "118", "119":
		return true
	}
	return len(user) <= 40 && strings.HasPrefix(strings.ToLower(user), "sos")
}
