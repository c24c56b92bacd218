package handler

import (
	"errors"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// HeaderParsers is the table of header parsers for the stack. It differs from
// the stack's own in four ways. Fields that it would misread stay text, to be
// read by our own parsers: Contact, Route, Record-Route, Path (quotes, commas and
// parameters with "=" or ";" in them split wrongly there, and one bad value
// rejects the whole message). Compact names that it does not know become long
// (RFC 3261 section 7.3.3, RFC 6665 section 8.2, RFC 4028). A field that
// cannot be parsed stays text, so that Validate can answer 400 instead of
// silence. A value with control characters is emptied, for the same end.
func HeaderParsers() map[string]sip.HeaderParser {
	out := map[string]sip.HeaderParser{}
	for name, parse := range sip.DefaultHeadersParser() {
		out[name] = tolerant(longName(name), parse)
	}
	for short, long := range rawNames {
		out[short] = asText(long)
	}
	return out
}

// rawNames are the fields kept as text under their long names.
var rawNames = map[string]string{
	"m": "Contact", "contact": "Contact", "route": "Route", "record-route": "Record-Route",
	"o": "Event", "x": "Session-Expires", "k": "Supported", "u": "Allow-Events",
	"e": "Content-Encoding", "s": "Subject", "r": "Refer-To", "refer-to": "Refer-To",
	"b": "Referred-By", "referred-by": "Referred-By", "a": "Accept-Contact", "j": "Reject-Contact",
}

// parsedNames are the fields that the stack parses, by every name they have.
var parsedNames = map[string]string{
	"c": "Content-Type", "content-type": "Content-Type", "f": "From", "from": "From",
	"t": "To", "to": "To", "i": "Call-ID", "call-id": "Call-ID", "cseq": "CSeq",
	"v": "Via", "via": "Via", "max-forwards": "Max-Forwards",
	"l": "Content-Length", "content-length": "Content-Length",
}

func longName(name string) string {
	if long, ok := parsedNames[name]; ok {
		return long
	}
	return name
}

func asText(name string) sip.HeaderParser {
	return func(_ []byte, value string) (sip.Header, error) {
		if strings.ContainsFunc(value, isControl) {
			value = ""
		}
		return sip.NewHeader(name, value), nil
	}
}

// errNothingLeft is never seen: see tolerant.
var errNothingLeft = errors.New("empty value")

func tolerant(name string, parse sip.HeaderParser) sip.HeaderParser {
	return func(key []byte, value string) (sip.Header, error) {
		if strings.ContainsFunc(value, isControl) {
			return sip.NewHeader(name, ""), nil
		}
		h, err := parsed(parse, key, value)
		if err == nil || isComma(err) {
			return h, err
		}
		return sip.NewHeader(name, value), nil
	}
}

// parsed keeps a defect of the stack's parser from ending the process: it runs
// on the goroutine that reads the socket.
func parsed(parse sip.HeaderParser, key []byte, value string) (h sip.Header, err error) {
	defer func() {
		if recover() != nil {
			h, err = nil, errNothingLeft
		}
	}()
	return parse(key, value)
}

// isComma tells the stack's private sign that more values follow a comma.
func isComma(err error) bool { return err != nil && err.Error() == "comma detected" }
